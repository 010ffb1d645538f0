#include "task.h"
#include <stdlib.h>
#include <string.h>

/* Status of an operation that has ended, of any kind. */
#define STATE TEXT_PROCESSOR_WAITABLE_STATE
#define COUNT TEXT_PROCESSOR_WAITABLE_COUNT

task_t *task_new(void) {
    task_t *task = malloc(sizeof *task);
    if (task == NULL) abort();
    memset(task, 0, sizeof *task);
    task->set = text_processor_waitable_set_new();
    return task;
}

/* Notes that a write has ended. */
static void sent(task_t *task, uint32_t status) {
    task->sent += COUNT(status);
    if (STATE(status) == TEXT_PROCESSOR_WAITABLE_COMPLETED && task->sent < task->request.text_len) return;
    text_processor_waitable_join(task->writer, 0);
    guests_text_work_stream_u8_drop_writable(task->writer);
    task->all_sent = true;
}

/* Writes until a write has to wait. */
static void send(task_t *task) {
    if (task->request.text_len == 0) sent(task, TEXT_PROCESSOR_WAITABLE_COMPLETED);
    while (!task->all_sent) {
        const uint8_t *rest = task->request.text + task->sent;
        uint32_t status = guests_text_work_stream_u8_write(task->writer, rest, task->request.text_len - task->sent);
        if (status == TEXT_PROCESSOR_WAITABLE_STATUS_BLOCKED) return;
        sent(task, status);
    }
}

/* Notes that a read has ended. The reversed text is as long as the other one: `measures.bytes` counts its bytes so far. */
static void received(task_t *task, uint32_t status) {
    uint32_t waitable = task->operation == REVERSE ? task->reversed : task->measured;
    task->measures.bytes += task->operation == REVERSE ? COUNT(status) : 0;
    if (task->operation == REVERSE && STATE(status) == TEXT_PROCESSOR_WAITABLE_COMPLETED) return;
    text_processor_waitable_join(waitable, 0);
    if (task->operation == REVERSE) guests_text_work_stream_u8_drop_readable(waitable);
    else guests_text_work_future_measures_drop_readable(waitable);
    task->all_received = true;
}

/* Reads until a read has to wait. */
static void receive(task_t *task) {
    while (!task->all_received) {
        size_t length = task->measures.bytes;
        /* One byte of room more than the text has, so that there is room for the read that sees the end. */
        uint32_t status = task->operation == REVERSE
            ? guests_text_work_stream_u8_read(task->reversed, task->text + length, task->request.text_len + 1 - length)
            : guests_text_work_future_measures_read(task->measured, &task->measures);
        if (status == TEXT_PROCESSOR_WAITABLE_STATUS_BLOCKED) return;
        received(task, status);
    }
}

/* Goes on after the worker's function has returned. */
static void returned(task_t *task) {
    if (task->operation == WORD_COUNT) {
        task->all_received = true;
        return;
    }
    if (task->operation == REVERSE) {
        task->text = malloc(task->request.text_len + 1);
        if (task->text == NULL) abort();
    }
    text_processor_waitable_join(task->operation == REVERSE ? task->reversed : task->measured, task->set);
    receive(task);
}

static answered_t answer(task_t *task) {
    static const size_t members[] = { 2, 1, 6 };
    answer_t out = answer_begin(task->codec, members[task->operation]);
    const guests_text_work_measures_t *all = &task->measures;
    switch (task->operation) {
    case WORD_COUNT:
        answer_number(&out, "count", task->counts.count);
        answer_number(&out, "unique", task->counts.unique);
        break;
    case REVERSE:
        answer_text(&out, "text", (text_t){ task->text, task->measures.bytes });
        break;
    default:
        answer_number(&out, "chars", all->chars);
        answer_number(&out, "words", all->words);
        answer_number(&out, "lines", all->lines);
        answer_number(&out, "bytes", all->bytes);
        answer_quotient(&out, "average-word-length", all->letters, all->words);
        answer_text(&out, "longest-word", (text_t){ all->longest_word.ptr, all->longest_word.len });
        guests_text_work_measures_free(&task->measures);
    }
    answer_end(&out);
    answered_t answered = { .is_err = false };
    if (out.failed) {
        answered = failed("the memory is used up");
    } else {
        text_processor_list_u8_t data = { out.ptr, out.len };
        airssys_multicodec_core_multicodec_utilities_encode(task->codec, &data, &answered.val.ok);
    }
    free(out.ptr);
    return answered;
}

