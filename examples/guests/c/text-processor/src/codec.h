/* Requests and results, in JSON or MessagePack. */
#ifndef CODEC_H
#define CODEC_H
#include "text.h"

#define JSON 0x0200
#define MSGPACK 0x0201
/* Deeper documents are refused: parsing is recursive, and the stack is small. */
#define DEEPEST 128

/* The requested values of a request. The texts are owned, or NULL. */
typedef struct {
    bool has_operation, has_params, has_text;
    uint8_t *operation, *text;
    size_t operation_len, text_len;
} request_t;

/* The requested values that a map can have. */
typedef enum { NOTHING, REQUEST, PARAMS } place_t;

/* Each returns NULL, or a description of the error. */
const char *json_read(text_t data, request_t *request);
const char *msgpack_read(text_t data, request_t *request);
void request_free(request_t *request);

/* The destination of the value of `key`: a slot for text, or the place of a map. */
typedef struct {
    uint8_t **text;
    size_t *len;
    place_t map;
    const char *problem;
} slot_t;
slot_t request_slot(request_t *request, place_t place, text_t key);

/* A result that is being written. `failed` is set when memory runs out. */
typedef struct {
    uint64_t codec;
    uint8_t *ptr;
    size_t len, room;
    size_t members;
    bool failed;
} answer_t;

answer_t answer_begin(uint64_t codec, size_t members);
void answer_number(answer_t *answer, const char *key, uint64_t value);
void answer_text(answer_t *answer, const char *key, text_t value);
/* The quotient of two numbers; 0 if the second is. */
void answer_quotient(answer_t *answer, const char *key, uint64_t dividend, uint64_t divisor);
void answer_end(answer_t *answer);
#endif
