/* Texts of a request: spans of its body, and a store for those that do not stand there as they are to be kept.
 *
 * A span counts from the start of the body; past its end begins the store. So a span is eight bytes, whatever it points at.
 */
#ifndef TALLYSTICK_TEXT_STORE_H
#define TALLYSTICK_TEXT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint32_t start;
    uint32_t size;
} text_span;

typedef struct {
    const uint8_t *body;
    uint32_t body_size;
    uint8_t *stored;
    uint32_t stored_size;
    uint32_t stored_max;
} text_store;

static inline const uint8_t *span_bytes(const text_store *store, text_span span) {
    return span.start < store->body_size ? store->body + span.start : store->stored + (span.start - store->body_size);
}

/* Write bytes to the end of the store; false if it is full, which only bodies of nothing but exponents bring about. */
static inline bool store_bytes(text_store *store, const uint8_t *bytes, size_t size) {
    if (size > store->stored_max - store->stored_size) {
        return false;
    }
    memcpy(store->stored + store->stored_size, bytes, size);
    store->stored_size += (uint32_t)size;
    return true;
}

static inline bool store_byte(text_store *store, uint8_t byte) {
    if (store->stored_size == store->stored_max) {
        return false;
    }
    store->stored[store->stored_size++] = byte;
    return true;
}

/* The span of what was stored since the store had `size_before` bytes. */
static inline text_span stored_since(const text_store *store, uint32_t size_before) {
    return (text_span){.start = store->body_size + size_before, .size = store->stored_size - size_before};
}

static inline text_span body_span(const text_store *store, const uint8_t *start, const uint8_t *end) {
    return (text_span){.start = (uint32_t)(start - store->body), .size = (uint32_t)(end - start)};
}

#endif
