/* Feeds the compiled library with mutated bodies, each in memory of exactly its size, so that the sanitizers see every byte too far.
 *
 * Usage: mutations ROUNDS SEED FILE…, each file one body. Prints how many bodies were read and how many were a doubt.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
