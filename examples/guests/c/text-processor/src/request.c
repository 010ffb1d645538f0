#include "codec.h"
#include <stdlib.h>

slot_t request_slot(request_t *request, place_t place, text_t key) {
    bool *seen = NULL;
    slot_t slot = { NULL, NULL, NOTHING, NULL };
    if (place == REQUEST && text_is(key, "operation")) {
        seen = &request->has_operation;
        slot.text = &request->operation;
        slot.len = &request->operation_len;
    } else if (place == REQUEST && text_is(key, "params")) {
        seen = &request->has_params;
        slot.map = PARAMS;
    } else if (place == PARAMS && text_is(key, "text")) {
        seen = &request->has_text;
        slot.text = &request->text;
        slot.len = &request->text_len;
    }
    if (seen != NULL && *seen) slot.problem = "a field occurs twice";
    if (seen != NULL) *seen = true;
    return slot;
}

void request_free(request_t *request) {
    free(request->operation);
    free(request->text);
}
