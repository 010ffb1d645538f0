/* Parses JSON (RFC 8259), and keeps the requested values. */
#include "codec.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *at, *end;
    request_t *request;
    int depth;
} reader_t;

static const char BROKEN[] = "json: not a value";
static const char CUT[] = "json: it ends too early";

static int peek(const reader_t *in) {
    return in->at < in->end ? *in->at : -1;
}

static bool take(reader_t *in, char byte) {
    if (peek(in) != (uint8_t)byte) return false;
    in->at++;
    return true;
}

static void skip_space(reader_t *in) {
    while (peek(in) == ' ' || peek(in) == '\n' || peek(in) == '\r' || peek(in) == '\t') in->at++;
}

static bool digits(reader_t *in) {
    const uint8_t *start = in->at;
    while (peek(in) >= '0' && peek(in) <= '9') in->at++;
    return in->at > start;
}

static const char *number(reader_t *in) {
    take(in, '-');
    if (!take(in, '0') && !digits(in)) return "json: a number without digits";
    if (take(in, '.') && !digits(in)) return "json: a number without digits behind its point";
    if (take(in, 'e') || take(in, 'E')) {
        if (!take(in, '+')) take(in, '-');
        if (!digits(in)) return "json: an exponent without digits";
    }
    return NULL;
}

static const char *word(reader_t *in, const char *expected) {
    size_t length = strlen(expected);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, expected, length) != 0) return BROKEN;
    in->at += length;
    return NULL;
}

static bool hex4(reader_t *in, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = peek(in);
        int value = digit >= '0' && digit <= '9' ? digit - '0'
            : digit >= 'a' && digit <= 'f'       ? digit - 'a' + 10
            : digit >= 'A' && digit <= 'F'       ? digit - 'A' + 10
                                                 : -1;
        if (value < 0) return false;
        *unit = *unit << 4 | (uint32_t)value;
        in->at++;
    }
    return true;
}

static const char *escape(reader_t *in, uint32_t *scalar) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    int name = peek(in);
    if (name < 0) return CUT;
    in->at++;
    if (name == 'u') {
        uint32_t low;
        if (!hex4(in, scalar)) return "json: \\u without four hexadecimal digits";
        if (*scalar < 0xd800 || *scalar > 0xdfff) return NULL;
        if (*scalar > 0xdbff || !take(in, '\\') || !take(in, 'u') || !hex4(in, &low) || low < 0xdc00 || low > 0xdfff) {
            return "json: half a surrogate pair";
        }
        *scalar = 0x10000 + ((*scalar - 0xd800) << 10) + (low - 0xdc00);
        return NULL;
    }
    for (size_t i = 0; i < sizeof names - 1; i++) {
        if (names[i] == name) {
            *scalar = (uint8_t)values[i];
            return NULL;
        }
    }
    return "json: an unknown escape";
}

/* Reads a string at its quote. The result is owned, and not longer than the source. */
static const char *string(reader_t *in, uint8_t **ptr, size_t *len) {
    const uint8_t *closing = ++in->at;
    while (closing < in->end && *closing != '"') closing += *closing == '\\' ? 2 : 1;
    if (closing >= in->end) return CUT;
    uint8_t *text = malloc((size_t)(closing - in->at) + 1);
    if (text == NULL) return "json: no memory for a string";
    size_t length = 0;
    const char *problem = NULL;
    while (problem == NULL && in->at < closing) {
        uint32_t scalar;
        if (take(in, '\\')) {
            problem = escape(in, &scalar);
        } else {
            size_t bytes = utf8_char(in->at, in->end, &scalar);
            if (bytes == 0) problem = "json: text that is not UTF-8";
            else if (scalar < 0x20) problem = "json: a control character in a string";
            in->at += bytes;
        }
        if (problem == NULL) length += utf8_put(text + length, scalar);
    }
    in->at = closing + 1;
    if (problem != NULL) {
        free(text);
        return problem;
    }
    *ptr = text;
    *len = length;
    return NULL;
}

static const char *value(reader_t *in, place_t place);

static const char *member(reader_t *in, place_t place) {
    uint8_t *name;
    size_t length;
    skip_space(in);
    if (peek(in) != '"') return "json: a key that is no string";
    const char *problem = string(in, &name, &length);
    if (problem != NULL) return problem;
    slot_t slot = request_slot(in->request, place, (text_t){ name, length });
    free(name);
    skip_space(in);
    if (slot.problem != NULL) return slot.problem;
    if (!take(in, ':')) return "json: a key without a value";
    skip_space(in);
    if (slot.text != NULL && peek(in) == '"') return string(in, slot.text, slot.len);
    return value(in, slot.map);
}

static const char *items(reader_t *in, bool object, place_t place) {
    char closing = object ? '}' : ']';
    in->at++;
    skip_space(in);
    if (take(in, closing)) return NULL;
    if (++in->depth > DEEPEST) return "json: too deep";
    while (true) {
        const char *problem = object ? member(in, place) : value(in, NOTHING);
        if (problem != NULL) return problem;
        skip_space(in);
        if (take(in, closing)) break;
        if (!take(in, ',')) return peek(in) < 0 ? CUT : "json: no comma between two items";
    }
    in->depth--;
    return NULL;
}

static const char *value(reader_t *in, place_t place) {
    skip_space(in);
    switch (peek(in)) {
    case -1: return CUT;
    case '{': return items(in, true, place);
    case '[': return items(in, false, NOTHING);
    case 't': return word(in, "true");
    case 'f': return word(in, "false");
    case 'n': return word(in, "null");
    case '"': {
        uint8_t *ptr;
        size_t len;
        const char *problem = string(in, &ptr, &len);
        if (problem == NULL) free(ptr);
        return problem;
    }
    default: return number(in);
    }
}

const char *json_read(text_t data, request_t *request) {
    reader_t in = { data.ptr, data.ptr + data.len, request, 0 };
    const char *problem = value(&in, REQUEST);
    if (problem != NULL) return problem;
    skip_space(&in);
    return in.at == in.end ? NULL : "json: something behind the value";
}
