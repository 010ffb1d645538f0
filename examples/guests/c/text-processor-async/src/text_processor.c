/* An example guest with asynchronous functions: the outer half, which decodes requests, and has the texts worked on by another
   component, over streams. */
#include "codec.h"
#include "task.h"
#include "text_processor.h"
#include <stdlib.h>
#include <string.h>

/* Short names for generated names, which include package and interface. */
typedef exports_airssys_component_core_component_lifecycle_component_config_t config_t;
typedef exports_airssys_component_core_component_lifecycle_execution_context_t context_t;
typedef exports_airssys_component_core_component_lifecycle_health_status_t health_t;
typedef exports_airssys_component_core_component_lifecycle_result_void_component_error_t done_t;
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

text_processor_callback_code_t exports_airssys_component_core_component_lifecycle_init(config_t *config) {
    bool configured = config->config_data.is_some && config->config_data.val.len > 0;
    exports_airssys_component_core_component_lifecycle_component_config_free(config);
    done_t done = { .is_err = state != CREATED || configured };
    if (state != CREATED) {
        done.val.err.tag = state == READY ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_ALREADY_INITIALIZED
                                          : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
    } else if (configured) {
        done.val.err.tag = AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_INVALID_CONFIG;
        done.val.err.val.invalid_config = as_string("text-processor takes no configuration data");
    } else {
        state = READY;
        log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "text-processor is ready", NULL);
    }
    /* The result is copied before this returns. */
    exports_airssys_component_core_component_lifecycle_init_return(done);
    return TEXT_PROCESSOR_CALLBACK_CODE_EXIT;
}

text_processor_callback_code_t exports_airssys_component_core_component_lifecycle_init_callback(
    text_processor_event_t *event) {
    abort(); /* `init` has ended when it returns. */
}

static answered_t refuse_prefix(const multicodec_error_t *error) {
    switch (error->tag) {
    case AIRSSYS_MULTICODEC_CORE_MULTICODEC_UTILITIES_MULTICODEC_ERROR_EMPTY:
        return invalid_input("the payload is empty");
    case AIRSSYS_MULTICODEC_CORE_MULTICODEC_UTILITIES_MULTICODEC_ERROR_TRUNCATED_PREFIX:
        return invalid_input("the payload ends within its multicodec prefix");
    case AIRSSYS_MULTICODEC_CORE_MULTICODEC_UTILITIES_MULTICODEC_ERROR_OVERLONG_PREFIX:
        return invalid_input("the payload's multicodec prefix is overlong");
    default:
        return unsupported_codec(error->val.unknown_codec);
    }
}

static void log_request(const task_t *task, const text_processor_string_t *id) {
    text_processor_tuple2_string_string_t pairs[] = {
        { as_string("operation"), { task->request.operation, task->request.operation_len } },
        { as_string("codec"), as_string(task->codec == JSON ? "json" : "msgpack") },
        { as_string("request-id"), *id },
    };
    text_processor_list_tuple2_string_string_t details = { pairs, 3 };
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_DEBUG, "executing", &details);
}

/* Decodes a request into a task. Returns true if the task can begin, else the answer. */
static bool decode(
    text_processor_list_u8_t *payload, const context_t *context, task_t *task, answered_t *answered) {
    airssys_multicodec_core_multicodec_utilities_decoded_data_t decoded;
    multicodec_error_t error;
    if (state != READY) {
        *answered = failed("text-processor is not initialised");
        return false;
    }
    if (!airssys_multicodec_core_multicodec_utilities_decode(payload, &decoded, &error)) {
        *answered = refuse_prefix(&error);
        return false;
    }
    text_t data = { decoded.data.ptr, decoded.data.len };
    const char *problem = NULL;
    task->codec = decoded.codec;
    if (decoded.codec == JSON) {
        problem = json_read(data, &task->request);
    } else if (decoded.codec == MSGPACK) {
        problem = msgpack_read(data, &task->request);
    } else {
        text_processor_list_u8_free(&decoded.data);
        *answered = unsupported_codec(decoded.codec);
        return false;
    }
    text_processor_list_u8_free(&decoded.data);
    if (problem == NULL && task->request.operation == NULL) problem = "`operation` must be a string";
    if (problem == NULL) {
        log_request(task, &context->request_id);
        text_t name = { task->request.operation, task->request.operation_len };
        while (task->operation < OPERATION_COUNT && !text_is(name, OPERATIONS[task->operation])) task->operation++;
        if (task->operation == OPERATION_COUNT) {
            *answered = unsupported_operation(name);
            return false;
        }
        if (!task->request.has_params) problem = "`params` is missing";
        else if (task->request.text == NULL) problem = "params: `text` must be a string";
    }
    if (problem != NULL) *answered = invalid_input(problem);
    return problem == NULL;
}

text_processor_callback_code_t exports_airssys_component_core_component_lifecycle_execute(
    text_processor_list_u8_t *operation, context_t *context) {
    answered_t answered;
    task_t *task = task_new();
    bool decoded = decode(operation, context, task, &answered);
    text_processor_list_u8_free(operation);
    exports_airssys_component_core_component_lifecycle_execution_context_free(context);
    if (decoded) return task_begin(task);
    return task_end(task, answered);
}

text_processor_callback_code_t exports_airssys_component_core_component_lifecycle_execute_callback(
    text_processor_event_t *event) {
    return task_event(event);
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

text_processor_callback_code_t exports_airssys_component_core_component_lifecycle_shutdown(void) {
    done_t done = { .is_err = state != READY };
    if (state != READY) {
        done.val.err.tag = state == CREATED ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_NOT_INITIALIZED
                                            : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
    } else {
        state = STOPPED;
        log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "text-processor is done", NULL);
    }
    exports_airssys_component_core_component_lifecycle_shutdown_return(done);
    return TEXT_PROCESSOR_CALLBACK_CODE_EXIT;
}

text_processor_callback_code_t exports_airssys_component_core_component_lifecycle_shutdown_callback(
    text_processor_event_t *event) {
    abort(); /* `shutdown` has ended when it returns. */
}
