#include "algorithms.h"

/* CRC-32 as in IEEE 802.3, reflected, bit by bit, without a table. */
static digest_t crc32(const uint8_t *data, size_t size) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return (digest_t){ ~crc, 4 };
}

/* Adler-32 as in RFC 1950. */
static digest_t adler32(const uint8_t *data, size_t size) {
    uint32_t a = 1, b = 0;
    for (size_t i = 0; i < size; i++) {
        a = (a + data[i]) % 65521;
        b = (b + a) % 65521;
    }
    return (digest_t){ b << 16 | a, 4 };
}

/* FNV-1a of 64 bits. */
static digest_t fnv1a64(const uint8_t *data, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 0x100000001b3u;
    }
    return (digest_t){ hash, 8 };
}

const algorithm_t algorithms[3] = {
    { "crc32", crc32 },
    { "adler32", adler32 },
    { "fnv1a64", fnv1a64 },
};
