/* Operations that wait for another component. */
#ifndef TASK_H
#define TASK_H
#include "codec.h"
#include "text_processor.h"

/* The result of `execute`. */
typedef exports_airssys_component_core_component_lifecycle_result_list_u8_execution_error_t answered_t;

enum { WORD_COUNT, REVERSE, STATISTICS, OPERATION_COUNT };

/* One call of `execute`, between two events. */
typedef struct {
    uint64_t codec;
    request_t request;
    size_t operation;
    text_processor_waitable_set_t set;
    /* The text on its way to the worker, and how much of it has arrived. */
    guests_text_work_stream_u8_writer_t writer;
    size_t sent;
    bool all_sent;
    /* What the worker's function returns: a value, or the end of a stream or future. */
    guests_text_work_counts_t counts;
    guests_text_work_stream_u8_t reversed;
    guests_text_work_future_measures_t measured;
    /* What arrives from there. */
    guests_text_work_measures_t measures;
    uint8_t *text;
    bool all_received;
} task_t;

task_t *task_new(void);
/* Each returns what a function or its callback returns: to wait for an event, or that all is done. */
text_processor_callback_code_t task_begin(task_t *task);
text_processor_callback_code_t task_event(const text_processor_event_t *event);
text_processor_callback_code_t task_end(task_t *task, answered_t answered);

answered_t invalid_input(const char *reason);
answered_t failed(const char *reason);
answered_t unsupported_codec(uint64_t codec);
answered_t unsupported_operation(text_t name);
#endif
