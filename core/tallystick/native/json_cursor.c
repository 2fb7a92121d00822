#include "json_cursor.h"

#define EACH_BYTE(byte) (0x0101010101010101ull * (byte))
#define HIGH_BITS EACH_BYTE(0x80ull)

bool take_word(json_cursor *cursor, const char *word, size_t size) {
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, word, size) != 0) {
        return false;
    }
    cursor->at += size;
    return true;
}

/* Whether any of eight bytes is a quotation mark, a backslash, a control character or not ASCII. May say so of a byte beside one. */
static inline bool has_special(uint64_t word) {
    uint64_t quote = word ^ EACH_BYTE('"'), backslash = word ^ EACH_BYTE('\\');
    uint64_t zero_in_quote = (quote - EACH_BYTE(1)) & ~quote;
    uint64_t zero_in_backslash = (backslash - EACH_BYTE(1)) & ~backslash;
    uint64_t control = (word - EACH_BYTE(0x20)) & ~word;
    return ((zero_in_quote | zero_in_backslash | control | word) & HIGH_BITS) != 0;
}

/* Return how many bytes the UTF-8 character at `at` has, 0 if it is none; `left` bytes may be read. By RFC 3629: no surrogates,
 * nothing past U+10FFFF, no longer spelling than needed. */
