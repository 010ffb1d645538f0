;; Answers requests as the second character of their paths says, and counts them.
(module
  (import "wasi:http/types@0.3.0" "[method]request.get-path-with-query" (func $path (param i32 i32)))
  (import "wasi:http/types@0.3.0" "[static]request.consume-body" (func $consume (param i32 i32 i32)))
  (import "wasi:http/types@0.3.0" "[future-new-0][static]request.consume-body" (func $done-new (result i64)))
  (import "wasi:http/types@0.3.0" "[future-write-0][static]request.consume-body"
    (func $done-write (param i32 i32) (result i32)))
  (import "wasi:http/types@0.3.0" "[future-drop-writable-0][static]request.consume-body"
    (func $done-drop (param i32)))
  (import "wasi:http/types@0.3.0" "[stream-read-1][static]request.consume-body"
    (func $read (param i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.3.0" "[stream-drop-readable-1][static]request.consume-body"
    (func $stream-drop (param i32)))
  (import "wasi:http/types@0.3.0" "[future-drop-readable-2][static]request.consume-body"
    (func $ending-drop (param i32)))
  (import "wasi:http/types@0.3.0" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.3.0" "[method]fields.append"
    (func $append (param i32 i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.3.0" "[static]response.new" (func $response (param i32 i32 i32 i32 i32)))
  (import "wasi:http/types@0.3.0" "[stream-new-0][static]response.new" (func $stream-new (result i64)))
  (import "wasi:http/types@0.3.0" "[stream-write-0][static]response.new"
    (func $write (param i32 i32 i32) (result i32)))
  (import "wasi:http/types@0.3.0" "[stream-drop-writable-0][static]response.new" (func $write-drop (param i32)))
  (import "wasi:http/types@0.3.0" "[future-new-1][static]response.new" (func $ending-new (result i64)))
  (import "wasi:http/types@0.3.0" "[future-write-1][static]response.new"
    (func $ending-write (param i32 i32) (result i32)))
  (import "wasi:http/types@0.3.0" "[future-drop-writable-1][static]response.new" (func $ending-done (param i32)))
  (import "wasi:http/types@0.3.0" "[future-read-2][static]response.new"
    (func $sent-read (param i32 i32) (result i32)))
  (import "wasi:http/types@0.3.0" "[future-drop-readable-2][static]response.new" (func $sent-drop (param i32)))
  (import "wasi:http/types@0.3.0" "[method]response.set-status-code"
    (func $status (param i32 i32) (result i32)))
  (import "wasi:http/client@0.3.0" "send" (func $send (param i32 i32)))
  (import "wasi:clocks/monotonic-clock@0.3.0" "[async-lower]wait-for" (func $wait (param i64) (result i32)))
  (import "wasi:clocks/monotonic-clock@0.3.0" "now" (func $now (result i64)))
  (import "$root" "[backpressure-inc]" (func $backpressure-inc))
  (import "$root" "[backpressure-dec]" (func $backpressure-dec))
  (import "$root" "[waitable-set-new]" (func $set-new (result i32)))
  (import "$root" "[waitable-set-drop]" (func $set-drop (param i32)))
  (import "$root" "[waitable-join]" (func $join (param i32 i32)))
  (import "$root" "[subtask-cancel]" (func $subtask-cancel (param i32) (result i32)))
  (import "$root" "[subtask-drop]" (func $subtask-drop (param i32)))
  ;; The wait of a task, and its set in the upper half.
  (import "$root" "[context-get-0]" (func $get (result i32)))
  (import "$root" "[context-set-0]" (func $set (param i32)))
  (import "[export]$root" "[task-cancel]" (func $task-cancel))
  (import "[export]wasi:http/handler@0.3.0" "[task-return]handle"
    (func $return (param i32 i32 i32 i64 i32 i32 i32 i32)))
  (memory (export "memory") 4)
  (global $next (mut i32) (i32.const 131072))
  (global $requests (mut i32) (i32.const 0))
  ;; The request that waits last: 0 ends when it is cancelled, 1 ignores that, 2 answers with a body without end, 3 lets others enter.
  (global $deaf (mut i32) (i32.const 0))
  (data (i32.const 1024) "x-count0")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (if (i32.gt_u (i32.add (local.get $at) (local.get 3)) (i32.const 196608))
      (then (local.set $at (i32.const 131072))))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $answer (param $response i32)
    (call $return (i32.const 0) (local.get $response) (i32.const 0) (i64.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
  ;; Takes the body of a request: its stream at 64, its ending at 68.
  (func $take (param $request i32)
    (local $done i64)
    (local.set $done (call $done-new))
    (call $consume (local.get $request) (i32.wrap_i64 (local.get $done)) (i32.const 64))
    (i32.store8 (i32.const 96) (i32.const 0))
    (drop (call $done-write (i32.wrap_i64 (i64.shr_u (local.get $done) (i64.const 32))) (i32.const 96)))
    (call $done-drop (i32.wrap_i64 (i64.shr_u (local.get $done) (i64.const 32)))))
  ;; Makes a response: its handle at 128, the result of sending it at 132. A header has the number of requests, modulo 64.
  (func $make (param $has i32) (param $stream i32) (param $ending i32) (result i32)
    (local $fields i32)
    (local.set $fields (call $fields))
    (i32.store8 (i32.const 1031) (i32.add (i32.const 48) (i32.and (global.get $requests) (i32.const 63))))
    (call $append (local.get $fields) (i32.const 1024) (i32.const 7) (i32.const 1031) (i32.const 1) (i32.const 160))
    (call $response (local.get $fields) (local.get $has) (local.get $stream) (local.get $ending) (i32.const 128))
    (i32.load (i32.const 128)))
  ;; Answers without a body.
  (func $plain
    (local $ending i64)
    (local.set $ending (call $ending-new))
    (call $answer (call $make (i32.const 0) (i32.const 0) (i32.wrap_i64 (local.get $ending))))
    (call $sent-drop (i32.load (i32.const 132)))
    (call $finish (local.get $ending)))
  ;; Writes that there are no trailers.
  (func $finish (param $ending i64)
    (i64.store (i32.const 192) (i64.const 0))
    (drop (call $ending-write (i32.wrap_i64 (i64.shr_u (local.get $ending) (i64.const 32))) (i32.const 192)))
    (call $ending-done (i32.wrap_i64 (i64.shr_u (local.get $ending) (i64.const 32)))))
  ;; Answers, and writes without end.
  (func $endless
    (local $pair i64) (local $ending i64)
    (local.set $pair (call $stream-new))
    (local.set $ending (call $ending-new))
    (call $answer
      (call $make (i32.const 1) (i32.wrap_i64 (local.get $pair)) (i32.wrap_i64 (local.get $ending))))
    (loop $more
      (br_if $more
        (i32.ne
          (i32.and
            (call $write (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))) (i32.const 4096) (i32.const 4096))
            (i32.const 15))
          (i32.const 1))))
    (call $write-drop (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))))
    (call $finish (local.get $ending))
    ;; The result of sending it is a failure.
    (drop (call $sent-read (i32.load (i32.const 132)) (i32.const 320)))
    (call $sent-drop (i32.load (i32.const 132)))
    (if (i32.eqz (i32.load8_u (i32.const 320))) (then (unreachable))))
  ;; Begins a long wait.
  (func $begin-wait (param $deaf i32) (result i32)
    (local $subtask i32) (local $set i32)
    (global.set $deaf (local.get $deaf))
    (local.set $subtask (i32.shr_u (call $wait (i64.const 0x1000000000000000)) (i32.const 4)))
    (local.set $set (call $set-new))
    (call $join (local.get $subtask) (local.get $set))
    (call $set (i32.or (local.get $subtask) (i32.shl (local.get $set) (i32.const 16))))
    (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))
  (func (export "[async-lift]wasi:http/handler@0.3.0#handle") (param $request i32) (result i32)
    (local $mode i32) (local $pair i64) (local $ending i64)
    (global.set $requests (i32.add (global.get $requests) (i32.const 1)))
    (call $path (local.get $request) (i32.const 0))
    (local.set $mode (i32.load8_u (i32.add (i32.load (i32.const 4)) (i32.const 1))))
    ;; Echo: the body as it is.
    (if (i32.eq (local.get $mode) (i32.const 101))
      (then
        (call $take (local.get $request))
        (call $answer (call $make (i32.const 1) (i32.load (i32.const 64)) (i32.load (i32.const 68))))
        (call $sent-drop (i32.load (i32.const 132)))
        (return (i32.const 0))))
    ;; Proxy: the request as it is, and the response, or the failure.
    (if (i32.eq (local.get $mode) (i32.const 112))
      (then
        (call $send (local.get $request) (i32.const 256))
        (if (i32.load8_u (i32.const 256))
          (then
            (call $return (i32.const 1) (i32.load8_u (i32.const 264)) (i32.const 0) (i64.const 0)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
          (else (call $answer (i32.load (i32.const 264)))))
        (return (i32.const 0))))
    ;; Half: a part of the body is read, and the rest is given up.
    (if (i32.eq (local.get $mode) (i32.const 104))
      (then
        (call $take (local.get $request))
        (drop (call $read (i32.load (i32.const 64)) (i32.const 4096) (i32.const 100)))
        (call $stream-drop (i32.load (i32.const 64)))
        (call $ending-drop (i32.load (i32.const 68)))
        (call $plain)
        (return (i32.const 0))))
    ;; Declares that there are no trailers, writes, and traps in the middle.
    (if (i32.eq (local.get $mode) (i32.const 109))
      (then
        (call $take (local.get $request))
        (call $stream-drop (i32.load (i32.const 64)))
        (local.set $pair (call $stream-new))
        (call $answer (call $make (i32.const 1) (i32.wrap_i64 (local.get $pair)) (i32.load (i32.const 68))))
        (drop (call $write (i32.wrap_i64 (i64.shr_u (local.get $pair) (i64.const 32))) (i32.const 4096) (i32.const 100)))
        (unreachable)))
    ;; Writes without end.
    (if (i32.eq (local.get $mode) (i32.const 102))
      (then
        (call $endless)
        (return (i32.const 0))))
    ;; Computes for two seconds.
    (if (i32.eq (local.get $mode) (i32.const 108))
      (then
        (local.set $ending (i64.add (call $now) (i64.const 2_000_000_000)))
        (loop $spin (br_if $spin (i64.lt_u (call $now) (local.get $ending))))
        (call $plain)
        (return (i32.const 0))))
    ;; Blocks all others, and waits.
    (if (i32.eq (local.get $mode) (i32.const 98))
      (then
        (call $backpressure-inc)
        (return (call $begin-wait (i32.const 3)))))
    (if (i32.eq (local.get $mode) (i32.const 114)) (then (return (call $begin-wait (i32.const 2)))))
    (if (i32.eq (local.get $mode) (i32.const 116)) (then (unreachable)))
    (if (i32.eq (local.get $mode) (i32.const 115)) (then (loop $spin (br $spin))))
    (if (i32.eq (local.get $mode) (i32.const 119)) (then (return (call $begin-wait (i32.const 0)))))
    (if (i32.eq (local.get $mode) (i32.const 110)) (then (return (call $begin-wait (i32.const 1)))))
    (call $plain)
    (i32.const 0))
  (func (export "[callback][async-lift]wasi:http/handler@0.3.0#handle")
    (param $event i32) (param i32 i32) (result i32)
    (local $subtask i32) (local $set i32)
    (if (i32.ne (local.get $event) (i32.const 6)) (then (unreachable)))
    (local.set $subtask (i32.and (call $get) (i32.const 65535)))
    (local.set $set (i32.shr_u (call $get) (i32.const 16)))
    (if (i32.eq (global.get $deaf) (i32.const 1))
      (then (return (i32.or (i32.const 2) (i32.shl (local.get $set) (i32.const 4))))))
    (call $join (local.get $subtask) (i32.const 0))
    (drop (call $subtask-cancel (local.get $subtask)))
    (call $subtask-drop (local.get $subtask))
    (call $set-drop (local.get $set))
    (if (i32.eq (global.get $deaf) (i32.const 2)) (then (call $endless) (return (i32.const 0))))
    (if (i32.eq (global.get $deaf) (i32.const 3)) (then (call $backpressure-dec)))
    (call $task-cancel)
    (i32.const 0)))
