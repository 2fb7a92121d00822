/* The properties of an event: a flat JSON object, read into the canonical spelling that the log keeps. */
#ifndef TALLYSTICK_PROPERTIES_H
#define TALLYSTICK_PROPERTIES_H

#include "json_cursor.h"

/* Read an object that stands next, and give it without spaces, names sorted, numbers as canonical amounts, nulls left out. */
bool read_properties(json_cursor *cursor, text_store *store, bool is_line, text_span *properties);

#endif
