/* Parses MessagePack, and keeps the requested values. */
#include "codec.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
    request_t *request;
    int depth;
} reader_t;

static const char CUT[] = "msgpack: it ends too early";

/* Reads a number of `size` bytes, in big-endian order. */
static bool number(reader_t *in, size_t size, uint64_t *value) {
    if ((size_t)(in->end - in->at) < size) return false;
    *value = 0;
    while (size-- > 0) *value = *value << 8 | *in->at++;
    return true;
}

static const char *skip(reader_t *in, uint64_t bytes) {
    if ((uint64_t)(in->end - in->at) < bytes) return CUT;
    in->at += bytes;
    return NULL;
}

/* Returns whether a string follows, and reads its length. */
static bool string(reader_t *in, uint64_t *length, const char **problem) {
    *problem = CUT;
    if (in->at == in->end) return true;
    uint8_t mark = *in->at;
    size_t size = mark == 0xd9 ? 1 : mark == 0xda ? 2 : mark == 0xdb ? 4 : 0;
    if (size == 0 && (mark & 0xe0) != 0xa0) return false;
    in->at++;
    if (size == 0) *length = mark & 0x1f;
    else if (!number(in, size, length)) return true;
    if ((uint64_t)(in->end - in->at) >= *length) *problem = NULL;
    return true;
}

static const char *keep(reader_t *in, slot_t slot, uint64_t length) {
    text_t text = { in->at, (size_t)length };
    if (!utf8_valid(text)) return "msgpack: text that is not UTF-8";
    *slot.text = malloc(text.len + 1);
    if (*slot.text == NULL) return "msgpack: no memory for a string";
    memcpy(*slot.text, text.ptr, text.len);
    *slot.len = text.len;
    in->at += text.len;
    return NULL;
}

static const char *value(reader_t *in, place_t place);

static const char *member(reader_t *in, place_t place) {
    uint64_t length;
    const char *problem;
    slot_t slot = { NULL, NULL, NOTHING, NULL };
    if (string(in, &length, &problem)) {
        if (problem != NULL) return problem;
        slot = request_slot(in->request, place, (text_t){ in->at, (size_t)length });
        in->at += length;
        if (slot.problem != NULL) return slot.problem;
    } else if ((problem = value(in, NOTHING)) != NULL) {
        return problem;
    }
    if (slot.text != NULL && string(in, &length, &problem)) {
        return problem != NULL ? problem : keep(in, slot, length);
    }
    return value(in, slot.map);
}

static const char *items(reader_t *in, uint64_t count, bool map, place_t place) {
    if (++in->depth > DEEPEST) return "msgpack: too deep";
    while (count-- > 0) {
        const char *problem = map ? member(in, place) : value(in, NOTHING);
        if (problem != NULL) return problem;
    }
    in->depth--;
    return NULL;
}

static const char *value(reader_t *in, place_t place) {
    uint64_t length;
    const char *problem;
    if (string(in, &length, &problem)) return problem != NULL ? problem : skip(in, length);
    uint8_t mark = *in->at++;
    if (mark < 0x80 || mark >= 0xe0) return NULL;
    if (mark < 0x90) return items(in, mark & 0x0f, true, place);
    if (mark < 0xa0) return items(in, mark & 0x0f, false, NOTHING);
    switch (mark) {
    case 0xc0: case 0xc2: case 0xc3: return NULL;
    case 0xc4: case 0xc5: case 0xc6:
        return number(in, (size_t)1 << (mark - 0xc4), &length) ? skip(in, length) : CUT;
    case 0xc7: case 0xc8: case 0xc9:
        return number(in, (size_t)1 << (mark - 0xc7), &length) ? skip(in, length + 1) : CUT;
    case 0xca: return skip(in, 4);
    case 0xcb: return skip(in, 8);
    case 0xcc: case 0xcd: case 0xce: case 0xcf: return skip(in, (uint64_t)1 << (mark - 0xcc));
    case 0xd0: case 0xd1: case 0xd2: case 0xd3: return skip(in, (uint64_t)1 << (mark - 0xd0));
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return skip(in, ((uint64_t)1 << (mark - 0xd4)) + 1);
    case 0xdc: case 0xdd:
        return number(in, (size_t)2 << (mark - 0xdc), &length) ? items(in, length, false, NOTHING) : CUT;
    case 0xde: case 0xdf:
        return number(in, (size_t)2 << (mark - 0xde), &length) ? items(in, length, true, place) : CUT;
    default: return "msgpack: a byte that begins no value";
    }
}

const char *msgpack_read(text_t data, request_t *request) {
    reader_t in = { data.ptr, data.ptr + data.len, request, 0 };
    return value(&in, REQUEST);
}
