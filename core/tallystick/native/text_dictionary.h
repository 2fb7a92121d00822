/* Distinct texts and their numbers, in the order in which they first come. */
#ifndef TALLYSTICK_TEXT_DICTIONARY_H
#define TALLYSTICK_TEXT_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *text;
    uint32_t size;
    uint32_t hash;
} distinct_text;

typedef struct {
    distinct_text *texts;
    uint32_t count, room;
    /* Open addressing: each slot is the number of a text plus one, 0 while it is free. At most half of the slots are taken. */
    uint32_t *slots;
    uint32_t slot_count;
    uint64_t seed;
} text_dictionary;

#define NO_TEXT UINT32_MAX

bool open_dictionary(text_dictionary *dictionary, uint64_t seed);
void close_dictionary(text_dictionary *dictionary);

/* The number of a text, a new one if it is new; `NO_TEXT` where there is no memory. The text must stay where it is. */
uint32_t number_of(text_dictionary *dictionary, const uint8_t *text, uint32_t size);

#endif
