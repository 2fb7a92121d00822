#include "event_reader.h"

#include "amount.h"
#include "instant.h"
#include "properties.h"

#define ID_CHARACTERS_MAX 256
#define TYPE_CHARACTERS_MAX 128
#define CUSTOMER_CHARACTERS_MAX 256
#define SOURCE_CHARACTERS_MAX 256

/* The columns of texts, and then the time. */
enum { TIME = TEXT_COLUMNS, FIELDS };

static bool is_name(const uint8_t *text, size_t size, const char *name, size_t name_size) {
    return size == name_size && memcmp(text, name, name_size) == 0;
}

#define IS_NAME(name) is_name(text, size, name, sizeof(name) - 1)

/* Which field a name is; a name with escapes, or of no field, is a doubt. */
static bool read_field_name(json_cursor *cursor, int *field) {
    const uint8_t *text;
    size_t size;
    if (!read_plain_ascii(cursor, &text, &size) || size == 0) {
        return false;
    }
    switch (text[0]) {
        case 'i': *field = IDS; return IS_NAME("id");
        case 't': *field = size > 2 && text[1] == 'y' ? TYPES : TIME; return *field == TYPES ? IS_NAME("type") : IS_NAME("time");
        case 'c': *field = CUSTOMERS; return IS_NAME("customer");
        case 's': *field = SOURCES; return IS_NAME("source");
        case 'v': *field = VALUES; return IS_NAME("value");
        case 'p': *field = PROPERTIES; return IS_NAME("properties");
        default: return false;
    }
}

static bool read_value_field(json_cursor *cursor, text_store *store, text_span *amount) {
    if (cursor->at == cursor->end || *cursor->at != '"') {
        return read_amount(cursor, store, amount);
    }
    const uint8_t *text;
    size_t size;
    if (!read_plain_ascii(cursor, &text, &size)) {
        return false;
    }
    json_cursor within = {.at = text, .end = text + size};
    return read_amount(&within, store, amount) && within.at == within.end;
}

static bool read_time_field(json_cursor *cursor, const absent_fields *absent, read_event *event) {
    event->time_given = true;
    return read_instant(cursor, &event->time) && event->time <= absent->latest;
}

static bool read_field(
    json_cursor *cursor, text_store *store, bool is_line, int field, const absent_fields *absent, read_event *event
) {
    /* A field that is null is one that was not sent; where it must be sent, that is noticed afterwards. */
    if (cursor->at < cursor->end && *cursor->at == 'n') {
        return field != TYPES && field != CUSTOMERS && field != IDS && take_word(cursor, "null", 4);
    }
    switch (field) {
        case IDS: return read_text(cursor, store, AS_READ, ID_CHARACTERS_MAX, &event->texts[IDS]) && event->texts[IDS].size > 0;
        case TYPES: return read_text(cursor, store, AS_READ, TYPE_CHARACTERS_MAX, &event->texts[TYPES]) && event->texts[TYPES].size > 0;
        case CUSTOMERS:
            return read_text(cursor, store, AS_READ, CUSTOMER_CHARACTERS_MAX, &event->texts[CUSTOMERS]) &&
                   event->texts[CUSTOMERS].size > 0;
        case SOURCES: return read_text(cursor, store, AS_READ, SOURCE_CHARACTERS_MAX, &event->texts[SOURCES]);
        case VALUES: return read_value_field(cursor, store, &event->texts[VALUES]);
        case PROPERTIES: return read_properties(cursor, store, is_line, &event->texts[PROPERTIES]);
        default: return read_time_field(cursor, absent, event);
    }
}

bool read_one_event(json_cursor *cursor, text_store *store, bool is_line, const absent_fields *absent, read_event *event) {
    const unsigned required = 1u << IDS | 1u << TYPES | 1u << CUSTOMERS;
    unsigned seen = 0;
    event->texts[SOURCES] = absent->nothing;
    event->texts[VALUES] = absent->one;
    event->texts[PROPERTIES] = absent->no_properties;
    event->time = absent->received_at;
    event->time_given = false;
    if (!take(cursor, '{')) {
        return false;
    }
    do {
        int field;
        skip_space(cursor, is_line);
        if (!read_field_name(cursor, &field) || (seen >> field & 1u)) {
            return false;
        }
        seen |= 1u << field;
        skip_space(cursor, is_line);
        if (!take(cursor, ':')) {
            return false;
        }
        skip_space(cursor, is_line);
        if (!read_field(cursor, store, is_line, field, absent, event)) {
            return false;
        }
        skip_space(cursor, is_line);
    } while (take(cursor, ','));
    return take(cursor, '}') && (seen & required) == required;
}
