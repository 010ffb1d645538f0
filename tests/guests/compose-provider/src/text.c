/* Half of a composition: its strings are UTF-16, those of its caller are not. */
#include "provider.h"
#include <stdlib.h>
#include <string.h>

struct exports_fixtures_compose_text_journal_t {
    uint16_t *units;
    size_t len;
    uint32_t lines;
};
typedef exports_fixtures_compose_text_journal_t journal_t;

static uint32_t open_journals;

static void *allocate(size_t size) {
    void *block = malloc(size);
    if (block == NULL) abort();
    return block;
}

static void copy(provider_string_t *to, const uint16_t *units, size_t len) {
    to->len = len;
    to->ptr = allocate(len * sizeof *units);
    memcpy(to->ptr, units, len * sizeof *units);
}

void exports_fixtures_compose_text_shout(provider_string_t *text, provider_string_t *ret) {
    ret->len = text->len + 1;
    ret->ptr = allocate(ret->len * sizeof *ret->ptr);
    for (size_t i = 0; i < text->len; i++) {
        uint16_t unit = text->ptr[i];
        ret->ptr[i] = unit >= 'a' && unit <= 'z' ? unit - 'a' + 'A' : unit;
    }
    ret->ptr[text->len] = '!';
    provider_string_free(text);
}

void exports_fixtures_compose_text_mirror(provider_string_t *text, provider_string_t *ret) {
    size_t len = text->len;
    copy(ret, text->ptr, len);
    for (size_t i = 0; i < len; i++) {
        bool pair = (text->ptr[i] & 0xfc00) == 0xd800;
        if (pair) {
            ret->ptr[len - 2 - i] = text->ptr[i];
            ret->ptr[len - 1 - i] = text->ptr[i + 1];
            i++;
        } else {
            ret->ptr[len - 1 - i] = text->ptr[i];
        }
    }
    provider_string_free(text);
}

uint32_t exports_fixtures_compose_text_units(provider_string_t *text) {
    uint32_t units = text->len;
    provider_string_free(text);
    return units;
}

bool exports_fixtures_compose_text_longest(provider_list_string_t *lines, provider_string_t *ret) {
    provider_string_t *longest = NULL;
    for (size_t i = 0; i < lines->len; i++) {
        if (longest == NULL || lines->ptr[i].len > longest->len) longest = &lines->ptr[i];
    }
    bool found = longest != NULL;
    if (found) copy(ret, longest->ptr, longest->len);
    provider_list_string_free(lines);
    return found;
}

/* Takes `line`, and puts it and a line feed at the journal's end. */
static void append(journal_t *journal, provider_string_t *line) {
    size_t len = journal->len + line->len + 1;
    uint16_t *units = realloc(journal->units, len * sizeof *units);
    if (units == NULL) abort();
    memcpy(units + journal->len, line->ptr, line->len * sizeof *units);
    units[len - 1] = '\n';
    journal->units = units;
    journal->len = len;
    provider_string_free(line);
}

exports_fixtures_compose_text_own_journal_t
exports_fixtures_compose_text_constructor_journal(provider_string_t *title) {
    journal_t *journal = allocate(sizeof *journal);
    memset(journal, 0, sizeof *journal);
    append(journal, title);
    open_journals++;
    return exports_fixtures_compose_text_journal_new(journal);
}

uint32_t exports_fixtures_compose_text_method_journal_add(journal_t *self, provider_string_t *line) {
    append(self, line);
    return ++self->lines;
}

void exports_fixtures_compose_text_method_journal_contents(journal_t *self, provider_string_t *ret) {
    copy(ret, self->units, self->len);
}

void exports_fixtures_compose_text_static_journal_close(
    exports_fixtures_compose_text_own_journal_t journal, provider_string_t *ret) {
    journal_t *taken = exports_fixtures_compose_text_journal_rep(journal);
    copy(ret, taken->units, taken->len);
    exports_fixtures_compose_text_journal_drop_own(journal);
}

void exports_fixtures_compose_text_journal_destructor(journal_t *journal) {
    free(journal->units);
    free(journal);
    open_journals--;
}

uint32_t exports_fixtures_compose_text_open_journals(void) {
    return open_journals;
}
