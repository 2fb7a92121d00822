/* Rows of several packs, one behind the other: what a checkpoint or a question takes together. */
#ifndef TALLYSTICK_EVENT_PARTS_H
#define TALLYSTICK_EVENT_PARTS_H

#include "packed_events.h"

/* The rows `[start, end)` of a pack. */
typedef struct {
    const uint8_t *pack;
    uint64_t start, end;
} event_part;

static inline uint64_t rows_of(const event_part *parts, uint64_t count) {
    uint64_t rows = 0;
    for (uint64_t number = 0; number < count; number++) {
        rows += parts[number].end - parts[number].start;
    }
    return rows;
}

#endif
