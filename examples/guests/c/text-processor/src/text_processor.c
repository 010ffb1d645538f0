/* An example guest: counts words, reverses text and measures it, over JSON or MessagePack. */
#include "codec.h"
#include "text_processor.h"
#include <stdlib.h>
#include <string.h>

/* Short names for generated names, which include package and interface. */
typedef exports_airssys_component_core_component_lifecycle_component_config_t config_t;
typedef exports_airssys_component_core_component_lifecycle_component_error_t component_error_t;
typedef exports_airssys_component_core_component_lifecycle_execution_context_t context_t;
typedef exports_airssys_component_core_component_lifecycle_execution_error_t execution_error_t;
typedef exports_airssys_component_core_component_lifecycle_health_status_t health_t;
typedef airssys_multicodec_core_multicodec_utilities_multicodec_error_t multicodec_error_t;

static const char *const OPERATIONS[] = { "word-count", "reverse", "statistics" };

static enum { CREATED, READY, STOPPED } state = CREATED;

static text_processor_string_t as_string(const char *text) {
    return (text_processor_string_t){ (uint8_t *)text, strlen(text) };
}

static void log_text(uint8_t level, const char *text, text_processor_list_tuple2_string_string_t *details) {
    text_processor_string_t message = as_string(text);
    airssys_host_core_host_services_log(level, &message, details);
}

bool exports_airssys_component_core_component_lifecycle_init(config_t *config, component_error_t *err) {
    bool configured = config->config_data.is_some && config->config_data.val.len > 0;
    exports_airssys_component_core_component_lifecycle_component_config_free(config);
    if (state != CREATED) {
        err->tag = state == READY ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_ALREADY_INITIALIZED
                                  : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
        return false;
    }
    if (configured) {
        err->tag = AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_INVALID_CONFIG;
        text_processor_string_dup(&err->val.invalid_config, "text-processor takes no configuration data");
        return false;
    }
    state = READY;
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "text-processor is ready", NULL);
    return true;
}

static bool invalid_input(execution_error_t *err, const char *reason) {
    err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_INVALID_INPUT;
    text_processor_string_dup(&err->val.invalid_input, reason);
    return false;
}

static bool unsupported_codec(execution_error_t *err, uint64_t codec) {
    err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_UNSUPPORTED_CODEC;
    err->val.unsupported_codec = codec;
    return false;
}

static bool failed(execution_error_t *err, const char *reason) {
    err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_FAILED;
    text_processor_string_dup(&err->val.failed, reason);
    return false;
}

static bool refuse_prefix(const multicodec_error_t *error, execution_error_t *err) {
    switch (error->tag) {
    case AIRSSYS_MULTICODEC_CORE_MULTICODEC_UTILITIES_MULTICODEC_ERROR_EMPTY:
        return invalid_input(err, "the payload is empty");
    case AIRSSYS_MULTICODEC_CORE_MULTICODEC_UTILITIES_MULTICODEC_ERROR_TRUNCATED_PREFIX:
        return invalid_input(err, "the payload ends within its multicodec prefix");
    case AIRSSYS_MULTICODEC_CORE_MULTICODEC_UTILITIES_MULTICODEC_ERROR_OVERLONG_PREFIX:
        return invalid_input(err, "the payload's multicodec prefix is overlong");
    default:
        return unsupported_codec(err, error->val.unknown_codec);
    }
}

static bool count_words(text_t text, answer_t *out) {
    uint64_t count, unique;
    if (!text_unique_words(text, &count, &unique)) return false;
    answer_number(out, "count", count);
    answer_number(out, "unique", unique);
    return true;
}

static bool reverse(text_t text, answer_t *out) {
    uint8_t *reversed = malloc(text.len + 1);
    if (reversed == NULL) return false;
    text_reverse(text, reversed);
    answer_text(out, "text", (text_t){ reversed, text.len });
    free(reversed);
    return true;
}

static bool measure(text_t text, answer_t *out) {
    statistics_t all = text_statistics(text);
    answer_number(out, "chars", all.chars);
    answer_number(out, "words", all.words);
    answer_number(out, "lines", all.lines);
    answer_number(out, "bytes", all.bytes);
    answer_quotient(out, "average-word-length", all.letters, all.words);
    answer_text(out, "longest-word", all.longest);
    return true;
}

