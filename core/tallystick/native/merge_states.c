/* Two sorted columns of states become one: what is in both is added up. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORTED __attribute__((visibility("default")))

typedef struct {
    const int64_t *groups, *places, *events;
    /* NULL where events alone are counted. */
    const int64_t *units;
    uint64_t count;
    /* What each place is called in what is made; rising. */
    const int64_t *new_places;
    /* What units are multiplied by. */
    int64_t factor;
} states_part;

typedef struct {
    int64_t *groups, *places, *events, *units;
} states_made;

static inline void put(const states_part *part, uint64_t row, const states_made *made, uint64_t at) {
    made->groups[at] = part->groups[row];
    made->places[at] = part->new_places[part->places[row]];
    made->events[at] = part->events[row];
    if (part->units != NULL) {
        made->units[at] = part->units[row] * part->factor;
    }
}

/* Merge; returns how many states were made, of which there is room for all of both parts.
 *
 * Each part is sorted by group and place, each combination once. The caller has seen to it that no sum and no product leaves 64 bits.
 */
EXPORTED uint64_t tallystick_merge_states(const states_part *left, const states_part *right, const states_made *made) {
    uint64_t first = 0, second = 0, count = 0;
    while (first < left->count && second < right->count) {
        int64_t left_place = left->new_places[left->places[first]], right_place = right->new_places[right->places[second]];
        bool is_left_first = left->groups[first] < right->groups[second] ||
                             (left->groups[first] == right->groups[second] && left_place < right_place);
        bool is_right_first = right->groups[second] < left->groups[first] ||
                              (left->groups[first] == right->groups[second] && right_place < left_place);
        if (is_left_first) {
            put(left, first++, made, count++);
        } else if (is_right_first) {
            put(right, second++, made, count++);
        } else {
            put(left, first++, made, count);
            made->events[count] += right->events[second];
            if (right->units != NULL) {
                made->units[count] += right->units[second] * right->factor;
            }
            second++;
            count++;
        }
    }
    while (first < left->count) {
        put(left, first++, made, count++);
    }
    while (second < right->count) {
        put(right, second++, made, count++);
    }
    return count;
}

/* Add a part to a table that has a cell for each group and place, `places` of them for each group. */
EXPORTED void tallystick_add_states(const states_part *part, uint64_t places, int64_t *events, int64_t *units) {
    for (uint64_t row = 0; row < part->count; row++) {
        uint64_t cell = (uint64_t)part->groups[row] * places + (uint64_t)part->new_places[part->places[row]];
        events[cell] += part->events[row];
        if (part->units != NULL) {
            units[cell] += part->units[row] * part->factor;
        }
    }
}

/* Put down the cells that have events, in their order; returns how many. */
EXPORTED uint64_t tallystick_collect_states(
    const int64_t *events, const int64_t *units, uint64_t groups, uint64_t places, const states_made *made
) {
    uint64_t count = 0, cell = 0;
    for (uint64_t group = 0; group < groups; group++) {
        for (uint64_t place = 0; place < places; place++, cell++) {
            if (events[cell] == 0) {
                continue;
            }
            made->groups[count] = (int64_t)group;
            made->places[count] = (int64_t)place;
            made->events[count] = events[cell];
            if (units != NULL) {
                made->units[count] = units[cell];
            }
            count++;
        }
    }
    return count;
}
