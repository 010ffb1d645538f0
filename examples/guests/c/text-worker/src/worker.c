/* The inner half of an asynchronous text processor: works on texts that arrive as streams. */
#include "text.h"
#include "text_worker.h"
#include <stdlib.h>

/* Short names for generated names, which include package and interface. */
typedef exports_guests_text_work_stream_u8_t stream_t;
typedef exports_guests_text_work_stream_u8_writer_t stream_writer_t;
typedef exports_guests_text_work_future_measures_writer_t future_writer_t;
typedef exports_guests_text_work_counts_t counts_t;
typedef exports_guests_text_work_measures_t measures_t;

/* Bytes that are read at a time. */
#define PIECE 16384u

/* Waits for the end of a read or write that could not end at once; returns its status. */
static uint32_t ended(uint32_t waitable, uint32_t status) {
    if (status != TEXT_WORKER_WAITABLE_STATUS_BLOCKED) return status;
    text_worker_event_t event;
    text_worker_waitable_set_t set = text_worker_waitable_set_new();
    text_worker_waitable_join(waitable, set);
    text_worker_waitable_set_wait(set, &event);
    text_worker_waitable_join(waitable, 0);
    text_worker_waitable_set_drop(set);
    return event.code;
}

/* Reads a stream to its end. The caller frees the text. */
static text_t gather(stream_t stream) {
    uint8_t *bytes = NULL;
    size_t length = 0, room = 0;
    for (;;) {
        if (room - length < PIECE) {
            room = 2 * room + PIECE;
            bytes = realloc(bytes, room);
            if (bytes == NULL) abort();
        }
        uint32_t status = ended(stream, exports_guests_text_work_stream_u8_read(stream, bytes + length, PIECE));
        length += TEXT_WORKER_WAITABLE_COUNT(status);
        if (TEXT_WORKER_WAITABLE_STATE(status) == TEXT_WORKER_WAITABLE_DROPPED) break;
        /* Other tasks of the composition may run between two pieces. */
        text_worker_thread_yield();
    }
    exports_guests_text_work_stream_u8_drop_readable(stream);
    return (text_t){ bytes, length };
}

/* Writes a whole text, or as much as the other side reads. */
static void send(stream_writer_t writer, text_t text) {
    size_t sent = 0;
    while (sent < text.len) {
        uint32_t status = exports_guests_text_work_stream_u8_write(writer, text.ptr + sent, text.len - sent);
        status = ended(writer, status);
        sent += TEXT_WORKER_WAITABLE_COUNT(status);
        if (TEXT_WORKER_WAITABLE_STATE(status) == TEXT_WORKER_WAITABLE_DROPPED) break;
    }
    exports_guests_text_work_stream_u8_drop_writable(writer);
}

text_worker_callback_code_t exports_guests_text_work_word_count(stream_t stream) {
    text_t text = gather(stream);
    counts_t counts;
    if (!text_unique_words(text, &counts.count, &counts.unique)) abort();
    free((void *)text.ptr);
    exports_guests_text_work_word_count_return(counts);
    return TEXT_WORKER_CALLBACK_CODE_EXIT;
}

text_worker_callback_code_t exports_guests_text_work_reverse(stream_t stream) {
    stream_writer_t writer;
    exports_guests_text_work_reverse_return(exports_guests_text_work_stream_u8_new(&writer));
    /* The function has returned; its task goes on. */
    text_t text = gather(stream);
    uint8_t *reversed = malloc(text.len + 1);
    if (reversed == NULL) abort();
    text_reverse(text, reversed);
    free((void *)text.ptr);
    send(writer, (text_t){ reversed, text.len });
    free(reversed);
    return TEXT_WORKER_CALLBACK_CODE_EXIT;
}

text_worker_callback_code_t exports_guests_text_work_statistics(stream_t stream) {
    future_writer_t writer;
    exports_guests_text_work_statistics_return(exports_guests_text_work_future_measures_new(&writer));
    text_t text = gather(stream);
    statistics_t all = text_statistics(text);
    measures_t measures = {
        .chars = all.chars,
        .words = all.words,
        .lines = all.lines,
        .bytes = all.bytes,
        .letters = all.letters,
        .longest_word = { (uint8_t *)all.longest.ptr, all.longest.len },
    };
    ended(writer, exports_guests_text_work_future_measures_write(writer, &measures));
    exports_guests_text_work_future_measures_drop_writable(writer);
    free((void *)text.ptr);
    return TEXT_WORKER_CALLBACK_CODE_EXIT;
}

/* Not called: the functions above wait where they are, and do not return to be called again. */
text_worker_callback_code_t exports_guests_text_work_word_count_callback(text_worker_event_t *event) {
    abort();
}

text_worker_callback_code_t exports_guests_text_work_reverse_callback(text_worker_event_t *event) {
    abort();
}

text_worker_callback_code_t exports_guests_text_work_statistics_callback(text_worker_event_t *event) {
    abort();
}
