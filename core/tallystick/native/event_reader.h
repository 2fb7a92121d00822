/* One event: a JSON object with our seven fields, each checked by the rules of `tallystick.decode.event_rules`. */
#ifndef TALLYSTICK_EVENT_READER_H
#define TALLYSTICK_EVENT_READER_H

#include "json_cursor.h"
#include "packed_events.h"

typedef struct {
    text_span texts[TEXT_COLUMNS];
    int64_t time;
    bool time_given;
} read_event;

/* What stands in for fields that were not sent. */
typedef struct {
    text_span nothing, one, no_properties;
    int64_t received_at;
    /* The last instant that is not too far ahead. */
    int64_t latest;
} absent_fields;

/* Read an event that stands next, from its opening to behind its closing brace. An event without an id is a doubt: ids are made elsewhere. */
bool read_one_event(json_cursor *cursor, text_store *store, bool is_line, const absent_fields *absent, read_event *event);

#endif
