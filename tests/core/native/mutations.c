/* Feeds the compiled library with mutated bodies, each in memory of exactly its size, so that the sanitizers see every byte too far.
 *
 * Usage: mutations ROUNDS SEED FILE…, each file one body. Prints how many bodies were read and how many were a doubt.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow_export.h"
#include "event_parts.h"

uint64_t tallystick_scratch_size(uint64_t body_size, uint64_t rows_max);
uint64_t tallystick_read_body(
    const uint8_t *body, uint64_t body_size, int32_t form, uint64_t rows_max, int64_t received_at, int64_t latest, uint8_t *memory
);
void tallystick_lay_out(const uint8_t *memory, uint8_t *pack);
uint64_t tallystick_joined_size(const uint8_t *packs, uint64_t count);
void tallystick_join(const uint8_t *packs, uint64_t count, uint8_t *memory);
uint64_t tallystick_taken_size(const uint8_t *memory, const int64_t *rows, uint64_t count);
void tallystick_take(const uint8_t *memory, const int64_t *rows, uint64_t count, uint8_t *taken);
int32_t tallystick_identity_hashes(const uint8_t *memory, uint64_t seed, uint64_t *hashes);
void tallystick_compare_rows(
    const uint8_t *left, const int64_t *left_rows, const uint8_t *right, const int64_t *right_rows, uint64_t count, uint8_t *relations
);

uint64_t tallystick_same_rows(const uint8_t *left, uint64_t left_row, const uint8_t *right, uint64_t right_row, uint64_t count);
int32_t tallystick_export_texts(const event_part *parts, uint64_t count, int32_t column, arrow_column *exported);
int32_t tallystick_export_values(const event_part *parts, uint64_t count, arrow_column *exported);
int64_t tallystick_distinct_texts(
    const event_part *parts, uint64_t count, int32_t column, uint64_t seed, int64_t *codes, int64_t *first_rows, arrow_column *exported
);
void *tallystick_open_shelves(const event_part *parts, uint64_t count, const int64_t *rows, uint64_t object_count, uint64_t seed);
uint64_t tallystick_shelf_names(const void *opened, uint64_t *bytes);
void tallystick_describe_shelves(const void *opened, const int64_t *weights, uint8_t *names, uint32_t *sizes, int64_t *counts);
void tallystick_unshelved(const void *opened, const uint8_t *is_wanted, uint8_t *has_others);
uint64_t tallystick_export_shelves(const void *opened, const uint32_t *names, uint64_t count, arrow_column *exported);
void tallystick_close_shelves(void *opened);

typedef struct {
    uint8_t *bytes;
    size_t size;
} body_text;

static uint64_t state;

/* xorshift64*: the same bodies for the same seed. */
static uint64_t draw(uint64_t end) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * 2685821657736338717ull >> 16) % end;
}

static void *taken_memory(size_t size) {
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

static body_text body_of_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        abort();
    }
    body_text body = {.size = (size_t)ftell(file)};
    rewind(file);
    body.bytes = taken_memory(body.size);
    if (fread(body.bytes, 1, body.size, file) != body.size) {
        abort();
    }
    fclose(file);
    return body;
}

/* Replace, remove, put in or double some bytes. */
static body_text mutated(body_text body) {
    static const char telling[] = "\"\\,:{}[]\n0e-.\xc3\xf0\xff\0u";
    size_t place = (size_t)draw(body.size), count = 1 + (size_t)draw(12);
    count = count < body.size - place ? count : body.size - place;
    body_text changed;
    switch (draw(5)) {
        case 0: /* one byte for another */
            changed = (body_text){.bytes = taken_memory(body.size), .size = body.size};
            memcpy(changed.bytes, body.bytes, body.size);
            changed.bytes[place] = draw(2) ? (uint8_t)telling[draw(sizeof telling - 1)] : (uint8_t)draw(256);
            return changed;
        case 1: /* some bytes less */
            changed = (body_text){.bytes = taken_memory(body.size - count), .size = body.size - count};
            memcpy(changed.bytes, body.bytes, place);
            memcpy(changed.bytes + place, body.bytes + place + count, body.size - place - count);
            return changed;
        case 2: /* a beginning */
            changed = (body_text){.bytes = taken_memory(place), .size = place};
            memcpy(changed.bytes, body.bytes, place);
            return changed;
        case 3: { /* some bytes again, somewhere else */
            size_t target = (size_t)draw(body.size + 1);
            changed = (body_text){.bytes = taken_memory(body.size + count), .size = body.size + count};
            memcpy(changed.bytes, body.bytes, target);
            memcpy(changed.bytes + target, body.bytes + place, count);
            memcpy(changed.bytes + target + count, body.bytes + target, body.size - target);
            return changed;
        }
        default: /* nothing: what is right must stay so */
            changed = (body_text){.bytes = taken_memory(body.size), .size = body.size};
            memcpy(changed.bytes, body.bytes, body.size);
            return changed;
    }
}

static void freed(arrow_column *column) {
    column->array.release(&column->array);
    column->schema.release(&column->schema);
}

