/* XXH3 (64 bits, seeded) of short texts.
 *
 * XXH3 is Yann Collet's, published as part of xxHash (github.com/Cyan4973/xxHash, doc/xxhash_spec.md); this follows the specification
 * for texts of up to 128 bytes.
 */
#include "text_hash.h"

#include <string.h>

#define PRIME32_1 0x9E3779B1ull
#define PRIME64_1 0x9E3779B185EBCA87ull
#define PRIME64_2 0xC2B2AE3D27D4EB4Full
#define PRIME64_3 0x165667B19E3779F9ull
#define PRIME_MX1 0x165667919E3779F9ull
#define PRIME_MX2 0x9FB21C651E98DF25ull

/* The first 128 bytes of the default secret of the specification. */
static const uint8_t secret[SHORT_TEXT_MAX] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
};

static uint64_t word64(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t word32(const uint8_t *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t rotated(uint64_t word, int bits) {
    return word << bits | word >> (64 - bits);
}

static uint64_t folded_product(uint64_t left, uint64_t right) {
    __extension__ unsigned __int128 product = (unsigned __int128)left * right;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t avalanche(uint64_t hash) {
    hash = (hash ^ hash >> 37) * PRIME_MX1;
    return hash ^ hash >> 32;
}

static uint64_t hash_up_to_3(const uint8_t *text, size_t size, uint64_t seed) {
    uint64_t combined = (uint64_t)text[0] << 16 | (uint64_t)text[size >> 1] << 24 | text[size - 1] | (uint64_t)size << 8;
    uint64_t hash = combined ^ ((word32(secret) ^ word32(secret + 4)) + seed);
    hash = (hash ^ hash >> 33) * PRIME64_2;
    hash = (hash ^ hash >> 29) * PRIME64_3;
    return hash ^ hash >> 32;
}

static uint64_t hash_up_to_8(const uint8_t *text, size_t size, uint64_t seed) {
    seed ^= (uint64_t)__builtin_bswap32((uint32_t)seed) << 32;
    uint64_t flipped = (word64(secret + 8) ^ word64(secret + 16)) - seed;
    uint64_t hash = (word32(text + size - 4) + (word32(text) << 32)) ^ flipped;
    hash ^= rotated(hash, 49) ^ rotated(hash, 24);
    hash *= PRIME_MX2;
    hash ^= (hash >> 35) + size;
    hash *= PRIME_MX2;
    return hash ^ hash >> 28;
}

static uint64_t hash_up_to_16(const uint8_t *text, size_t size, uint64_t seed) {
    uint64_t low = word64(text) ^ ((word64(secret + 24) ^ word64(secret + 32)) + seed);
    uint64_t high = word64(text + size - 8) ^ ((word64(secret + 40) ^ word64(secret + 48)) - seed);
    return avalanche(size + __builtin_bswap64(low) + high + folded_product(low, high));
}

static uint64_t mixed(const uint8_t *text, const uint8_t *key, uint64_t seed) {
    return folded_product(word64(text) ^ (word64(key) + seed), word64(text + 8) ^ (word64(key + 8) - seed));
}

static uint64_t hash_up_to_128(const uint8_t *text, size_t size, uint64_t seed) {
    uint64_t sum = size * PRIME64_1;
    /* Pairs of 16 bytes from both ends inwards. */
    for (size_t pair = (size - 1) / 32; pair > 0; pair--) {
        sum += mixed(text + 16 * pair, secret + 32 * pair, seed);
        sum += mixed(text + size - 16 * (pair + 1), secret + 32 * pair + 16, seed);
    }
    sum += mixed(text, secret, seed) + mixed(text + size - 16, secret + 16, seed);
    return avalanche(sum);
}

uint64_t hash_short_text(const uint8_t *text, size_t size, uint64_t seed) {
    if (size > 16) {
        return hash_up_to_128(text, size, seed);
    }
    return size > 8 ? hash_up_to_16(text, size, seed) : size > 3 ? hash_up_to_8(text, size, seed) : hash_up_to_3(text, size, seed);
}

uint64_t hash_text(const uint8_t *text, size_t size, uint64_t seed) {
    uint64_t hash = seed ^ size;
    while (size > SHORT_TEXT_MAX) {
        hash = hash_short_text(text, SHORT_TEXT_MAX, hash);
        text += SHORT_TEXT_MAX;
        size -= SHORT_TEXT_MAX;
    }
    return size == 0 ? hash : hash_short_text(text, size, hash);
}
