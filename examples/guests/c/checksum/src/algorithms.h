#ifndef ALGORITHMS_H
#define ALGORITHMS_H
#include <stddef.h>
#include <stdint.h>

/* A checksum and its length in bytes. */
typedef struct {
    uint64_t value;
    size_t size;
} digest_t;

typedef struct {
    const char *name;
    digest_t (*digest)(const uint8_t *data, size_t size);
} algorithm_t;

/* The first is the default. */
extern const algorithm_t algorithms[3];
#endif
