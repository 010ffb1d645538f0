/* An example guest: accepts raw bytes and returns their checksum, in big-endian order. */
#include "algorithms.h"
#include "checksum.h"
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

#define RAW 0x55

static enum { CREATED, READY, STOPPED } state = CREATED;
static const algorithm_t *algorithm = &algorithms[0];

static void log_text(uint8_t level, const char *text, const char *key, const char *value) {
    checksum_string_t message = { (uint8_t *)text, strlen(text) };
    checksum_tuple2_string_string_t pair = {
        { (uint8_t *)key, strlen(key) },
        { (uint8_t *)value, strlen(value) },
    };
    checksum_list_tuple2_string_string_t pairs = { &pair, 1 };
    airssys_host_core_host_services_log(level, &message, &pairs);
}

/* Reads the setting `algorithm`, if there is one; false if it names no algorithm. */
static bool choose_algorithm(void) {
    checksum_string_t key = { (uint8_t *)"algorithm", 9 };
    checksum_option_string_t setting;
    airssys_host_core_host_services_config_error_t error;
    if (!airssys_host_core_host_services_get_config(&key, &setting, &error)) {
        airssys_host_core_host_services_config_error_free(&error);
        return true;
    }
    if (!setting.is_some) return true;
    bool found = false;
    for (size_t i = 0; i < 3; i++) {
        const char *name = algorithms[i].name;
        if (setting.val.len == strlen(name) && memcmp(setting.val.ptr, name, setting.val.len) == 0) {
            algorithm = &algorithms[i];
            found = true;
        }
    }
    checksum_option_string_free(&setting);
    return found;
}

bool exports_airssys_component_core_component_lifecycle_init(config_t *config, component_error_t *err) {
    exports_airssys_component_core_component_lifecycle_component_config_free(config);
    if (state != CREATED) {
        err->tag = state == READY ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_ALREADY_INITIALIZED
                                  : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
        return false;
    }
    if (!choose_algorithm()) {
        err->tag = AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_INVALID_CONFIG;
        checksum_string_dup(&err->val.invalid_config, "`algorithm` is one of crc32, adler32, fnv1a64");
        return false;
    }
    state = READY;
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "checksum is ready", "algorithm", algorithm->name);
    return true;
}

static bool invalid_input(execution_error_t *err, const char *reason) {
    err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_INVALID_INPUT;
    checksum_string_dup(&err->val.invalid_input, reason);
    return false;
}

/* Reads the multicodec prefix, an unsigned varint of at most nine bytes, and returns its length. */
static bool read_prefix(const checksum_list_u8_t *payload, size_t *length, execution_error_t *err) {
    uint64_t codec = 0;
    for (size_t i = 0; i < payload->len && i < 9; i++) {
        uint8_t byte = payload->ptr[i];
        codec |= (uint64_t)(byte & 0x7f) << (7 * i);
        if ((byte & 0x80) != 0) continue;
        if (byte == 0 && i > 0) return invalid_input(err, "the payload's multicodec prefix is overlong");
        if (codec != RAW) {
            err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_UNSUPPORTED_CODEC;
            err->val.unsupported_codec = codec;
            return false;
        }
        *length = i + 1;
        return true;
    }
    if (payload->len == 0) return invalid_input(err, "the payload is empty");
    if (payload->len < 9) return invalid_input(err, "the payload ends within its multicodec prefix");
    return invalid_input(err, "the payload's multicodec prefix is overlong");
}

static bool execute(const checksum_list_u8_t *payload, checksum_list_u8_t *ret, execution_error_t *err) {
    size_t prefix;
    if (state != READY) {
        err->tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_FAILED;
        checksum_string_dup(&err->val.failed, "checksum is not initialised");
        return false;
    }
    if (!read_prefix(payload, &prefix, err)) return false;
    digest_t digest = algorithm->digest(payload->ptr + prefix, payload->len - prefix);
    ret->len = 1 + digest.size;
    ret->ptr = malloc(ret->len);
    if (ret->ptr == NULL) abort();
    ret->ptr[0] = RAW;
    for (size_t i = 0; i < digest.size; i++) {
        ret->ptr[1 + i] = (uint8_t)(digest.value >> (8 * (digest.size - 1 - i)));
    }
    return true;
}

