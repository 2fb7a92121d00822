/* A place in a JSON text, and what can be read from there: spaces, texts, single characters.
 *
 * Promises: nothing at or past `end` is ever read; what is accepted is JSON by RFC 8259 and valid UTF-8.
 * Does not: say what is wrong. Every reader answers false at the slightest doubt, and then the slower rules decide.
 */
#ifndef TALLYSTICK_JSON_CURSOR_H
#define TALLYSTICK_JSON_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text_store.h"

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} json_cursor;

/* How a text is to be written down: as it reads, or as canonical JSON writes it (between quotation marks, with few escapes). */
typedef enum { AS_READ, AS_JSON } text_style;

/* Skip what JSON calls white space; without line feeds if a line is one event. */
static inline void skip_space(json_cursor *cursor, bool is_line) {
    while (cursor->at < cursor->end) {
        uint8_t byte = *cursor->at;
        if (byte != ' ' && byte != '\t' && byte != '\r' && (byte != '\n' || is_line)) {
            return;
        }
        cursor->at++;
    }
}

/* Take one character if it stands next. */
static inline bool take(json_cursor *cursor, uint8_t wanted) {
    if (cursor->at < cursor->end && *cursor->at == wanted) {
        cursor->at++;
        return true;
    }
    return false;
}

/* Take a word such as `null` if it stands next. */
bool take_word(json_cursor *cursor, const char *word, size_t size);

/* Read a text of at most `characters_max` characters, without NUL, from its opening quotation mark to behind the closing one.
 * A text without escapes stays where it is; others are written into the store. */
bool read_text(json_cursor *cursor, text_store *store, text_style style, uint32_t characters_max, text_span *text);

/* Read a text that must have no escapes and be ASCII: names of fields, times, amounts. */
bool read_plain_ascii(json_cursor *cursor, const uint8_t **start, size_t *size);

#endif
