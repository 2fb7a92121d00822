/* Columns handed over to Polars: the Arrow C data interface (arrow.apache.org/docs/format/CDataInterface.html).
 *
 * What is handed over owns its memory; whoever takes it calls `release` when done, on whatever thread.
 */
#ifndef TALLYSTICK_ARROW_EXPORT_H
#define TALLYSTICK_ARROW_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

typedef struct {
    struct ArrowSchema schema;
    struct ArrowArray array;
} arrow_column;

/* Texts to be filled in: `offsets` has one entry more than there are rows, `bytes` room for all of them; NULL where there is none. */
typedef struct {
    int64_t *offsets;
    uint8_t *bytes;
    /* A bit for each row, least significant first, 1 where there is a text; NULL where there is one in every row. */
    uint8_t *validity;
} text_buffers;

/* Begin a column of texts; false where there is no memory. */
bool export_texts(arrow_column *column, uint64_t rows, uint64_t bytes, bool has_nulls, text_buffers *buffers);

/* Begin a column of decimals of 38 digits, 12 of them behind the point: integers of 128 bits, little-endian, in units of 10^-12. */
__extension__ typedef __int128 scaled_amount;
scaled_amount *export_decimals(arrow_column *column, uint64_t rows);

#endif
