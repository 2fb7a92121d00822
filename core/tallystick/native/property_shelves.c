/* The properties of many events, taken out of their canonical JSON objects: for each name, the text that each object has for it.
 *
 * Objects are parsed once; columns are then made of what was found. Objects are trusted to be canonical (the decoder wrote them, and the
 * log's hashes cover them), but never to the point of reading outside of them: one that is not is a doubt.
 */
#include <stdlib.h>
#include <string.h>

#include "arrow_export.h"
#include "event_parts.h"
#include "text_dictionary.h"

#define EXPORTED __attribute__((visibility("default")))
/* Names without end are a sender's mistake, or worse; they are for the slower way. */
#define NAMES_MAX 4096
#define CELLS_MIN 1024
#define SIZE_MAX_OF_TEXT 0x7fffffffu

/* One property of one object. Only texts with a backslash differ from what stands in the object. */
typedef struct {
    const uint8_t *text;
    uint32_t size : 31;
    uint32_t is_escaped : 1;
    uint32_t name;
} cell;

typedef struct {
    text_dictionary names;
    uint64_t object_count;
    /* Object `i` has the cells `[starts[i], starts[i + 1])`. */
    uint64_t *starts;
    cell *cells;
    uint64_t cell_count, room;
} shelves;

EXPORTED void tallystick_close_shelves(shelves *opened) {
    close_dictionary(&opened->names);
    free(opened->starts);
    free(opened->cells);
    free(opened);
}

/* Move from an opening quotation mark to behind the closing one; canonical texts have no end but that. */
static bool read_quoted(const uint8_t **at, const uint8_t *end, cell *read) {
    const uint8_t *start = *at + 1, *place = start;
    read->is_escaped = 0;
    while (place < end && *place != '"') {
        if (*place == '\\') {
            read->is_escaped = 1;
            place++;
        }
        place++;
    }
    if (place >= end || place - start > SIZE_MAX_OF_TEXT) {
        return false;
    }
    read->text = start;
    read->size = (uint32_t)(place - start) & SIZE_MAX_OF_TEXT;
    *at = place + 1;
    return true;
}

static bool read_cell_value(const uint8_t **at, const uint8_t *end, cell *read) {
    if (*at == end) {
        return false;
    }
    if (**at == '"') {
        return read_quoted(at, end, read);
    }
    const uint8_t *start = *at;
    while (*at < end && **at != ',' && **at != '}') {
        (*at)++;
    }
    read->text = start;
    read->size = (uint32_t)(*at - start) & SIZE_MAX_OF_TEXT;
    read->is_escaped = 0;
    return *at < end && *at > start;
}

static cell *next_cell(shelves *opened) {
    if (opened->cell_count == opened->room) {
        uint64_t room = opened->room * 2;
        cell *cells = realloc(opened->cells, room * sizeof *cells);
        if (cells == NULL) {
            return NULL;
        }
        opened->cells = cells;
        opened->room = room;
    }
    return &opened->cells[opened->cell_count++];
}

/* Read one object's properties. A name with an escape is a doubt. */
static bool read_object(shelves *opened, const uint8_t *at, uint32_t size) {
    const uint8_t *end = at + size;
    if (size < 2 || *at++ != '{') {
        return false;
    }
    if (*at == '}') {
        return at + 1 == end;
    }
    do {
        cell name, *read = next_cell(opened);
        if (read == NULL || at == end || *at != '"' || !read_quoted(&at, end, &name) || name.is_escaped) {
            return false;
        }
        if (at == end || *at++ != ':' || !read_cell_value(&at, end, read) || at == end) {
            return false;
        }
        read->name = number_of(&opened->names, name.text, name.size);
        if (read->name >= NAMES_MAX) {
            return false;
        }
    } while (*at++ == ',');
    return at[-1] == '}' && at == end;
}

static bool read_objects(shelves *opened, const event_part *parts, uint64_t count, const int64_t *rows) {
    uint64_t object = 0, before = 0;
    for (uint64_t number = 0; number < count && object < opened->object_count; number++) {
        packed_events events = parts_of(parts[number].pack);
        uint64_t here = parts[number].end - parts[number].start;
        for (; object < opened->object_count && (uint64_t)rows[object] - before < here; object++) {
            uint64_t row = parts[number].start + ((uint64_t)rows[object] - before);
            opened->starts[object] = opened->cell_count;
            if (!read_object(opened, text_at(&events, PROPERTIES, row), text_size(&events, PROPERTIES, row))) {
                return false;
            }
        }
        before += here;
    }
    opened->starts[opened->object_count] = opened->cell_count;
    return object == opened->object_count;
}

/* Take apart the objects of these rows, ascending and counted over all parts. NULL at any doubt, or where there is no memory.
 * The packs must stay where they are until it is closed. */
EXPORTED shelves *tallystick_open_shelves(
    const event_part *parts, uint64_t count, const int64_t *rows, uint64_t object_count, uint64_t seed
) {
    shelves *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        return NULL;
    }
    opened->object_count = object_count;
    opened->room = CELLS_MIN;
    opened->starts = malloc((object_count + 1) * sizeof *opened->starts);
    opened->cells = malloc(opened->room * sizeof *opened->cells);
    bool is_open = open_dictionary(&opened->names, seed);
    if (!is_open || opened->starts == NULL || opened->cells == NULL || !read_objects(opened, parts, count, rows)) {
        tallystick_close_shelves(opened);
        return NULL;
    }
    return opened;
}

/* How many names there are, and how many bytes they have together. */
EXPORTED uint64_t tallystick_shelf_names(const shelves *opened, uint64_t *bytes) {
    *bytes = 0;
    for (uint32_t number = 0; number < opened->names.count; number++) {
        *bytes += opened->names.texts[number].size;
    }
    return opened->names.count;
}

