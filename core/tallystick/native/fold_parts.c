/* Folding rows of packs into a table of customers and places: what a question adds to its states for events that are in no segment yet. */
#include <stdlib.h>

#include "event_parts.h"

#define EXPORTED __attribute__((visibility("default")))
#define DOUBT (-1)
/* A number of so many digits fits into 64 bits. */
#define DIGITS_MAX 18
#define DECIMALS_MAX 12

/* A canonical amount: `units` of 10^-`decimals`. */
typedef struct {
    int64_t units;
    uint32_t decimals;
} short_amount;

static bool read_short(const uint8_t *text, uint32_t size, short_amount *amount) {
    bool is_negative = size > 0 && text[0] == '-', has_point = false;
    uint32_t digits = 0;
    amount->units = 0;
    amount->decimals = 0;
    for (uint32_t place = is_negative; place < size; place++) {
        if (text[place] == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (text[place] < '0' || text[place] > '9' || ++digits > DIGITS_MAX) {
            return false;
        }
        amount->units = amount->units * 10 + (text[place] - '0');
        amount->decimals += has_point;
    }
    amount->units = is_negative ? -amount->units : amount->units;
    return digits > 0 && amount->decimals <= DECIMALS_MAX;
}

static uint32_t scale_of(uint32_t decimals) {
    static const uint32_t scales[] = {0, 2, 3, 6, 9, DECIMALS_MAX};
    uint32_t place = 0;
    while (scales[place] < decimals) {
        place++;
    }
    return scales[place];
}

static bool add(int64_t *sum, const short_amount *amount, uint32_t scale) {
    static const int64_t powers[] = {1,          10,          100,          1000,          10000,          100000,       1000000,
                                     10000000LL, 100000000LL, 1000000000LL, 10000000000LL, 100000000000LL, 1000000000000LL};
    int64_t scaled;
    return !__builtin_mul_overflow(amount->units, powers[scale - amount->decimals], &scaled) &&
           !__builtin_add_overflow(*sum, scaled, sum);
}

/* The rows of the type, their amounts, and the most decimals that any of them has; false at a value of many digits. */
static bool read_amounts(
    const event_part *parts, uint64_t count, const uint8_t *type, uint64_t type_size, uint8_t *is_of_type, short_amount *amounts,
    uint32_t *decimals
) {
    uint64_t row = 0;
    *decimals = 0;
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(parts[number].pack);
        for (uint64_t each = parts[number].start; each < parts[number].end; each++, row++) {
            is_of_type[row] = text_size(&events, TYPES, each) == type_size && memcmp(text_at(&events, TYPES, each), type, type_size) == 0;
            if (!is_of_type[row] || amounts == NULL) {
                continue;
            }
            if (!read_short(text_at(&events, VALUES, each), text_size(&events, VALUES, each), &amounts[row])) {
                return false;
            }
            *decimals = amounts[row].decimals > *decimals ? amounts[row].decimals : *decimals;
        }
    }
    return true;
}

static uint64_t place_of(const int64_t *edges, uint64_t places, int64_t time) {
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

static bool add_up(
    const event_part *parts, uint64_t count, const int64_t *codes, const int64_t *edges, uint64_t places, const uint8_t *is_of_type,
    const short_amount *amounts, uint32_t scale, int64_t *counts, int64_t *sums
) {
    uint64_t row = 0;
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(parts[number].pack);
        for (uint64_t each = parts[number].start; each < parts[number].end; each++, row++) {
            int64_t time = events.times[each];
            if (!is_of_type[row] || time < edges[0] || time >= edges[places]) {
                continue;
            }
            uint64_t cell = (codes == NULL ? 0 : (uint64_t)codes[row]) * places + place_of(edges, places, time);
            counts[cell]++;
            if (amounts != NULL && !add(&sums[cell], &amounts[row], scale)) {
                return false;
            }
        }
    }
    return true;
}

/* Add the rows of a type whose times lie within the edges to the cells of their codes (0 where there are none) and places.
 *
 * `counts` and `sums` (NULL where values are not read) have `places` cells for each code, and come empty. Returns the scale of the sums, or
 * `DOUBT` at a value of many digits, a sum that leaves 64 bits, or where there is no memory; the cells mean nothing then.
 */
EXPORTED int32_t tallystick_fold_parts(
    const event_part *parts, uint64_t count, const uint8_t *type, uint64_t type_size, const int64_t *codes, const int64_t *edges,
    uint64_t places, int64_t *counts, int64_t *sums
) {
    uint64_t rows = rows_of(parts, count);
    uint8_t *is_of_type = malloc(rows + 1);
    short_amount *amounts = sums == NULL ? NULL : malloc((rows + 1) * sizeof *amounts);
    int32_t found = DOUBT;
    uint32_t decimals;
    if (is_of_type != NULL && (sums == NULL || amounts != NULL) &&
        read_amounts(parts, count, type, type_size, is_of_type, amounts, &decimals)) {
        uint32_t scale = scale_of(decimals);
        bool is_done = add_up(parts, count, codes, edges, places, is_of_type, amounts, scale, counts, sums);
        found = is_done ? (int32_t)scale : DOUBT;
    }
    free(is_of_type);
    free(amounts);
    return found;
}
