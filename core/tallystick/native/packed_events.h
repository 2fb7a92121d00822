/* Events as columns in one piece of memory, which can be copied, joined, compared and stored without looking at it again.
 *
 * Layout, numbers in the machine's order (only little-endian machines use this library):
 *   16 words of 64 bits   magic, rows, size of all, 0, where the texts of each column begin (6), how many bytes each has (6)
 *   int64[rows]           times, nanoseconds
 *   int64[rows]           received at, nanoseconds
 *   uint32[6][rows + 1]   for each column of texts where each begins, counted from the column's first
 *   uint8[rows]           1 where the time was given
 *   bytes                 the texts, column after column; then zeros up to a multiple of 8
 *
 * `tallystick.packed_events` knows the same layout.
 */
#ifndef TALLYSTICK_PACKED_EVENTS_H
#define TALLYSTICK_PACKED_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SOURCES, IDS, TYPES, CUSTOMERS, VALUES, PROPERTIES, TEXT_COLUMNS };

#define PACK_HEADER_BYTES 128
#define PACK_MAGIC 0x3130534b43415054ull

typedef struct {
    uint64_t magic, rows, size, reserved;
    uint64_t starts[TEXT_COLUMNS];
    uint64_t sizes[TEXT_COLUMNS];
} pack_header;

/* Where the parts of a pack are. */
typedef struct {
    uint64_t rows, size;
    const int64_t *times, *received_at;
    const uint32_t *offsets[TEXT_COLUMNS];
    const uint8_t *times_given;
    const uint8_t *texts[TEXT_COLUMNS];
} packed_events;

/* The same, to be filled. */
typedef struct {
    int64_t *times, *received_at;
    uint32_t *offsets[TEXT_COLUMNS];
    uint8_t *times_given;
    uint8_t *texts[TEXT_COLUMNS];
} open_pack;

/* How many bytes a pack needs; 0 if a column would have 4 GiB or more. */
uint64_t pack_size(uint64_t rows, const uint64_t sizes[TEXT_COLUMNS]);

/* Write the header of a new pack into memory of `pack_size`, and say where its parts go. */
open_pack begin_pack(uint8_t *memory, uint64_t rows, const uint64_t sizes[TEXT_COLUMNS]);

packed_events parts_of(const uint8_t *memory);

static inline const uint8_t *text_at(const packed_events *events, int column, uint64_t row) {
    return events->texts[column] + events->offsets[column][row];
}

static inline uint32_t text_size(const packed_events *events, int column, uint64_t row) {
    return events->offsets[column][row + 1] - events->offsets[column][row];
}

#endif
