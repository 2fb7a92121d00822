/* Folding the rows of a segment into states: how many rows, and what their values add up to, for each run, place and group.
 *
 * Rows come in runs (one customer's, one after the other; or all rows as one run). The place of a row is the window of `edges` that its time
 * lies in; rows of a run come in order of time, so that it is looked for only where it changes. The group of a row is the sum of what
 * its codes stand for, a column each. A row that comes to `groups` or more is left out.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define EXPORTED __attribute__((visibility("default")))
#define DOUBT UINT64_MAX

typedef struct {
    const void *times;
    const void *values;
    uint64_t time_bytes;
    /* 0 where events alone are counted. */
    uint64_t value_bytes;
    /* As many edges as places and one more, rising, in the units of the times; every time lies within. */
    const int64_t *edges;
    uint64_t places;
    /* Run `i` is the rows `[starts[i], ends[i])`. */
    const int64_t *starts, *ends;
    uint64_t runs;
    uint64_t groups;
    /* Codes of one byte each, and what each of the 256 stands for; `columns` of both. */
    const uint8_t *const *codes;
    const uint32_t *const *meanings;
    uint64_t columns;
    /* 1 where a row is left out; NULL where none is. */
    const uint8_t *is_left_out;
    /* What is found: room for as many states as `room`. */
    int64_t *found_runs, *found_places, *found_groups, *found_events, *found_sums;
    uint64_t room;
} rows_to_fold;

/* One cell for each place and group; `touched` lists those that have events. */
typedef struct {
    int64_t *events, *sums;
    uint32_t *touched;
    uint64_t touched_count;
} cells;

static inline int64_t number_at(const void *numbers, uint64_t bytes, int64_t row) {
    return bytes == 4 ? ((const int32_t *)numbers)[row] : ((const int64_t *)numbers)[row];
}

