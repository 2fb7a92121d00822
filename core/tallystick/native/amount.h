/* Exact decimal amounts, as `tallystick.amount` describes them: at most 26 digits before the point, rounded half-even to 12 after it. */
#ifndef TALLYSTICK_AMOUNT_H
#define TALLYSTICK_AMOUNT_H

#include "json_cursor.h"

/* Read a JSON number that stands next, and give its canonical text. A number that is spelled canonically stays where it is. */
bool read_amount(json_cursor *cursor, text_store *store, text_span *amount);

#endif
