/* Whether keys may be in any of several filters: `dedupe.block_filter` says what a filter is, this asks many of them at once. */
#include <stdint.h>

#define EXPORTED __attribute__((visibility("default")))

#define MASK_INDEX 0x7FFFu
/* So many words are asked for before the first is needed: each is a wait for memory, and they wait together. */
#define AHEAD 16

static uint64_t word_of(uint64_t hash, uint64_t word_count, uint64_t start) {
    return ((hash >> 32) * word_count >> 32) + start;
}

/* Write a row of `count` bytes for each place, 1 where its filter lets the key of `hashes` through. The filter of a place has
 * `word_counts` words from `starts` on, all within `words`; `masks` has an entry for each of the lowest 15 bits of a hash. */
EXPORTED void tallystick_probe_filters(
    const uint64_t *words, const uint64_t *word_counts, const uint64_t *starts, uint64_t places, const uint64_t *hashes, uint64_t count,
    const uint64_t *masks, uint8_t *found
) {
    for (uint64_t place = 0; place < places; place++) {
        uint64_t word_count = word_counts[place], start = starts[place];
        uint8_t *row = found + place * count;
        for (uint64_t key = 0; key < count; key++) {
            if (key + AHEAD < count) {
                __builtin_prefetch(words + word_of(hashes[key + AHEAD], word_count, start));
            }
            uint64_t mask = masks[hashes[key] & MASK_INDEX];
            row[key] = (words[word_of(hashes[key], word_count, start)] & mask) == mask;
        }
    }
}
