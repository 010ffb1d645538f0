/* Text as bytes, and its statistics. */
#ifndef TEXT_H
#define TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed UTF-8. */
typedef struct {
    const uint8_t *ptr;
    size_t len;
} text_t;

typedef struct {
    uint64_t chars, words, lines, bytes;
    /* Of all words; their average is this divided by `words`. */
    uint64_t letters;
    text_t longest;
} statistics_t;

/* Returns the length of the character at `at`, and its scalar value; 0 for invalid UTF-8. */
size_t utf8_char(const uint8_t *at, const uint8_t *end, uint32_t *scalar);
bool utf8_valid(text_t text);
/* Writes a scalar value as UTF-8, and returns its length: at most 4 bytes. */
size_t utf8_put(uint8_t *to, uint32_t scalar);

bool text_is(text_t text, const char *other);
/* Counts the distinct words; false if memory runs out. */
bool text_unique_words(text_t text, uint64_t *count, uint64_t *unique);
/* Reverses by scalar value, to the same number of bytes. */
void text_reverse(text_t text, uint8_t *to);
statistics_t text_statistics(text_t text);
#endif
