#include "properties.h"

#include "amount.h"

#define PROPERTIES_MAX 128
#define NAME_CHARACTERS_MAX 256
#define TEXT_CHARACTERS_MAX 8192
/* Nulls do not count as properties; more of them than this are somebody else's matter. */
#define MEMBERS_MAX 192

typedef struct {
    const uint8_t *name;
    uint32_t name_size;
    text_span value;
    bool is_null;
} member;

typedef struct {
    member members[MEMBERS_MAX];
    int count;
    int null_count;
    /* Whether the names came in order, and the values stand in the body as they are to be kept. */
    bool is_sorted;
} object;

/* Compare as UTF-8 bytes, which is the order of code points. */
static int compare_names(const member *left, const member *right) {
    uint32_t shorter = left->name_size < right->name_size ? left->name_size : right->name_size;
    int order = memcmp(left->name, right->name, shorter);
    return order != 0 ? order : (left->name_size > right->name_size) - (left->name_size < right->name_size);
}

/* Put a member where it belongs; false if its name is there already. A search by halves, so that 128 names in the worst order cost
 * a thousand comparisons, not eight thousand. */
static bool insert(object *read, const member *fresh) {
    if (read->count == MEMBERS_MAX) {
        return false;
    }
    int start = 0, end = read->count;
    if (end > 0 && compare_names(&read->members[end - 1], fresh) < 0) {
        start = end;
    }
    while (start < end) {
        int middle = (start + end) / 2, order = compare_names(&read->members[middle], fresh);
        if (order == 0) {
            return false;
        }
        if (order < 0) {
            start = middle + 1;
        } else {
            end = middle;
        }
    }
    if (start < read->count) {
        read->is_sorted = false;
        memmove(&read->members[start + 1], &read->members[start], (size_t)(read->count - start) * sizeof(member));
    }
    read->members[start] = *fresh;
    read->count++;
    return true;
}

static bool read_value(json_cursor *cursor, text_store *store, member *read) {
    const uint8_t *start = cursor->at;
    if (start == cursor->end) {
        return false;
    }
    read->is_null = false;
    switch (*start) {
        case '"': return read_text(cursor, store, AS_JSON, TEXT_CHARACTERS_MAX, &read->value);
        case 't':
        case 'f':
            if (!take_word(cursor, "true", 4) && !take_word(cursor, "false", 5)) {
                return false;
            }
            read->value = body_span(store, start, cursor->at);
            return true;
        case 'n': read->is_null = true; return take_word(cursor, "null", 4);
        default: return read_amount(cursor, store, &read->value);
    }
}

/* Read a name; one with escapes is a doubt, so that names compare as they stand. */
static bool read_name(json_cursor *cursor, text_store *store, member *read) {
    text_span name;
    uint32_t stored_before = store->stored_size;
    if (!read_text(cursor, store, AS_READ, NAME_CHARACTERS_MAX, &name) || name.size == 0 || store->stored_size != stored_before) {
        return false;
    }
    read->name = store->body + name.start;
    read->name_size = name.size;
    return true;
}

static bool read_members(json_cursor *cursor, text_store *store, bool is_line, object *read) {
    do {
        member fresh;
        skip_space(cursor, is_line);
        if (!read_name(cursor, store, &fresh)) {
            return false;
        }
        skip_space(cursor, is_line);
        if (!take(cursor, ':')) {
            return false;
        }
        skip_space(cursor, is_line);
        if (!read_value(cursor, store, &fresh) || !insert(read, &fresh)) {
            return false;
        }
        read->null_count += fresh.is_null;
        skip_space(cursor, is_line);
    } while (take(cursor, ','));
    return take(cursor, '}') && read->count - read->null_count <= PROPERTIES_MAX;
}

static bool store_object(text_store *store, const object *read) {
    uint8_t before = '{';
    for (int place = 0; place < read->count; place++) {
        const member *each = &read->members[place];
        if (each->is_null) {
            continue;
        }
        if (!store_byte(store, before) || !store_byte(store, '"') || !store_bytes(store, each->name, each->name_size) ||
            !store_bytes(store, (const uint8_t *)"\":", 2) ||
            !store_bytes(store, span_bytes(store, each->value), each->value.size)) {
            return false;
        }
        before = ',';
    }
    return (before == ',' || store_byte(store, '{')) && store_byte(store, '}');
}

/* How many bytes the canonical spelling has: names, quotation marks and colons, values, and a comma or brace before each. */
static size_t canonical_size(const object *read) {
    size_t size = 1;
    for (int place = 0; place < read->count; place++) {
        size += (size_t)read->members[place].name_size + read->members[place].value.size + 4;
    }
    return size;
}

bool read_properties(json_cursor *cursor, text_store *store, bool is_line, text_span *properties) {
    object read;
    read.count = read.null_count = 0;
    read.is_sorted = true;
    const uint8_t *start = cursor->at;
    uint32_t stored_before = store->stored_size;
    if (!take(cursor, '{')) {
        return false;
    }
    skip_space(cursor, is_line);
    if (take(cursor, '}')) {
        return store_object(store, &read) ? (*properties = stored_since(store, stored_before), true) : false;
    }
    if (!read_members(cursor, store, is_line, &read)) {
        return false;
    }
    bool is_verbatim = read.is_sorted && read.null_count == 0 && store->stored_size == stored_before &&
                       (size_t)(cursor->at - start) == canonical_size(&read);
    if (is_verbatim) {
        *properties = body_span(store, start, cursor->at);
        return true;
    }
    stored_before = store->stored_size;
    if (!store_object(store, &read)) {
        return false;
    }
    *properties = stored_since(store, stored_before);
    return true;
}
