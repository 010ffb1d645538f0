#include "string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    unsigned char *target = to;
    const unsigned char *source = from;
    while (size-- > 0) *target++ = *source++;
    return to;
}

void *memset(void *to, int byte, size_t size) {
    unsigned char *target = to;
    while (size-- > 0) *target++ = (unsigned char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *left = a, *right = b;
    for (; size > 0; size--, left++, right++) {
        if (*left != *right) return *left < *right ? -1 : 1;
    }
    return 0;
}

size_t strlen(const char *text) {
    const char *end = text;
    while (*end != 0) end++;
    return (size_t)(end - text);
}
