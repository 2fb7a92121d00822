/* Hashes of identities: XXH3 of the id, under the seed that its source makes; as `dedupe.identity_hash` says.
 *
 * Longer ids and sources than `text_hash.h` knows are answered as a doubt, and hashed by the xxhash package.
 */
#include "packed_events.h"
#include "text_hash.h"

#define EXPORTED __attribute__((visibility("default")))

/* Write one hash for each row. Returns 0, and nothing that counts, if an id or a source is too long for this library. */
EXPORTED int32_t tallystick_identity_hashes(const uint8_t *memory, uint64_t seed, uint64_t *hashes) {
    packed_events events = parts_of(memory);
    uint64_t source_seed = seed;
    uint32_t source_size = 0;
    const uint8_t *source = NULL;
    for (uint64_t row = 0; row < events.rows; row++) {
        uint32_t size = text_size(&events, SOURCES, row), id_size = text_size(&events, IDS, row);
        const uint8_t *text = text_at(&events, SOURCES, row);
        if (size > SHORT_TEXT_MAX || id_size > SHORT_TEXT_MAX || id_size == 0) {
            return 0;
        }
        if (size != source_size || (size > 0 && memcmp(text, source, size) != 0)) {
            source_seed = size == 0 ? seed : hash_short_text(text, size, seed);
        }
        source = text;
        source_size = size;
        hashes[row] = hash_short_text(text_at(&events, IDS, row), id_size, source_seed);
    }
    return 1;
}
