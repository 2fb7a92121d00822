#include "text_dictionary.h"

#include <stdlib.h>
#include <string.h>

#include "arrow_export.h"
#include "event_parts.h"
#include "text_hash.h"

#define EXPORTED __attribute__((visibility("default")))
#define SLOTS_MIN 1024
/* Numbers are 32 bits, and slots twice as many as texts. */
#define TEXTS_MAX (1u << 30)

bool open_dictionary(text_dictionary *dictionary, uint64_t seed) {
    dictionary->count = 0;
    dictionary->room = SLOTS_MIN / 2;
    dictionary->slot_count = SLOTS_MIN;
    dictionary->seed = seed;
    dictionary->texts = malloc(dictionary->room * sizeof *dictionary->texts);
    dictionary->slots = calloc(dictionary->slot_count, sizeof *dictionary->slots);
    if (dictionary->texts == NULL || dictionary->slots == NULL) {
        close_dictionary(dictionary);
        return false;
    }
    return true;
}

void close_dictionary(text_dictionary *dictionary) {
    free(dictionary->texts);
    free(dictionary->slots);
    dictionary->texts = NULL;
    dictionary->slots = NULL;
}

/* Make room for twice as many texts. */
static bool grow(text_dictionary *dictionary) {
    if (dictionary->room >= TEXTS_MAX) {
        return false;
    }
    uint32_t room = dictionary->room * 2, slot_count = dictionary->slot_count * 2;
    distinct_text *texts = realloc(dictionary->texts, room * sizeof *texts);
    if (texts == NULL) {
        return false;
    }
    dictionary->texts = texts;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t number = 0; number < dictionary->count; number++) {
        uint32_t slot = texts[number].hash & (slot_count - 1);
        while (slots[slot] != 0) {
            slot = (slot + 1) & (slot_count - 1);
        }
        slots[slot] = number + 1;
    }
    free(dictionary->slots);
    dictionary->slots = slots;
    dictionary->slot_count = slot_count;
    dictionary->room = room;
    return true;
}

uint32_t number_of(text_dictionary *dictionary, const uint8_t *text, uint32_t size) {
    uint32_t hash = (uint32_t)hash_text(text, size, dictionary->seed);
    uint32_t slot = hash & (dictionary->slot_count - 1);
    while (dictionary->slots[slot] != 0) {
        uint32_t number = dictionary->slots[slot] - 1;
        const distinct_text *known = &dictionary->texts[number];
        if (known->hash == hash && known->size == size && memcmp(known->text, text, size) == 0) {
            return number;
        }
        slot = (slot + 1) & (dictionary->slot_count - 1);
    }
    if (dictionary->count == dictionary->room) {
        return grow(dictionary) ? number_of(dictionary, text, size) : NO_TEXT;
    }
    dictionary->texts[dictionary->count] = (distinct_text){.text = text, .size = size, .hash = hash};
    dictionary->slots[slot] = dictionary->count + 1;
    return dictionary->count++;
}

static bool export_dictionary(const text_dictionary *dictionary, arrow_column *exported) {
    uint64_t bytes = 0;
    for (uint32_t number = 0; number < dictionary->count; number++) {
        bytes += dictionary->texts[number].size;
    }
    text_buffers buffers;
    if (!export_texts(exported, dictionary->count, bytes, false, &buffers)) {
        return false;
    }
    int64_t filled = 0;
    for (uint32_t number = 0; number < dictionary->count; number++) {
        const distinct_text *each = &dictionary->texts[number];
        buffers.offsets[number] = filled;
        memcpy(buffers.bytes + filled, each->text, each->size);
        filled += each->size;
    }
    buffers.offsets[dictionary->count] = filled;
    return true;
}

/* Number the texts of one row after the other; a text like the one before, the usual case for types, is not looked up. */
static bool number_rows(
    text_dictionary *dictionary, const event_part *parts, uint64_t count, int32_t column, int64_t *codes, int64_t *first_rows
) {
    uint64_t row = 0;
    const uint8_t *before = NULL;
    uint32_t before_size = 0, code = 0;
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(parts[number].pack);
        for (uint64_t each = parts[number].start; each < parts[number].end; each++, row++) {
            const uint8_t *text = text_at(&events, column, each);
            uint32_t size = text_size(&events, column, each), known = dictionary->count;
            if (before == NULL || size != before_size || memcmp(text, before, size) != 0) {
                code = number_of(dictionary, text, size);
            }
            if (code == NO_TEXT) {
                return false;
            }
            if (code == known) {
                first_rows[code] = (int64_t)row;
            }
            codes[row] = code;
            before = text;
            before_size = size;
        }
    }
    return true;
}

/* Hand over the distinct texts of a column. `codes` and `first_rows` have room for all rows; the first says which text each row has, the
 * second in which row each text comes first, ascending. Returns how many there are, or -1 where there is no memory. */
EXPORTED int64_t tallystick_distinct_texts(
    const event_part *parts, uint64_t count, int32_t column, uint64_t seed, int64_t *codes, int64_t *first_rows, arrow_column *exported
) {
    text_dictionary dictionary;
    if (!open_dictionary(&dictionary, seed)) {
        return -1;
    }
    int64_t found = -1;
    if (number_rows(&dictionary, parts, count, column, codes, first_rows) && export_dictionary(&dictionary, exported)) {
        found = dictionary.count;
    }
    close_dictionary(&dictionary);
    return found;
}