static size_t utf8_size(const uint8_t *at, size_t left) {
    uint8_t first = at[0];
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < size) {
        return 0;
    }
    uint8_t lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    uint8_t highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < lowest || at[1] > highest) {
        return 0;
    }
    for (size_t place = 2; place < size; place++) {
        if ((at[place] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return size;
}

/* Move over characters that stand for themselves, and count them, up to a quotation mark or a backslash. */
static bool skip_plain(json_cursor *cursor, uint32_t *characters) {
    const uint8_t *at = cursor->at, *end = cursor->end;
    uint32_t count = 0;
    for (;;) {
        while (end - at >= 8) {
            uint64_t word;
            memcpy(&word, at, sizeof word);
            if (has_special(word)) {
                break;
            }
            at += 8;
            count += 8;
        }
        while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
            at++;
            count++;
        }
        if (at == end || *at < 0x20) {
            return false;
        }
        if (*at < 0x80) {
            break;
        }
        size_t size = utf8_size(at, (size_t)(end - at));
        if (size == 0) {
            return false;
        }
        at += size;
        count++;
    }
    cursor->at = at;
    *characters += count;
    return true;
}

static bool read_hex4(json_cursor *cursor, uint32_t *number) {
    if (cursor->end - cursor->at < 4) {
        return false;
    }
    uint32_t value = 0;
    for (int place = 0; place < 4; place++) {
        uint8_t byte = cursor->at[place], lower = byte | 0x20;
        if (byte >= '0' && byte <= '9') {
            value = value << 4 | (uint32_t)(byte - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            value = value << 4 | (uint32_t)(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    cursor->at += 4;
    *number = value;
    return true;
}

/* Read what follows `\u`: one character, of two escapes if it is past the first plane. */
static bool read_code_point(json_cursor *cursor, uint32_t *code_point) {
    uint32_t high, low;
    if (!read_hex4(cursor, &high)) {
        return false;
    }
    if (high < 0xD800 || high > 0xDFFF) {
        *code_point = high;
        return true;
    }
    if (high > 0xDBFF || !take_word(cursor, "\\u", 2) || !read_hex4(cursor, &low) || low < 0xDC00 || low > 0xDFFF) {
        return false;
    }
    *code_point = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool read_escape(json_cursor *cursor, uint32_t *code_point) {
    if (cursor->at == cursor->end) {
        return false;
    }
    switch (*cursor->at++) {
        case '"': *code_point = '"'; return true;
        case '\\': *code_point = '\\'; return true;
        case '/': *code_point = '/'; return true;
        case 'b': *code_point = '\b'; return true;
        case 'f': *code_point = '\f'; return true;
        case 'n': *code_point = '\n'; return true;
        case 'r': *code_point = '\r'; return true;
        case 't': *code_point = '\t'; return true;
        /* NUL is in no valid text. */
        case 'u': return read_code_point(cursor, code_point) && *code_point != 0;
        default: return false;
    }
}

static bool store_utf8(text_store *store, uint32_t code_point) {
    uint8_t bytes[4];
    size_t size;
    if (code_point < 0x80) {
        bytes[0] = (uint8_t)code_point;
        size = 1;
    } else if (code_point < 0x800) {
        bytes[0] = (uint8_t)(0xC0 | code_point >> 6);
        bytes[1] = (uint8_t)(0x80 | (code_point & 0x3F));
        size = 2;
    } else if (code_point < 0x10000) {
        bytes[0] = (uint8_t)(0xE0 | code_point >> 12);
        bytes[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3F));
        bytes[2] = (uint8_t)(0x80 | (code_point & 0x3F));
        size = 3;
    } else {
        bytes[0] = (uint8_t)(0xF0 | code_point >> 18);
        bytes[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3F));
        bytes[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3F));
        bytes[3] = (uint8_t)(0x80 | (code_point & 0x3F));
        size = 4;
    }
    return store_bytes(store, bytes, size);
}

/* Write a character as the canonical encoder does: escaped only where JSON demands it, by the short escape where there is one. */
static bool store_json(text_store *store, uint32_t code_point) {
    static const char hexadecimal[] = "0123456789abcdef";
    uint8_t escape;
    switch (code_point) {
        case '"': escape = '"'; break;
        case '\\': escape = '\\'; break;
        case '\b': escape = 'b'; break;
        case '\f': escape = 'f'; break;
        case '\n': escape = 'n'; break;
        case '\r': escape = 'r'; break;
        case '\t': escape = 't'; break;
        default:
            if (code_point >= 0x20) {
                return store_utf8(store, code_point);
            }
            return store_bytes(store, (const uint8_t *)"\\u00", 4) &&
                   store_byte(store, (uint8_t)hexadecimal[code_point >> 4]) &&
                   store_byte(store, (uint8_t)hexadecimal[code_point & 15]);
    }
    return store_byte(store, '\\') && store_byte(store, escape);
}

/* Go on at the first escape of a text that began at `start`. */
static bool read_escaped(json_cursor *cursor, text_store *store, text_style style, const uint8_t *start, uint32_t *characters) {
    if (!store_bytes(store, start, (size_t)(cursor->at - start))) {
        return false;
    }
    while (*cursor->at == '\\') {
        uint32_t code_point;
        cursor->at++;
        if (!read_escape(cursor, &code_point)) {
            return false;
        }
        if (!(style == AS_JSON ? store_json(store, code_point) : store_utf8(store, code_point))) {
            return false;
        }
        *characters += 1;
        const uint8_t *plain = cursor->at;
        if (!skip_plain(cursor, characters) || !store_bytes(store, plain, (size_t)(cursor->at - plain))) {
            return false;
        }
    }
    return true;
}

bool read_text(json_cursor *cursor, text_store *store, text_style style, uint32_t characters_max, text_span *text) {
    uint32_t characters = 0;
    const uint8_t *quote = cursor->at;
    if (!take(cursor, '"')) {
        return false;
    }
    /* A quotation mark is part of the text that canonical JSON writes. */
    const uint8_t *start = style == AS_JSON ? quote : cursor->at;
    if (!skip_plain(cursor, &characters)) {
        return false;
    }
    if (*cursor->at == '"') {
        *text = body_span(store, start, cursor->at + (style == AS_JSON));
    } else {
        uint32_t size_before = store->stored_size;
        if (!read_escaped(cursor, store, style, start, &characters) || (style == AS_JSON && !store_byte(store, '"'))) {
            return false;
        }
        *text = stored_since(store, size_before);
    }
    cursor->at++;
    return characters <= characters_max;
}

bool read_plain_ascii(json_cursor *cursor, const uint8_t **start, size_t *size) {
    if (!take(cursor, '"')) {
        return false;
    }
    const uint8_t *at = cursor->at;
    while (at < cursor->end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    if (at == cursor->end || *at != '"') {
        return false;
    }
    *start = cursor->at;
    *size = (size_t)(at - cursor->at);
    cursor->at = at + 1;
    return true;
}
