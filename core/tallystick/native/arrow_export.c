#include "arrow_export.h"

#include <stdlib.h>
#include <string.h>

#define BUFFERS 3
#define FLAG_NULLABLE 2

/* The buffers of one array; freed with it. */
typedef struct {
    const void *pointers[BUFFERS];
} owned_buffers;

static void release_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
    owned_buffers *owned = array->private_data;
    for (int place = 0; place < BUFFERS; place++) {
        free((void *)(uintptr_t)owned->pointers[place]);
    }
    free(owned);
    array->release = NULL;
}

/* Hand over an array of these buffers; takes them, even if there is no memory for the rest. */
static bool hand_over(arrow_column *column, const char *format, uint64_t rows, int64_t buffer_count, const owned_buffers *buffers) {
    owned_buffers *owned = malloc(sizeof *owned);
    if (owned == NULL) {
        for (int place = 0; place < BUFFERS; place++) {
            free((void *)(uintptr_t)buffers->pointers[place]);
        }
        return false;
    }
    *owned = *buffers;
    memset(column, 0, sizeof *column);
    column->schema.format = format;
    column->schema.name = "";
    column->schema.flags = FLAG_NULLABLE;
    column->schema.release = release_schema;
    column->array.length = (int64_t)rows;
    column->array.null_count = buffers->pointers[0] == NULL ? 0 : -1;
    column->array.n_buffers = buffer_count;
    column->array.buffers = owned->pointers;
    column->array.release = release_array;
    column->array.private_data = owned;
    return true;
}

/* Memory that may be asked for with nothing in it. */
static void *some_memory(uint64_t bytes) {
    return malloc(bytes == 0 ? 1 : bytes);
}

bool export_texts(arrow_column *column, uint64_t rows, uint64_t bytes, bool has_nulls, text_buffers *buffers) {
    buffers->validity = has_nulls ? calloc(rows / 8 + 1, 1) : NULL;
    buffers->offsets = some_memory((rows + 1) * sizeof(int64_t));
    buffers->bytes = some_memory(bytes);
    if ((has_nulls && buffers->validity == NULL) || buffers->offsets == NULL || buffers->bytes == NULL) {
        free(buffers->validity);
        free(buffers->offsets);
        free(buffers->bytes);
        return false;
    }
    owned_buffers owned = {.pointers = {buffers->validity, buffers->offsets, buffers->bytes}};
    return hand_over(column, "U", rows, 3, &owned);
}

scaled_amount *export_decimals(arrow_column *column, uint64_t rows) {
    scaled_amount *amounts = some_memory(rows * sizeof *amounts);
    if (amounts == NULL) {
        return NULL;
    }
    owned_buffers owned = {.pointers = {NULL, amounts, NULL}};
    return hand_over(column, "d:38,12", rows, 2, &owned) ? amounts : NULL;
}
