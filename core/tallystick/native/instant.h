/* Instants: nanoseconds since 1970, from RFC 3339 texts or whole milliseconds, as `tallystick.instant` reads them. */
#ifndef TALLYSTICK_INSTANT_H
#define TALLYSTICK_INSTANT_H

#include "json_cursor.h"

/* Read a JSON text or number that stands next as an instant from 1970 to 2261. */
bool read_instant(json_cursor *cursor, int64_t *instant);

#endif