/* Take properties apart as a checkpoint does. */
static void take_apart(const event_part *parts, uint64_t count, uint64_t rows) {
    arrow_column column;
    int64_t *codes = taken_memory(rows * sizeof *codes), *first_rows = taken_memory(rows * sizeof *first_rows);
    int64_t found = tallystick_distinct_texts(parts, count, PROPERTIES, 7, codes, first_rows, &column);
    if (found < 1) {
        abort();
    }
    freed(&column);
    void *opened = tallystick_open_shelves(parts, count, first_rows, (uint64_t)found, 7);
    if (opened != NULL) {
        uint64_t bytes, names = tallystick_shelf_names(opened, &bytes);
        uint8_t *text = taken_memory(bytes), *wanted = taken_memory(names), *others = taken_memory((size_t)found);
        uint32_t *sizes = taken_memory(names * sizeof *sizes), *numbers = taken_memory(names * sizeof *numbers);
        int64_t *counts = taken_memory(names * sizeof *counts);
        arrow_column *columns = taken_memory(names * sizeof *columns);
        tallystick_describe_shelves(opened, first_rows, text, sizes, counts);
        for (uint32_t name = 0; name < names; name++) {
            numbers[name] = name;
            wanted[name] = name % 2 == 0;
        }
        tallystick_unshelved(opened, wanted, others);
        if (tallystick_export_shelves(opened, numbers, names, columns) != names) {
            abort();
        }
        for (uint32_t name = 0; name < names; name++) {
            freed(&columns[name]);
        }
        free(columns);
        free(counts);
        free(numbers);
        free(sizes);
        free(others);
        free(wanted);
        free(text);
        tallystick_close_shelves(opened);
    }
    free(first_rows);
    free(codes);
}

static void export(const uint8_t *pack, uint64_t rows) {
    event_part parts[] = {{pack, 0, rows / 2}, {pack, rows / 2, rows}, {pack, rows, rows}, {pack, 0, rows}};
    arrow_column column;
    for (int text_column = 0; text_column < TEXT_COLUMNS; text_column++) {
        if (!tallystick_export_texts(parts, 4, text_column, &column)) {
            abort();
        }
        freed(&column);
    }
    if (!tallystick_export_values(parts, 4, &column)) {
        abort();
    }
    freed(&column);
    take_apart(parts, 4, 2 * rows);
}

/* Do with a pack what the engine does with it. */
static void use(const uint8_t *pack, uint64_t size) {
    uint64_t rows;
    memcpy(&rows, pack + 8, sizeof rows);
    uint64_t *hashes = taken_memory(rows * sizeof *hashes);
    tallystick_identity_hashes(pack, 7, hashes);
    free(hashes);
    uint8_t *twice = taken_memory(2 * size), *relations = taken_memory(rows);
    memcpy(twice, pack, size);
    memcpy(twice + size, pack, size);
    uint64_t joined_size = tallystick_joined_size(twice, 2);
    uint8_t *joined = taken_memory(joined_size);
    tallystick_join(twice, 2, joined);
    int64_t *first = taken_memory(rows * sizeof *first), *second = taken_memory(rows * sizeof *second);
    for (uint64_t row = 0; row < rows; row++) {
        first[row] = (int64_t)(rows - 1 - row);
        second[row] = (int64_t)(2 * rows - 1 - row);
    }
    tallystick_compare_rows(pack, first, joined, second, rows, relations);
    for (uint64_t row = 0; row < rows; row++) {
        if (relations[row] != 0) {
            abort();
        }
    }
    if (tallystick_same_rows(pack, 0, joined, rows, rows) != rows) {
        abort();
    }
    export(joined, 2 * rows);
    uint64_t taken_size = tallystick_taken_size(joined, second, rows);
    uint8_t *taken = taken_memory(taken_size);
    tallystick_take(joined, second, rows, taken);
    free(taken);
    free(first);
    free(second);
    free(joined);
    free(twice);
    free(relations);
}

static int is_read(body_text body) {
    uint64_t rows_max = draw(4) == 0 ? 2 : 10000;
    int32_t form = body.size > 0 && body.bytes[0] == '[' ? 0 : (int32_t)draw(2);
    uint64_t scratch_size = tallystick_scratch_size(body.size, rows_max);
    uint8_t *scratch = taken_memory(scratch_size);
    uint64_t size = tallystick_read_body(body.bytes, body.size, form, rows_max, 5, INT64_MAX, scratch);
    if (size > 0) {
        uint8_t *pack = taken_memory(size);
        tallystick_lay_out(scratch, pack);
        use(pack, size);
        free(pack);
    }
    free(scratch);
    return size > 0;
}

int main(int count, char **arguments) {
    if (count < 4) {
        return 2;
    }
    uint64_t rounds = strtoull(arguments[1], NULL, 10), read = 0, doubted = 0;
    state = strtoull(arguments[2], NULL, 10) | 1;
    for (uint64_t round = 0; round < rounds; round++) {
        body_text body = body_of_file(arguments[3 + draw((uint64_t)count - 3)]);
        for (uint64_t mutation = draw(4); mutation > 0 && body.size > 0; mutation--) {
            body_text changed = mutated(body);
            free(body.bytes);
            body = changed;
        }
        if (is_read(body)) {
            read++;
        } else {
            doubted++;
        }
        free(body.bytes);
    }
    printf("%" PRIu64 " %" PRIu64 "\n", read, doubted);
    return 0;
}
