/* Text as bytes, and the measures of it. */
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
    /* Of all words; their average is this by `words`. */
    uint64_t letters;
    text_t longest;
} statistics_t;

/* Length of the character at `at`, and its scalar value; 0 where UTF-8 is broken. */
size_t utf8_char(const uint8_t *at, const uint8_t *end, uint32_t *scalar);
bool utf8_valid(text_t text);
/* Writes a scalar value as UTF-8, and says how many bytes that took: at most 4. */
size_t utf8_put(uint8_t *to, uint32_t scalar);

bool text_is(text_t text, const char *other);
/* How many different words there are; false if memory ran out. */
bool text_unique_words(text_t text, uint64_t *count, uint64_t *unique);
/* Reverses by scalar value, into as many bytes. */
void text_reverse(text_t text, uint8_t *to);
statistics_t text_statistics(text_t text);
#endif
