/* A whole body: an array of events, one event, or an event a line. Read once into spans, then laid out as a pack of exactly its size.
 *
 * Promises: a body is answered only if every event in it is plainly right; anything else is a doubt, and the slower rules decide.
 * Memory: one scratch for all, of a size that depends on the body's alone (`tallystick_scratch_size`); nothing is allocated.
 */
#include "event_reader.h"

#define EXPORTED __attribute__((visibility("default")))

enum { FORM_JSON, FORM_LINES };

/* The shortest event with an id is {"id":"a","type":"b","customer":"c"}, and a comma or a line feed stands between two. */
#define EVENT_BYTES_MIN 36
/* Texts whose canonical spelling is longer than what was sent are numbers with exponents. Bodies of many are left to the slower rules. */
#define STORE_BYTES_SPARE 256

typedef struct {
    uint64_t rows, rows_max;
    int64_t received_at;
    text_store store;
    read_event *events;
} scratch_space;

static uint64_t most_rows(uint64_t body_size, uint64_t rows_max) {
    uint64_t rows = body_size / EVENT_BYTES_MIN + 1;
    return rows < rows_max ? rows : rows_max;
}

/* How much scratch a body of this size may need; 0 for a body that is too large for this library. */
EXPORTED uint64_t tallystick_scratch_size(uint64_t body_size, uint64_t rows_max) {
    if (body_size > UINT32_MAX / 4) {
        return 0;
    }
    return sizeof(scratch_space) + most_rows(body_size, rows_max) * sizeof(read_event) + 2 * body_size + STORE_BYTES_SPARE;
}

static scratch_space *open_scratch(uint8_t *memory, const uint8_t *body, uint64_t body_size, uint64_t rows_max) {
    scratch_space *scratch = (scratch_space *)(void *)memory;
    scratch->rows = 0;
    scratch->rows_max = most_rows(body_size, rows_max);
    scratch->events = (read_event *)(void *)(memory + sizeof(scratch_space));
    scratch->store = (text_store){
        .body = body,
        .body_size = (uint32_t)body_size,
        .stored = (uint8_t *)(scratch->events + scratch->rows_max),
        .stored_size = 0,
        .stored_max = (uint32_t)(2 * body_size + STORE_BYTES_SPARE),
    };
    return scratch;
}

static bool read_next(json_cursor *cursor, scratch_space *scratch, bool is_line, const absent_fields *absent) {
    if (scratch->rows == scratch->rows_max) {
        return false;
    }
    return read_one_event(cursor, &scratch->store, is_line, absent, &scratch->events[scratch->rows++]);
}

static bool read_array(json_cursor *cursor, scratch_space *scratch, const absent_fields *absent) {
    do {
        skip_space(cursor, false);
        if (!read_next(cursor, scratch, false, absent)) {
            return false;
        }
        skip_space(cursor, false);
    } while (take(cursor, ','));
    return take(cursor, ']');
}

static bool read_lines(json_cursor *cursor, scratch_space *scratch, const absent_fields *absent) {
    for (;;) {
        skip_space(cursor, false);
        if (cursor->at == cursor->end) {
            return true;
        }
        if (!read_next(cursor, scratch, true, absent)) {
            return false;
        }
        skip_space(cursor, true);
        if (cursor->at < cursor->end && !take(cursor, '\n')) {
            return false;
        }
    }
}

static bool read_body(json_cursor *cursor, scratch_space *scratch, int32_t form, const absent_fields *absent) {
    if (form == FORM_LINES) {
        return read_lines(cursor, scratch, absent);
    }
    skip_space(cursor, false);
    if (!(take(cursor, '[') ? read_array(cursor, scratch, absent) : read_next(cursor, scratch, false, absent))) {
        return false;
    }
    skip_space(cursor, false);
    return cursor->at == cursor->end;
}

static void add_sizes(const scratch_space *scratch, uint64_t sizes[TEXT_COLUMNS]) {
    for (uint64_t row = 0; row < scratch->rows; row++) {
        for (int column = 0; column < TEXT_COLUMNS; column++) {
            sizes[column] += scratch->events[row].texts[column].size;
        }
    }
}

/* Read a body into the scratch. Returns the size of its pack, or 0 if there is any doubt or no event. */
EXPORTED uint64_t tallystick_read_body(
    const uint8_t *body, uint64_t body_size, int32_t form, uint64_t rows_max, int64_t received_at, int64_t latest, uint8_t *memory
) {
    scratch_space *scratch = open_scratch(memory, body, body_size, rows_max);
    text_store *store = &scratch->store;
    absent_fields absent = {.received_at = received_at, .latest = latest};
    if (!store_bytes(store, (const uint8_t *)"1{}", 3)) {
        return 0;
    }
    absent.nothing = (text_span){.start = store->body_size, .size = 0};
    absent.one = (text_span){.start = store->body_size, .size = 1};
    absent.no_properties = (text_span){.start = store->body_size + 1, .size = 2};
    scratch->received_at = received_at;
    json_cursor cursor = {.at = body, .end = body + body_size};
    if (!read_body(&cursor, scratch, form, &absent) || scratch->rows == 0) {
        return 0;
    }
    uint64_t sizes[TEXT_COLUMNS] = {0};
    add_sizes(scratch, sizes);
    return pack_size(scratch->rows, sizes);
}

/* Lay out what was read as a pack, in memory of the size that was answered. The body must still be where it was. */
EXPORTED void tallystick_lay_out(const uint8_t *memory, uint8_t *pack_memory) {
    const scratch_space *scratch = (const scratch_space *)(const void *)memory;
    uint64_t rows = scratch->rows, sizes[TEXT_COLUMNS] = {0};
    add_sizes(scratch, sizes);
    open_pack pack = begin_pack(pack_memory, rows, sizes);
    for (uint64_t row = 0; row < rows; row++) {
        pack.times[row] = scratch->events[row].time;
        pack.received_at[row] = scratch->received_at;
        pack.times_given[row] = scratch->events[row].time_given;
    }
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        uint32_t filled = 0;
        for (uint64_t row = 0; row < rows; row++) {
            text_span span = scratch->events[row].texts[column];
            memcpy(pack.texts[column] + filled, span_bytes(&scratch->store, span), span.size);
            pack.offsets[column][row] = filled;
            filled += span.size;
        }
        pack.offsets[column][rows] = filled;
    }
}
