/* Whether rows of two packs are the same event: what admission asks of an event that may have come before. */
#include "packed_events.h"

#define EXPORTED __attribute__((visibility("default")))

/* As in `engine.admission`. Other bytes of properties may still mean the same, which is looked at elsewhere. */
enum { SAME, OTHER_CONTENT, OTHER_IDENTITY, OTHER_PROPERTIES };

static bool is_same_text(const packed_events *left, uint64_t left_row, const packed_events *right, uint64_t right_row, int column) {
    uint32_t size = text_size(left, column, left_row);
    return size == text_size(right, column, right_row) &&
           memcmp(text_at(left, column, left_row), text_at(right, column, right_row), size) == 0;
}

static uint8_t relation(const packed_events *left, uint64_t left_row, const packed_events *right, uint64_t right_row) {
    if (!is_same_text(left, left_row, right, right_row, IDS) || !is_same_text(left, left_row, right, right_row, SOURCES)) {
        return OTHER_IDENTITY;
    }
    /* A time that was not given is no content: the arrival was filled in. */
    if (left->times_given[left_row] != right->times_given[right_row] ||
        (left->times_given[left_row] && left->times[left_row] != right->times[right_row])) {
        return OTHER_CONTENT;
    }
    if (!is_same_text(left, left_row, right, right_row, CUSTOMERS) || !is_same_text(left, left_row, right, right_row, TYPES) ||
        !is_same_text(left, left_row, right, right_row, VALUES)) {
        return OTHER_CONTENT;
    }
    return is_same_text(left, left_row, right, right_row, PROPERTIES) ? SAME : OTHER_PROPERTIES;
}

EXPORTED void tallystick_compare_rows(
    const uint8_t *left_memory, const int64_t *left_rows, const uint8_t *right_memory, const int64_t *right_rows, uint64_t count,
    uint8_t *relations
) {
    packed_events left = parts_of(left_memory), right = parts_of(right_memory);
    for (uint64_t each = 0; each < count; each++) {
        relations[each] = relation(&left, (uint64_t)left_rows[each], &right, (uint64_t)right_rows[each]);
    }
}

/* How many rows from these on are the very same events, one after the other. */
EXPORTED uint64_t tallystick_same_rows(
    const uint8_t *left_memory, uint64_t left_row, const uint8_t *right_memory, uint64_t right_row, uint64_t count
) {
    packed_events left = parts_of(left_memory), right = parts_of(right_memory);
    uint64_t same = 0;
    while (same < count && relation(&left, left_row + same, &right, right_row + same) == SAME) {
        same++;
    }
    return same;
}
