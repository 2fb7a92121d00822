#include "packed_events.h"

#define EXPORTED __attribute__((visibility("default")))

_Static_assert(sizeof(pack_header) == PACK_HEADER_BYTES, "the header is 16 words");

static uint64_t bytes_before_texts(uint64_t rows) {
    return PACK_HEADER_BYTES + rows * (2 * sizeof(int64_t) + 1) + TEXT_COLUMNS * (rows + 1) * sizeof(uint32_t);
}

uint64_t pack_size(uint64_t rows, const uint64_t sizes[TEXT_COLUMNS]) {
    if (rows >= UINT32_MAX) {
        return 0;
    }
    uint64_t size = bytes_before_texts(rows);
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        if (sizes[column] > UINT32_MAX) {
            return 0;
        }
        size += sizes[column];
    }
    return (size + 7) & ~7ull;
}

open_pack begin_pack(uint8_t *memory, uint64_t rows, const uint64_t sizes[TEXT_COLUMNS]) {
    pack_header header = {.magic = PACK_MAGIC, .rows = rows, .size = pack_size(rows, sizes)};
    uint64_t start = bytes_before_texts(rows);
    open_pack pack;
    pack.times = (int64_t *)(void *)(memory + PACK_HEADER_BYTES);
    pack.received_at = pack.times + rows;
    uint32_t *offsets = (uint32_t *)(void *)(pack.received_at + rows);
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        pack.offsets[column] = offsets + (size_t)column * (rows + 1);
        pack.texts[column] = memory + start;
        header.starts[column] = start;
        header.sizes[column] = sizes[column];
        start += sizes[column];
    }
    pack.times_given = (uint8_t *)(offsets + TEXT_COLUMNS * (rows + 1));
    memset(memory + start, 0, header.size - start);
    memcpy(memory, &header, sizeof header);
    return pack;
}

packed_events parts_of(const uint8_t *memory) {
    pack_header header;
    packed_events events;
    memcpy(&header, memory, sizeof header);
    events.rows = header.rows;
    events.size = header.size;
    events.times = (const int64_t *)(const void *)(memory + PACK_HEADER_BYTES);
    events.received_at = events.times + header.rows;
    const uint32_t *offsets = (const uint32_t *)(const void *)(events.received_at + header.rows);
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        events.offsets[column] = offsets + (size_t)column * (header.rows + 1);
        events.texts[column] = memory + header.starts[column];
    }
    events.times_given = (const uint8_t *)(offsets + TEXT_COLUMNS * (header.rows + 1));
    return events;
}

/* The sizes of `count` packs that lie one behind the other, added up; what they take as one pack is answered. */
EXPORTED uint64_t tallystick_joined_size(const uint8_t *packs, uint64_t count) {
    uint64_t rows = 0, sizes[TEXT_COLUMNS] = {0};
    for (uint64_t number = 0; number < count; number++) {
        pack_header header;
        memcpy(&header, packs, sizeof header);
        rows += header.rows;
        for (int column = 0; column < TEXT_COLUMNS; column++) {
            sizes[column] += header.sizes[column];
        }
        packs += header.size;
    }
    return pack_size(rows, sizes);
}

/* Write `count` packs that lie one behind the other as one, into memory of the size that was answered for them. */
EXPORTED void tallystick_join(const uint8_t *packs, uint64_t count, uint8_t *memory) {
    uint64_t rows = 0, sizes[TEXT_COLUMNS] = {0};
    const uint8_t *at = packs;
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(at);
        rows += events.rows;
        for (int column = 0; column < TEXT_COLUMNS; column++) {
            sizes[column] += events.offsets[column][events.rows];
        }
        at += events.size;
    }
    open_pack joined = begin_pack(memory, rows, sizes);
    uint64_t row = 0;
    uint32_t filled[TEXT_COLUMNS] = {0};
    for (uint64_t number = 0; number < count; number++) {
        packed_events events = parts_of(packs);
        memcpy(joined.times + row, events.times, events.rows * sizeof(int64_t));
        memcpy(joined.received_at + row, events.received_at, events.rows * sizeof(int64_t));
        memcpy(joined.times_given + row, events.times_given, events.rows);
        for (int column = 0; column < TEXT_COLUMNS; column++) {
            uint32_t size = events.offsets[column][events.rows];
            memcpy(joined.texts[column] + filled[column], events.texts[column], size);
            for (uint64_t each = 0; each < events.rows; each++) {
                joined.offsets[column][row + each] = filled[column] + events.offsets[column][each];
            }
            filled[column] += size;
        }
        row += events.rows;
        packs += events.size;
    }
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        joined.offsets[column][rows] = filled[column];
    }
}

/* What `count` rows of a pack take as a pack of their own. */
EXPORTED uint64_t tallystick_taken_size(const uint8_t *memory, const int64_t *rows, uint64_t count) {
    packed_events events = parts_of(memory);
    uint64_t sizes[TEXT_COLUMNS] = {0};
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        for (uint64_t each = 0; each < count; each++) {
            sizes[column] += text_size(&events, column, (uint64_t)rows[each]);
        }
    }
    return pack_size(count, sizes);
}

/* Write these rows as a pack of their own, into memory of the size that was answered for them. */
EXPORTED void tallystick_take(const uint8_t *memory, const int64_t *rows, uint64_t count, uint8_t *taken_memory) {
    packed_events events = parts_of(memory);
    uint64_t sizes[TEXT_COLUMNS] = {0};
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        for (uint64_t each = 0; each < count; each++) {
            sizes[column] += text_size(&events, column, (uint64_t)rows[each]);
        }
    }
    open_pack taken = begin_pack(taken_memory, count, sizes);
    for (uint64_t each = 0; each < count; each++) {
        taken.times[each] = events.times[rows[each]];
        taken.received_at[each] = events.received_at[rows[each]];
        taken.times_given[each] = events.times_given[rows[each]];
    }
    for (int column = 0; column < TEXT_COLUMNS; column++) {
        uint32_t filled = 0;
        for (uint64_t each = 0; each < count; each++) {
            uint32_t size = text_size(&events, column, (uint64_t)rows[each]);
            memcpy(taken.texts[column] + filled, text_at(&events, column, (uint64_t)rows[each]), size);
            taken.offsets[column][each] = filled;
            filled += size;
        }
        taken.offsets[column][count] = filled;
    }
}
