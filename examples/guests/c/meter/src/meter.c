/* An example guest: passes the messages of components on to the next one, and counts them. */
#include "meter.h"
#include <stdlib.h>
#include <string.h>

/* Short names for generated names, which include package and interface. */
typedef exports_airssys_component_core_component_lifecycle_component_config_t config_t;
typedef exports_airssys_component_core_component_lifecycle_component_error_t component_error_t;
typedef exports_airssys_component_core_component_lifecycle_component_metadata_t metadata_t;
typedef exports_airssys_component_core_component_lifecycle_execution_context_t context_t;
typedef exports_airssys_component_core_component_lifecycle_execution_error_t execution_error_t;
typedef exports_airssys_component_core_component_lifecycle_health_status_t health_t;
typedef exports_airssys_component_core_component_lifecycle_list_multicodec_id_t codecs_t;
typedef airssys_messaging_core_messaging_messaging_error_t messaging_error_t;

/* The codec of answers; its prefix has two bytes. */
#define JSON 0x0200

static enum { CREATED, READY, STOPPED } state = CREATED;

/* The setting `next`, which is kept until the end. */
static meter_string_t next;

static uint64_t messages, bytes;

static void log_text(uint8_t level, const char *text) {
    meter_string_t message = { (uint8_t *)text, strlen(text) };
    airssys_host_core_host_services_log(level, &message, NULL);
}

/* Reads the setting `next`; false if there is none. */
static bool read_next(void) {
    meter_string_t key = { (uint8_t *)"next", 4 };
    meter_option_string_t setting;
    airssys_host_core_host_services_config_error_t error;
    if (!airssys_host_core_host_services_get_config(&key, &setting, &error)) {
        airssys_host_core_host_services_config_error_free(&error);
        return false;
    }
    if (setting.is_some) next = setting.val;
    return setting.is_some;
}

bool exports_airssys_component_core_component_lifecycle_init(config_t *config, component_error_t *err) {
    exports_airssys_component_core_component_lifecycle_component_config_free(config);
    if (state != CREATED) {
        err->tag = state == READY ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_ALREADY_INITIALIZED
                                  : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
        return false;
    }
    if (!read_next()) {
        err->tag = AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_INVALID_CONFIG;
        meter_string_dup(&err->val.invalid_config, "the setting `next` must be the identity of a component");
        return false;
    }
    state = READY;
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "meter is ready");
    return true;
}

static bool failed(execution_error_t *err, const char *reason) {
    err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_FAILED;
    meter_string_dup(&err->val.failed, reason);
    return false;
}

static bool unsent(messaging_error_t *error, execution_error_t *err) {
    uint8_t tag = error->tag;
    airssys_messaging_core_messaging_messaging_error_free(error);
    switch (tag) {
    case AIRSSYS_MESSAGING_CORE_MESSAGING_MESSAGING_ERROR_MAILBOX_FULL:
    case AIRSSYS_MESSAGING_CORE_MESSAGING_MESSAGING_ERROR_TOO_LARGE:
        err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_RESOURCE_EXHAUSTED;
        meter_string_dup(&err->val.resource_exhausted, "the next component has no room for the message");
        return false;
    case AIRSSYS_MESSAGING_CORE_MESSAGING_MESSAGING_ERROR_UNKNOWN_TARGET:
        return failed(err, "the next component is not loaded");
    default:
        return failed(err, "sending is denied, or messaging is closed");
    }
}

static size_t put_text(uint8_t *out, const char *text) {
    size_t length = strlen(text);
    memcpy(out, text, length);
    return length;
}

static size_t put_number(uint8_t *out, uint64_t value) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++) out[i] = (uint8_t)digits[count - 1 - i];
    return count;
}

/* Answers with the counters, in at most 2 + 25 + 2 * 20 bytes. */
static void answer(meter_list_u8_t *ret) {
    uint8_t *out = malloc(80);
    if (out == NULL) abort();
    size_t length = 0;
    out[length++] = (JSON & 0x7f) | 0x80;
    out[length++] = JSON >> 7;
    length += put_text(out + length, "{\"messages\":");
    length += put_number(out + length, messages);
    length += put_text(out + length, ",\"bytes\":");
    length += put_number(out + length, bytes);
    length += put_text(out + length, "}");
    *ret = (meter_list_u8_t){ out, length };
}