bool exports_airssys_component_core_component_lifecycle_execute(
    checksum_list_u8_t *operation, context_t *context, checksum_list_u8_t *ret, execution_error_t *err) {
    bool done = execute(operation, ret, err);
    checksum_list_u8_free(operation);
    exports_airssys_component_core_component_lifecycle_execution_context_free(context);
    return done;
}

static void list_strings(checksum_list_string_t *list, const char *const *texts, size_t count) {
    list->len = count;
    list->ptr = malloc(count * sizeof *list->ptr);
    if (list->ptr == NULL) abort();
    for (size_t i = 0; i < count; i++) checksum_string_dup(&list->ptr[i], texts[i]);
}

void exports_airssys_component_core_component_lifecycle_supported_codecs(codecs_t *ret) {
    ret->len = 1;
    ret->ptr = malloc(sizeof *ret->ptr);
    if (ret->ptr == NULL) abort();
    ret->ptr[0] = RAW;
}

void exports_airssys_component_core_component_lifecycle_metadata(metadata_t *ret) {
    static const char *const operations[] = { "checksum" };
    static const char *const tags[] = { "checksum", "example" };

    memset(ret, 0, sizeof *ret);
    checksum_string_dup(&ret->name, "checksum");
    checksum_string_dup(&ret->version, "1.0.0");
    checksum_string_dup(&ret->description, "CRC-32, Adler-32 or FNV-1a of raw bytes, as the setting `algorithm` says");
    checksum_string_dup(&ret->author, "The airssys-wasm authors");
    checksum_string_dup(&ret->license, "MIT OR Apache-2.0");
    list_strings(&ret->supported_operations, operations, 1);
    exports_airssys_component_core_component_lifecycle_supported_codecs((codecs_t *)&ret->supported_codecs);
    checksum_string_dup(&ret->language, "c");
    ret->memory_requirements.min_memory_bytes = 2u << 16;
    ret->memory_requirements.max_memory_bytes = 64u << 20;
    ret->memory_requirements.preferred_memory_bytes = 1u << 20;
    ret->timeout_ms.is_some = true;
    ret->timeout_ms.val = 1000;
    ret->stateful = false;
    checksum_string_dup(&ret->api_version, "1.0.0");
    ret->repository.is_some = true;
    checksum_string_dup(&ret->repository.val, "https://github.com/airssys/airssys-wasm");
    list_strings(&ret->tags, tags, 2);

    checksum_list_tuple2_string_string_t *custom = &ret->custom_metadata.val;
    ret->custom_metadata.is_some = true;
    custom->len = 1;
    custom->ptr = malloc(sizeof *custom->ptr);
    if (custom->ptr == NULL) abort();
    checksum_string_dup(&custom->ptr[0].f0, "checksum:algorithms");
    checksum_string_dup(&custom->ptr[0].f1, "crc32, adler32, fnv1a64");
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
    if (ret->message.is_some) checksum_string_dup(&ret->message.val, messages[state]);
}

bool exports_airssys_component_core_component_lifecycle_shutdown(component_error_t *err) {
    if (state != READY) {
        err->tag = state == CREATED ? AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_NOT_INITIALIZED
                                    : AIRSSYS_TYPES_CORE_TYPES_COMPONENT_ERROR_SHUT_DOWN;
        return false;
    }
    state = STOPPED;
    log_text(AIRSSYS_TYPES_CORE_TYPES_LOG_LEVEL_INFO, "checksum is done", "algorithm", algorithm->name);
    return true;
}