/* Write the names one behind the other, the size of each, and how many events have each when object `i` stands for `weights[i]`. */
EXPORTED void tallystick_describe_shelves(
    const shelves *opened, const int64_t *weights, uint8_t *names, uint32_t *sizes, int64_t *counts
) {
    for (uint32_t number = 0; number < opened->names.count; number++) {
        memcpy(names, opened->names.texts[number].text, opened->names.texts[number].size);
        names += opened->names.texts[number].size;
        sizes[number] = opened->names.texts[number].size;
        counts[number] = 0;
    }
    for (uint64_t object = 0; object < opened->object_count; object++) {
        for (uint64_t place = opened->starts[object]; place < opened->starts[object + 1]; place++) {
            counts[opened->cells[place].name] += weights[object];
        }
    }
}

/* Write 1 for each object that has a name which is not wanted, else 0. */
EXPORTED void tallystick_unshelved(const shelves *opened, const uint8_t *is_wanted, uint8_t *has_others) {
    for (uint64_t object = 0; object < opened->object_count; object++) {
        has_others[object] = 0;
        for (uint64_t place = opened->starts[object]; place < opened->starts[object + 1]; place++) {
            has_others[object] |= !is_wanted[opened->cells[place].name];
        }
    }
}

static uint32_t hexadecimal(uint8_t digit) {
    return digit <= '9' ? (uint32_t)(digit - '0') : (uint32_t)(digit - 'a' + 10);
}

/* Write a text with the escapes of canonical JSON as it reads; returns how many bytes that are, never more than the escaped ones. */
static uint32_t unescaped(const cell *read, uint8_t *target) {
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    uint8_t *filled = target;
    for (uint32_t place = 0; place < read->size; place++) {
        uint8_t byte = read->text[place];
        if (byte != '\\' || place + 1 == read->size) {
            *filled++ = byte;
            continue;
        }
        byte = read->text[++place];
        const char *letter = memchr(letters, byte, sizeof letters - 1);
        if (letter != NULL) {
            *filled++ = (uint8_t)meanings[letter - letters];
        } else if (byte == 'u' && place + 4 < read->size) {
            /* Only control characters are written so. */
            *filled++ = (uint8_t)(hexadecimal(read->text[place + 3]) << 4 | hexadecimal(read->text[place + 4]));
            place += 4;
        } else {
            *filled++ = byte;
        }
    }
    return (uint32_t)(filled - target);
}

/* The cells of each wanted name, for as many columns as there are: counted, then placed, so that no column looks through all cells. */
typedef struct {
    uint64_t *starts;
    uint64_t *places;
    uint32_t *objects;
} placed_cells;

static void free_placed(placed_cells *placed) {
    free(placed->starts);
    free(placed->places);
    free(placed->objects);
}

static bool place_cells(const shelves *opened, placed_cells *placed) {
    uint32_t names = opened->names.count;
    placed->starts = calloc((size_t)names + 2, sizeof *placed->starts);
    placed->places = malloc((opened->cell_count + 1) * sizeof *placed->places);
    placed->objects = malloc((opened->cell_count + 1) * sizeof *placed->objects);
    if (placed->starts == NULL || placed->places == NULL || placed->objects == NULL || opened->object_count > UINT32_MAX) {
        return false;
    }
    for (uint64_t place = 0; place < opened->cell_count; place++) {
        placed->starts[opened->cells[place].name + 2]++;
    }
    for (uint32_t name = 0; name < names; name++) {
        placed->starts[name + 2] += placed->starts[name + 1];
    }
    for (uint64_t object = 0; object < opened->object_count; object++) {
        for (uint64_t place = opened->starts[object]; place < opened->starts[object + 1]; place++) {
            uint64_t target = placed->starts[opened->cells[place].name + 1]++;
            placed->places[target] = place;
            placed->objects[target] = (uint32_t)object;
        }
    }
    return true;
}

/* Hand over the texts of one name, one row an object, null where an object has none. */
static bool export_name(const shelves *opened, const placed_cells *placed, uint32_t name, arrow_column *exported) {
    uint64_t start = placed->starts[name], end = placed->starts[name + 1], bytes = 0;
    for (uint64_t each = start; each < end; each++) {
        bytes += opened->cells[placed->places[each]].size;
    }
    text_buffers buffers;
    if (!export_texts(exported, opened->object_count, bytes, true, &buffers)) {
        return false;
    }
    int64_t filled = 0;
    uint64_t each = start;
    for (uint64_t object = 0; object < opened->object_count; object++) {
        buffers.offsets[object] = filled;
        if (each == end || placed->objects[each] != object) {
            continue;
        }
        const cell *read = &opened->cells[placed->places[each++]];
        buffers.validity[object / 8] |= (uint8_t)(1u << object % 8);
        if (read->is_escaped) {
            filled += unescaped(read, buffers.bytes + filled);
        } else {
            memcpy(buffers.bytes + filled, read->text, read->size);
            filled += read->size;
        }
    }
    buffers.offsets[opened->object_count] = filled;
    return true;
}

/* Hand over a column for each of these names. Returns how many were handed over: fewer than asked for where there is no memory. */
EXPORTED uint64_t tallystick_export_shelves(const shelves *opened, const uint32_t *names, uint64_t count, arrow_column *exported) {
    placed_cells placed;
    uint64_t done = 0;
    if (place_cells(opened, &placed)) {
        while (done < count && export_name(opened, &placed, names[done], &exported[done])) {
            done++;
        }
    }
    free_placed(&placed);
    return done;
}