static bool execute(
    meter_list_u8_t *payload, const context_t *context, meter_list_u8_t *ret, execution_error_t *err) {
    if (state != READY) return failed(err, "meter is not initialised");
    if (context->caller.tag == AIRSSYS_TYPES_CORE_TYPES_CALLER_INFO_COMPONENT) {
        messaging_error_t error;
        if (!airssys_host_core_host_services_send_message(&next, payload, &error)) return unsent(&error, err);
        messages++;
        bytes += payload->len;
    }
    answer(ret);
    return true;
}

bool exports_airssys_component_core_component_lifecycle_execute(
    meter_list_u8_t *operation, context_t *context, meter_list_u8_t *ret, execution_error_t *err) {
    bool done = execute(operation, context, ret, err);
    meter_list_u8_free(operation);
    exports_airssys_component_core_component_lifecycle_execution_context_free(context);
    return done;
}

static void list_strings(meter_list_string_t *list, const char *const *texts, size_t count) {
    list->len = count;
    list->ptr = malloc(count * sizeof *list->ptr);
    if (list->ptr == NULL) abort();
    for (size_t i = 0; i < count; i++) meter_string_dup(&list->ptr[i], texts[i]);
}

void exports_airssys_component_core_component_lifecycle_supported_codecs(codecs_t *ret) {
    ret->len = 1;
    ret->ptr = malloc(sizeof *ret->ptr);
    if (ret->ptr == NULL) abort();
    ret->ptr[0] = JSON;
}

void exports_airssys_component_core_component_lifecycle_metadata(metadata_t *ret) {
    static const char *const operations[] = { "counters" };
    static const char *const tags[] = { "messages", "pipeline", "example" };

    memset(ret, 0, sizeof *ret);
    meter_string_dup(&ret->name, "meter");
    meter_string_dup(&ret->version, "1.0.0");
    meter_string_dup(&ret->description, "Passes the messages of components on to the next one, and counts them");
    meter_string_dup(&ret->author, "The airssys-wasm authors");
    meter_string_dup(&ret->license, "MIT OR Apache-2.0");
    list_strings(&ret->supported_operations, operations, 1);
    exports_airssys_component_core_component_lifecycle_supported_codecs((codecs_t *)&ret->supported_codecs);
    meter_string_dup(&ret->language, "c");
    ret->memory_requirements.min_memory_bytes = 2u << 16;
    ret->memory_requirements.max_memory_bytes = 64u << 20;
    ret->memory_requirements.preferred_memory_bytes = 1u << 20;
    ret->timeout_ms.is_some = true;
    ret->timeout_ms.val = 1000;
    ret->stateful = true;
    meter_string_dup(&ret->api_version, "1.0.0");
    ret->repository.is_some = true;
    meter_string_dup(&ret->repository.val, "https://github.com/airssys/airssys-wasm");
    list_strings(&ret->tags, tags, 3);
}

void exports_airssys_component_core_component_lifecycle_health(health_t *ret) {
    static const char *const texts[] = { "not initialised", NULL, "shut down" };
    static const uint8_t states[] = {
        AIRSSYS_TYPES_CORE_TYPES_HEALTH_STATE_DEGRADED,
        AIRSSYS_TYPES_CORE_TYPES_HEALTH_STATE_HEALTHY,
        AIRSSYS_TYPES_CORE_TYPES_HEALTH_STATE_UNHEALTHY,
    };
    ret->state = states[state];
    ret->message.is_some = texts[state] != NULL;
    if (ret->message.is_some) meter_string_dup(&ret->message.val, texts[state]);
}

bool exports_airssys_component_core_component_lifecycle_shutdown(component_error_t *err) {
    if (state != READY) {
        err->tag = state == CREATED ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_NOT_INITIALIZED
                                    : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
        return false;
    }
    state = STOPPED;
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "meter is done");
    return true;
}
