(component
  (import "plain" (func $plain (param "a" u32) (result u32)))
  (import "ns:pkg/host@1.2.0" (instance $host
    (export "r" (type $r (sub resource)))
    (export "make" (func (result (own $r))))
    (export "say" (func (param "text" string) (result (list string))))))
  (alias export $host "make" (func $make))
  (alias export $host "say" (func $say))
  (core module $libc
    (memory (export "mem") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
  (core instance $libc (instantiate $libc))
  (core func $plain (canon lower (func $plain)))
  (core func $make (canon lower (func $make)))
  (core func $say (canon lower (func $say) (memory (core memory $libc "mem")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "" "plain" (func $plain (param i32) (result i32)))
    (import "" "make" (func $make (result i32)))
    (import "" "say" (func $say (param i32 i32 i32)))
    (func (export "say") (call $say (i32.const 0) (i32.const 4) (i32.const 16)))
    (func (export "run") (result i32) (call $plain (i32.const 1)))
    (func (export "idle")))
  (core instance $i (instantiate $m (with "" (instance
    (export "plain" (func $plain)) (export "make" (func $make)) (export "say" (func $say))))))
  (func $idle (canon lift (core func $i "idle")))
  (func $run (result u32) (canon lift (core func $i "run")))
  (func (export "say") (canon lift (core func $i "say")))
  (instance (export "ns:pkg/run@0.1.0") (export "idle" (func $idle)) (export "run" (func $run))))