/* The place of an instant within the edges; mostly the one after the last. */
static uint64_t place_of(const int64_t *edges, uint64_t places, uint64_t last, int64_t time) {
    if (last + 2 <= places && edges[last + 1] <= time && time < edges[last + 2]) {
        return last + 1;
    }
    uint64_t low = 0, high = places;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (edges[middle] <= time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Put down what the cells of one run hold, in the order in which they were met; and empty them. */
static bool put_down(const rows_to_fold *rows, cells *table, int64_t run, uint64_t *count) {
    if (table->touched_count > rows->room - *count) {
        return false;
    }
    for (uint64_t each = 0; each < table->touched_count; each++) {
        uint32_t cell = table->touched[each];
        rows->found_runs[*count] = run;
        rows->found_places[*count] = (int64_t)(cell / rows->groups);
        rows->found_groups[*count] = (int64_t)(cell % rows->groups);
        rows->found_events[*count] = table->events[cell];
        table->events[cell] = 0;
        if (rows->value_bytes) {
            rows->found_sums[*count] = table->sums[cell];
            table->sums[cell] = 0;
        }
        (*count)++;
    }
    table->touched_count = 0;
    return true;
}

/* Where nothing but the place tells rows of a run apart, and none is left out: stretches of one place, added up in a register. */
static inline bool fold_plain_run(const rows_to_fold *rows, cells *table, int64_t run, uint64_t time_bytes, uint64_t value_bytes) {
    int64_t row = rows->starts[run], end = rows->ends[run];
    uint64_t place = 0;
    while (row < end) {
        int64_t time = number_at(rows->times, time_bytes, row);
        place = place_of(rows->edges, rows->places, place, time);
        int64_t low = rows->edges[place], high = rows->edges[place + 1], first = row, sum = 0;
        if (time < low || time >= high) {
            return false;
        }
        for (; row < end; row++) {
            time = number_at(rows->times, time_bytes, row);
            if (time < low || time >= high) {
                break;
            }
            if (value_bytes == 4) {
                sum += ((const int32_t *)rows->values)[row];
            } else if (value_bytes == 8 && __builtin_add_overflow(sum, ((const int64_t *)rows->values)[row], &sum)) {
                return false;
            }
        }
        uint64_t cell = place;
        if (table->events[cell] == 0) {
            table->touched[table->touched_count++] = (uint32_t)cell;
        }
        table->events[cell] += row - first;
        if (value_bytes && __builtin_add_overflow(table->sums[cell], sum, &table->sums[cell])) {
            return false;
        }
    }
    return true;
}

/* Rows of a run that are not left out, and their groups; a few at a time, so that they stay where the processor has them at hand. */
#define CHOSEN_MAX 1024
typedef struct {
    int64_t rows[CHOSEN_MAX];
    uint32_t groups[CHOSEN_MAX];
    uint64_t count;
} chosen_rows;

/* Choose without a branch: whether a row is left out is nothing that a processor could foresee. */
static inline void choose(const rows_to_fold *rows, int64_t first, int64_t end, uint64_t columns, chosen_rows *chosen) {
    const uint8_t *first_codes = columns > 0 ? rows->codes[0] : NULL, *second_codes = columns > 1 ? rows->codes[1] : NULL;
    const uint32_t *first_meanings = columns > 0 ? rows->meanings[0] : NULL, *second_meanings = columns > 1 ? rows->meanings[1] : NULL;
    const uint8_t *is_left_out = rows->is_left_out;
    uint32_t groups = (uint32_t)rows->groups;
    uint64_t count = 0;
    for (int64_t row = first; row < end; row++) {
        uint32_t group = columns > 0 ? first_meanings[first_codes[row]] : 0;
        group += columns > 1 ? second_meanings[second_codes[row]] : 0;
        for (uint64_t column = 2; column < columns; column++) {
            group += rows->meanings[column][rows->codes[column][row]];
        }
        bool is_chosen = group < groups && (is_left_out == NULL || !is_left_out[row]);
        chosen->rows[count] = row;
        chosen->groups[count] = group;
        count += is_chosen;
    }
    chosen->count = count;
}

static inline bool fold_run(
    const rows_to_fold *rows, cells *table, int64_t run, uint64_t time_bytes, uint64_t value_bytes, uint64_t columns
) {
    uint64_t place = 0, groups = rows->groups;
    int64_t low = 0, high = 0, end = rows->ends[run];
    chosen_rows chosen;
    for (int64_t first = rows->starts[run]; first < end; first += CHOSEN_MAX) {
        choose(rows, first, end - first < CHOSEN_MAX ? end : first + CHOSEN_MAX, columns, &chosen);
        for (uint64_t each = 0; each < chosen.count; each++) {
            int64_t row = chosen.rows[each], time = number_at(rows->times, time_bytes, row);
            if (time < low || time >= high) {
                place = place_of(rows->edges, rows->places, place, time);
                low = rows->edges[place];
                high = rows->edges[place + 1];
                if (time < low || time >= high) {
                    return false;
                }
            }
            uint64_t cell = place * groups + chosen.groups[each];
            if (table->events[cell]++ == 0) {
                table->touched[table->touched_count++] = (uint32_t)cell;
            }
            if (value_bytes == 4) {
                table->sums[cell] += ((const int32_t *)rows->values)[row];
            } else if (value_bytes == 8 &&
                       __builtin_add_overflow(table->sums[cell], ((const int64_t *)rows->values)[row], &table->sums[cell])) {
                return false;
            }
        }
    }
    return true;
}

static inline bool fold_of_columns(const rows_to_fold *rows, cells *table, int64_t run, uint64_t time_bytes, uint64_t value_bytes) {
    switch (rows->columns) {
    case 0:
        if (rows->groups == 1 && rows->is_left_out == NULL) {
            return fold_plain_run(rows, table, run, time_bytes, value_bytes);
        }
        return fold_run(rows, table, run, time_bytes, value_bytes, 0);
    case 1:
        return fold_run(rows, table, run, time_bytes, value_bytes, 1);
    case 2:
        return fold_run(rows, table, run, time_bytes, value_bytes, 2);
    default:
        return fold_run(rows, table, run, time_bytes, value_bytes, rows->columns);
    }
}

/* Widths and the number of columns are arguments of their own, so that the compiler makes a loop for each. */
static bool fold_of_widths(const rows_to_fold *rows, cells *table, int64_t run) {
    switch (rows->time_bytes * 16 + rows->value_bytes) {
    case 4 * 16 + 0:
        return fold_of_columns(rows, table, run, 4, 0);
    case 4 * 16 + 4:
        return fold_of_columns(rows, table, run, 4, 4);
    case 4 * 16 + 8:
        return fold_of_columns(rows, table, run, 4, 8);
    case 8 * 16 + 0:
        return fold_of_columns(rows, table, run, 8, 0);
    case 8 * 16 + 4:
        return fold_of_columns(rows, table, run, 8, 4);
    case 8 * 16 + 8:
        return fold_of_columns(rows, table, run, 8, 8);
    default:
        return false;
    }
}

static uint64_t fold_all_runs(const rows_to_fold *rows, cells *table) {
    uint64_t count = 0;
    for (uint64_t run = 0; run < rows->runs; run++) {
        if (!fold_of_widths(rows, table, (int64_t)run) || !put_down(rows, table, (int64_t)run, &count)) {
            return DOUBT;
        }
    }
    return count;
}

/* Fold; returns how many states were found, or `DOUBT`: a sum leaves 64 bits, a time lies in no place, or there is no memory or room.
 *
 * The caller sees to it that a segment has fewer than 2^31 rows, so that sums of 32-bit values cannot leave 64 bits, and that there are fewer
 * than 2^24 cells.
 */
EXPORTED uint64_t tallystick_fold_rows(const rows_to_fold *rows) {
    uint64_t count = rows->places * rows->groups;
    cells table = {
        .events = calloc(count, sizeof(int64_t)),
        .sums = rows->value_bytes ? calloc(count, sizeof(int64_t)) : NULL,
        .touched = malloc(count * sizeof(uint32_t)),
    };
    bool has_memory = table.events != NULL && table.touched != NULL && (table.sums != NULL || !rows->value_bytes);
    uint64_t found = has_memory ? fold_all_runs(rows, &table) : DOUBT;
    free(table.events);
    free(table.sums);
    free(table.touched);
    return found;
}
