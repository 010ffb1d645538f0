/* The description of the text processor. */
#include "codec.h"
#include "text_processor.h"
#include <stdlib.h>
#include <string.h>

typedef exports_airssys_component_core_component_lifecycle_component_metadata_t metadata_t;
typedef exports_airssys_component_core_component_lifecycle_list_multicodec_id_t codecs_t;

static void list_strings(text_processor_list_string_t *list, const char *const *texts, size_t count) {
    list->len = count;
    list->ptr = malloc(count * sizeof *list->ptr);
    if (list->ptr == NULL) abort();
    for (size_t i = 0; i < count; i++) text_processor_string_dup(&list->ptr[i], texts[i]);
}

void exports_airssys_component_core_component_lifecycle_supported_codecs(codecs_t *ret) {
    ret->len = 2;
    ret->ptr = malloc(2 * sizeof *ret->ptr);
    if (ret->ptr == NULL) abort();
    ret->ptr[0] = JSON;
    ret->ptr[1] = MSGPACK;
}

void exports_airssys_component_core_component_lifecycle_metadata(metadata_t *ret) {
    static const char *const operations[] = { "word-count", "reverse", "statistics" };
    static const char *const tags[] = { "text", "example" };
    static const char *const custom[2][2] = {
        { "text:word-separator", "Unicode white space" },
        { "text:reverse-unit", "Unicode scalar value" },
    };

    memset(ret, 0, sizeof *ret);
    text_processor_string_dup(&ret->name, "text-processor");
    text_processor_string_dup(&ret->version, "1.0.0");
    text_processor_string_dup(&ret->description, "Counts words, reverses text and measures it");
    text_processor_string_dup(&ret->author, "The airssys-wasm authors");
    text_processor_string_dup(&ret->license, "MIT OR Apache-2.0");
    list_strings(&ret->supported_operations, operations, 3);
    exports_airssys_component_core_component_lifecycle_supported_codecs((codecs_t *)&ret->supported_codecs);
    text_processor_string_dup(&ret->language, "c");
    ret->memory_requirements.min_memory_bytes = 1u << 20;
    ret->memory_requirements.max_memory_bytes = 64u << 20;
    ret->memory_requirements.preferred_memory_bytes = 4u << 20;
    ret->timeout_ms.is_some = true;
    ret->timeout_ms.val = 1000;
    text_processor_string_dup(&ret->api_version, "1.0.0");
    ret->repository.is_some = true;
    text_processor_string_dup(&ret->repository.val, "https://github.com/airssys/airssys-wasm");
    list_strings(&ret->tags, tags, 2);

    text_processor_list_tuple2_string_string_t *pairs = &ret->custom_metadata.val;
    ret->custom_metadata.is_some = true;
    pairs->len = 2;
    pairs->ptr = malloc(2 * sizeof *pairs->ptr);
    if (pairs->ptr == NULL) abort();
    for (size_t i = 0; i < 2; i++) {
        text_processor_string_dup(&pairs->ptr[i].f0, custom[i][0]);
        text_processor_string_dup(&pairs->ptr[i].f1, custom[i][1]);
    }
}
