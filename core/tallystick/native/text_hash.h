/* Hashes of texts, under a seed that senders do not know. */
#ifndef TALLYSTICK_TEXT_HASH_H
#define TALLYSTICK_TEXT_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SHORT_TEXT_MAX 128

/* XXH3 of a text of 1 to `SHORT_TEXT_MAX` bytes: what goes into files. */
uint64_t hash_short_text(const uint8_t *text, size_t size, uint64_t seed);

/* A hash of a text of any size, for tables in memory only. */
uint64_t hash_text(const uint8_t *text, size_t size, uint64_t seed);

#endif