static bool answer(uint64_t codec, const request_t *request, text_processor_list_u8_t *ret, execution_error_t *err) {
    static bool (*const functions[])(text_t, answer_t *) = { count_words, reverse, measure };
    static const size_t members[] = { 2, 1, 6 };
    text_t name = { request->operation, request->operation_len };
    size_t operation = 0;
    while (operation < 3 && !text_is(name, OPERATIONS[operation])) operation++;
    if (operation == 3) {
        err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_UNSUPPORTED_OPERATION;
        text_processor_string_t text = { request->operation, request->operation_len };
        text_processor_string_dup_n(&err->val.unsupported_operation, (const char *)text.ptr, text.len);
        return false;
    }
    if (!request->has_params) return invalid_input(err, "`params` is missing");
    if (request->text == NULL) return invalid_input(err, "params: `text` must be a string");
    answer_t out = answer_begin(codec, members[operation]);
    bool done = functions[operation]((text_t){ request->text, request->text_len }, &out);
    answer_end(&out);
    if (done && !out.failed) {
        text_processor_list_u8_t data = { out.ptr, out.len };
        airssys_multicodec_core_multicodec_utilities_encode(codec, &data, ret);
    }
    done = (done && !out.failed) || failed(err, "the memory is used up");
    free(out.ptr);
    return done;
}

static void log_request(const request_t *request, uint64_t codec, const text_processor_string_t *id) {
    text_processor_tuple2_string_string_t pairs[] = {
        { as_string("operation"), { request->operation, request->operation_len } },
        { as_string("codec"), as_string(codec == JSON ? "json" : "msgpack") },
        { as_string("request-id"), *id },
    };
    text_processor_list_tuple2_string_string_t details = { pairs, 3 };
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_DEBUG, "executing", &details);
}

static bool execute(
    text_processor_list_u8_t *payload, const context_t *context, text_processor_list_u8_t *ret, execution_error_t *err) {
    airssys_multicodec_core_multicodec_utilities_decoded_data_t decoded;
    multicodec_error_t error;
    if (state != READY) return failed(err, "text-processor is not initialised");
    if (!airssys_multicodec_core_multicodec_utilities_decode(payload, &decoded, &error)) {
        return refuse_prefix(&error, err);
    }
    request_t request = { 0 };
    text_t data = { decoded.data.ptr, decoded.data.len };
    bool done;
    if (decoded.codec != JSON && decoded.codec != MSGPACK) {
        done = unsupported_codec(err, decoded.codec);
    } else {
        const char *problem = decoded.codec == JSON ? json_read(data, &request) : msgpack_read(data, &request);
        if (problem == NULL && request.operation == NULL) problem = "`operation` must be a string";
        if (problem != NULL) {
            done = invalid_input(err, problem);
        } else {
            log_request(&request, decoded.codec, &context->request_id);
            done = answer(decoded.codec, &request, ret, err);
        }
    }
    request_free(&request);
    text_processor_list_u8_free(&decoded.data);
    return done;
}

bool exports_airssys_component_core_component_lifecycle_execute(
    text_processor_list_u8_t *operation, context_t *context, text_processor_list_u8_t *ret, execution_error_t *err) {
    bool done = execute(operation, context, ret, err);
    text_processor_list_u8_free(operation);
    exports_airssys_component_core_component_lifecycle_execution_context_free(context);
    return done;
}

void exports_airssys_component_core_component_lifecycle_health(health_t *ret) {
    static const char *const messages[] = { "not initialised", NULL, "shut down" };
    static const uint8_t states[] = {
        AIRSSYS_TYPES_CORE_TYPES_HEALTH_STATE_DEGRADED,
        AIRSSYS_TYPES_CORE_TYPES_HEALTH_STATE_HEALTHY,
        AIRSSYS_TYPES_CORE_TYPES_HEALTH_STATE_UNHEALTHY,
    };
    ret->state = states[state];
    ret->message.is_some = messages[state] != NULL;
    if (ret->message.is_some) text_processor_string_dup(&ret->message.val, messages[state]);
}

bool exports_airssys_component_core_component_lifecycle_shutdown(component_error_t *err) {
    if (state != READY) {
        err->tag = state == CREATED ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_NOT_INITIALIZED
                                    : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
        return false;
    }
    state = STOPPED;
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "text-processor is done", NULL);
    return true;
}