text_processor_callback_code_t task_end(task_t *task, answered_t answered) {
    exports_airssys_component_core_component_lifecycle_execute_return(answered);
    exports_airssys_component_core_component_lifecycle_result_list_u8_execution_error_free(&answered);
    text_processor_waitable_set_drop(task->set);
    request_free(&task->request);
    free(task->text);
    free(task);
    return TEXT_PROCESSOR_CALLBACK_CODE_EXIT;
}

/* Waits for the next event, or ends. */
static text_processor_callback_code_t go_on(task_t *task) {
    if (task->all_sent && task->all_received) return task_end(task, answer(task));
    return TEXT_PROCESSOR_CALLBACK_CODE_WAIT(task->set);
}

text_processor_callback_code_t task_begin(task_t *task) {
    text_processor_context_set_0(task);
    guests_text_work_stream_u8_t text = guests_text_work_stream_u8_new(&task->writer);
    text_processor_waitable_join(task->writer, task->set);
    uint32_t status = task->operation == WORD_COUNT ? guests_text_work_word_count(text, &task->counts)
        : task->operation == REVERSE               ? guests_text_work_reverse(text, &task->reversed)
                                                   : guests_text_work_statistics(text, &task->measured);
    if (TEXT_PROCESSOR_SUBTASK_STATE(status) == TEXT_PROCESSOR_SUBTASK_RETURNED) returned(task);
    else text_processor_waitable_join(TEXT_PROCESSOR_SUBTASK_HANDLE(status), task->set);
    send(task);
    return go_on(task);
}

text_processor_callback_code_t task_event(const text_processor_event_t *event) {
    task_t *task = text_processor_context_get_0();
    switch (event->event) {
    case TEXT_PROCESSOR_EVENT_SUBTASK:
        if (TEXT_PROCESSOR_SUBTASK_STATE(event->code) == TEXT_PROCESSOR_SUBTASK_RETURNED) {
            text_processor_waitable_join(event->waitable, 0);
            text_processor_subtask_drop(event->waitable);
            returned(task);
        }
        break;
    case TEXT_PROCESSOR_EVENT_STREAM_WRITE:
        sent(task, event->code);
        send(task);
        break;
    case TEXT_PROCESSOR_EVENT_STREAM_READ:
    case TEXT_PROCESSOR_EVENT_FUTURE_READ:
        received(task, event->code);
        receive(task);
        break;
    default: /* Nobody cancels the task. */
        abort();
    }
    return go_on(task);
}

answered_t invalid_input(const char *reason) {
    answered_t answered = { .is_err = true };
    answered.val.err.tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_INVALID_INPUT;
    text_processor_string_dup(&answered.val.err.val.invalid_input, reason);
    return answered;
}

answered_t failed(const char *reason) {
    answered_t answered = { .is_err = true };
    answered.val.err.tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_FAILED;
    text_processor_string_dup(&answered.val.err.val.failed, reason);
    return answered;
}

answered_t unsupported_codec(uint64_t codec) {
    answered_t answered = { .is_err = true };
    answered.val.err.tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_UNSUPPORTED_CODEC;
    answered.val.err.val.unsupported_codec = codec;
    return answered;
}

answered_t unsupported_operation(text_t name) {
    answered_t answered = { .is_err = true };
    answered.val.err.tag = AIRSSYS_TYPES_CORE_TYPES_EXECUTION_ERROR_UNSUPPORTED_OPERATION;
    text_processor_string_dup_n(&answered.val.err.val.unsupported_operation, (const char *)name.ptr, name.len);
    return answered;
}
