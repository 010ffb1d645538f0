#include "text.h"
#include <stdlib.h>
#include <string.h>

size_t utf8_char(const uint8_t *at, const uint8_t *end, uint32_t *scalar) {
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t lead = *at;
    size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || (size_t)(end - at) < length) return 0;
    uint32_t value = length == 1 ? lead : lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
    *scalar = value;
    return length;
}

bool utf8_valid(text_t text) {
    const uint8_t *end = text.ptr + text.len;
    uint32_t scalar;
    for (const uint8_t *at = text.ptr; at < end;) {
        size_t length = utf8_char(at, end, &scalar);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

size_t utf8_put(uint8_t *to, uint32_t scalar) {
    if (scalar < 0x80) {
        to[0] = (uint8_t)scalar;
        return 1;
    }
    size_t more = scalar < 0x800 ? 1 : scalar < 0x10000 ? 2 : 3;
    to[0] = (uint8_t)(0xff00u >> (more + 1) | scalar >> (6 * more));
    for (size_t i = 1; i <= more; i++) {
        to[i] = (uint8_t)(0x80 | (scalar >> (6 * (more - i)) & 0x3f));
    }
    return more + 1;
}

bool text_is(text_t text, const char *other) {
    return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

/* Unicode's property White_Space. */
static bool is_white_space(uint32_t scalar) {
    switch (scalar) {
    case 0x20: case 0x85: case 0xa0: case 0x1680: case 0x2028: case 0x2029: case 0x202f: case 0x205f: case 0x3000:
        return true;
    default:
        return (scalar >= 0x09 && scalar <= 0x0d) || (scalar >= 0x2000 && scalar <= 0x200a);
    }
}

/* Removes the next word from `rest`, and returns its number of characters: 0 if there is none. */
static size_t next_word(text_t *rest, text_t *word) {
    const uint8_t *end = rest->ptr + rest->len, *at = rest->ptr;
    size_t chars = 0;
    uint32_t scalar;
    word->ptr = at;
    while (at < end) {
        size_t length = utf8_char(at, end, &scalar);
        if (length == 0) break;
        if (is_white_space(scalar)) {
            if (chars > 0) break;
            word->ptr = at + length;
        } else {
            chars++;
        }
        at += length;
    }
    word->len = (size_t)(at - word->ptr);
    rest->ptr = at;
    rest->len = (size_t)(end - at);
    return chars;
}

static uint32_t hash(text_t word) {
    uint32_t value = 0x811c9dc5u;
    for (size_t i = 0; i < word.len; i++) value = (value ^ word.ptr[i]) * 0x01000193u;
    return value;
}

bool text_unique_words(text_t text, uint64_t *count, uint64_t *unique) {
    text_t rest = text, word;
    size_t words = 0, room = 1;
    while (next_word(&rest, &word) > 0) words++;
    while (room < 2 * words) room *= 2;
    text_t *seen = malloc(room * sizeof *seen);
    if (seen == NULL) return false;
    memset(seen, 0, room * sizeof *seen);
    *count = words;
    *unique = 0;
    for (rest = text; next_word(&rest, &word) > 0;) {
        size_t place = hash(word) & (room - 1);
        while (seen[place].ptr != NULL
               && (seen[place].len != word.len || memcmp(seen[place].ptr, word.ptr, word.len) != 0)) {
            place = (place + 1) & (room - 1);
        }
        if (seen[place].ptr == NULL) {
            seen[place] = word;
            ++*unique;
        }
    }
    free(seen);
    return true;
}

void text_reverse(text_t text, uint8_t *to) {
    const uint8_t *end = text.ptr + text.len;
    uint8_t *place = to + text.len;
    uint32_t scalar;
    for (const uint8_t *at = text.ptr; at < end;) {
        size_t length = utf8_char(at, end, &scalar);
        if (length == 0) return;
        place -= length;
        memcpy(place, at, length);
        at += length;
    }
}

statistics_t text_statistics(text_t text) {
    statistics_t all = { .bytes = text.len };
    for (size_t i = 0; i < text.len; i++) {
        /* Each character has exactly one byte that is not a continuation byte. */
        if ((text.ptr[i] & 0xc0) != 0x80) all.chars++;
        if (text.ptr[i] == '\n') all.lines++;
    }
    if (text.len > 0 && text.ptr[text.len - 1] != '\n') all.lines++;
    text_t rest = text, word;
    size_t longest = 0, chars;
    while ((chars = next_word(&rest, &word)) > 0) {
        all.words++;
        all.letters += chars;
        if (chars > longest) {
            longest = chars;
            all.longest = word;
        }
    }
    return all;
}
