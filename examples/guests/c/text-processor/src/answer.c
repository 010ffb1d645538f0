/* Writes results: a map from names to numbers and texts. */
#include "codec.h"
#include <stdlib.h>
#include <string.h>

/* Enough digits to distinguish any two quotients of numbers below 2^32 as doubles. */
#define DIGITS 40

static void put(answer_t *out, const void *bytes, size_t length) {
    if (out->failed) return;
    if (out->room - out->len < length) {
        size_t room = 2 * out->room + length;
        uint8_t *ptr = realloc(out->ptr, room);
        if (ptr == NULL) {
            out->failed = true;
            return;
        }
        out->ptr = ptr;
        out->room = room;
    }
    memcpy(out->ptr + out->len, bytes, length);
    out->len += length;
}

static void byte(answer_t *out, uint8_t value) {
    put(out, &value, 1);
}

/* Writes a number of `size` bytes, in big-endian order. */
static void big_endian(answer_t *out, uint64_t value, size_t size) {
    while (size-- > 0) byte(out, (uint8_t)(value >> (8 * size)));
}

static void decimal(answer_t *out, uint64_t value) {
    char digits[20];
    size_t length = 0;
    do {
        digits[length++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (length > 0) byte(out, (uint8_t)digits[--length]);
}

static void json_text(answer_t *out, text_t text) {
    static const char hex[] = "0123456789abcdef";
    byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t value = text.ptr[i];
        if (value == '"' || value == '\\') byte(out, '\\');
        if (value < 0x20) {
            put(out, "\\u00", 4);
            byte(out, (uint8_t)hex[value >> 4]);
            byte(out, (uint8_t)hex[value & 15]);
        } else {
            byte(out, value);
        }
    }
    byte(out, '"');
}

static void msgpack_text(answer_t *out, text_t text) {
    if (text.len < 32) {
        byte(out, (uint8_t)(0xa0 | text.len));
    } else {
        size_t power = text.len < 0x100 ? 0 : text.len < 0x10000 ? 1 : 2;
        byte(out, (uint8_t)(0xd9 + power));
        big_endian(out, text.len, (size_t)1 << power);
    }
    put(out, text.ptr, text.len);
}

static void write_text(answer_t *out, text_t text) {
    if (out->codec == JSON) json_text(out, text);
    else msgpack_text(out, text);
}

static void key(answer_t *out, const char *name) {
    if (out->codec == JSON) byte(out, out->members == 0 ? '{' : ',');
    out->members++;
    write_text(out, (text_t){ (const uint8_t *)name, strlen(name) });
    if (out->codec == JSON) byte(out, ':');
}

answer_t answer_begin(uint64_t codec, size_t members) {
    answer_t out = { .codec = codec };
    if (codec == MSGPACK) byte(&out, (uint8_t)(0x80 | members));
    return out;
}

void answer_number(answer_t *out, const char *name, uint64_t value) {
    key(out, name);
    if (out->codec == JSON) {
        decimal(out, value);
    } else if (value < 0x80) {
        byte(out, (uint8_t)value);
    } else {
        size_t power = value < 0x100 ? 0 : value < 0x10000 ? 1 : value < 0x100000000 ? 2 : 3;
        byte(out, (uint8_t)(0xcc + power));
        big_endian(out, value, (size_t)1 << power);
    }
}

void answer_text(answer_t *out, const char *name, text_t value) {
    key(out, name);
    write_text(out, value);
}

void answer_quotient(answer_t *out, const char *name, uint64_t dividend, uint64_t divisor) {
    key(out, name);
    if (out->codec == MSGPACK) {
        double value = divisor == 0 ? 0.0 : (double)dividend / (double)divisor;
        uint64_t bits;
        memcpy(&bits, &value, sizeof bits);
        byte(out, 0xcb);
        big_endian(out, bits, 8);
        return;
    }
    /* Long division: enough digits that a reader gets the same double. */
    decimal(out, divisor == 0 ? 0 : dividend / divisor);
    byte(out, '.');
    uint64_t rest = divisor == 0 ? 0 : dividend % divisor;
    size_t written = 0;
    do {
        rest *= 10;
        byte(out, (uint8_t)('0' + (divisor == 0 ? 0 : rest / divisor)));
        rest = divisor == 0 ? 0 : rest % divisor;
    } while (rest > 0 && ++written < DIGITS);
}

void answer_end(answer_t *out) {
    if (out->codec == JSON) byte(out, '}');
}
