/* Whole columns of texts and amounts of many packs, as Polars takes them. */
#include "arrow_export.h"
#include "event_parts.h"

#define EXPORTED __attribute__((visibility("default")))
#define SCALE 12
/* 26 digits before the point and 12 behind it fit into 128 bits with one digit to spare. */
#define DIGITS_MAX 38

/* Hand over one column of texts of all rows. Returns 0 where there is no memory. */
EXPORTED int32_t tallystick_export_texts(const event_part *parts, uint64_t count, int32_t column, arrow_column *exported) {
    uint64_t rows = 0, bytes = 0;
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(parts[number].pack);
        rows += parts[number].end - parts[number].start;
        bytes += events.offsets[column][parts[number].end] - events.offsets[column][parts[number].start];
    }
    text_buffers buffers;
    if (!export_texts(exported, rows, bytes, false, &buffers)) {
        return 0;
    }
    int64_t filled = 0;
    uint64_t row = 0;
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(parts[number].pack);
        const uint32_t *offsets = events.offsets[column];
        uint32_t first = offsets[parts[number].start];
        for (uint64_t each = parts[number].start; each < parts[number].end; each++) {
            buffers.offsets[row++] = filled + (offsets[each] - first);
        }
        uint32_t size = offsets[parts[number].end] - first;
        memcpy(buffers.bytes + filled, events.texts[column] + first, size);
        filled += size;
    }
    buffers.offsets[row] = filled;
    return 1;
}

/* Read a canonical amount; false if it is none, which a damaged block alone could bring about. */
static bool scaled(const uint8_t *text, uint32_t size, scaled_amount *amount) {
    bool is_negative = size > 0 && text[0] == '-';
    uint32_t place = is_negative, digits = 0;
    int decimals = -1;
    scaled_amount value = 0;
    for (; place < size; place++) {
        if (text[place] == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (text[place] < '0' || text[place] > '9' || ++digits > DIGITS_MAX || decimals == SCALE) {
            return false;
        }
        value = value * 10 + (text[place] - '0');
        decimals += decimals >= 0;
    }
    for (int missing = decimals < 0 ? SCALE : SCALE - decimals; missing > 0; missing--) {
        if (++digits > DIGITS_MAX) {
            return false;
        }
        value *= 10;
    }
    *amount = is_negative ? -value : value;
    return digits > SCALE;
}

/* Hand over the values of all rows as decimals. Returns 0 where there is no memory, or if one of them is no amount. */
EXPORTED int32_t tallystick_export_values(const event_part *parts, uint64_t count, arrow_column *exported) {
    scaled_amount *amounts = export_decimals(exported, rows_of(parts, count));
    if (amounts == NULL) {
        return 0;
    }
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(parts[number].pack);
        for (uint64_t row = parts[number].start; row < parts[number].end; row++) {
            if (!scaled(text_at(&events, VALUES, row), text_size(&events, VALUES, row), amounts++)) {
                exported->array.release(&exported->array);
                return 0;
            }
        }
    }
    return 1;
}
