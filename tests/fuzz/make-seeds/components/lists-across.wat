(component
  (component $provider
    (core module $m
      (memory (export "mem") 1)
      (data (i32.const 16) "\20\00\00\00\02\00\00\00\28\00\00\00\01\00\00\00\29\00\00\00\01\00\00\00ab")
      (global $next (mut i32) (i32.const 256))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $next (i32.add (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)) (local.get 3)))
        (i32.and (i32.sub (global.get $next) (local.get 3)) (i32.const -8)))
      (func (export "get") (param i32 i32) (result i32) (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "get") (param "a" (list u16)) (result (list string))
      (canon lift (core func $i "get") (memory (core memory $i "mem")) (realloc (core func $i "realloc")))))
  (component $user
    (import "get" (func $get (param "a" (list u16)) (result (list string))))
    (core module $libc
      (memory (export "mem") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 128)))
    (core instance $libc (instantiate $libc))
    (core func $get (canon lower (func $get) (memory (core memory $libc "mem"))
      (realloc (core func $libc "realloc")) string-encoding=utf16))
    (core module $m
      (import "" "get" (func $get (param i32 i32 i32)))
      (import "" "mem" (memory 1))
      (func (export "run") (result i32)
        (call $get (i32.const 64) (i32.const 3) (i32.const 32))
        (i32.load (i32.const 36))))
    (core instance $i (instantiate $m (with "" (instance
      (export "get" (func $get)) (export "mem" (memory $libc "mem"))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))
  (instance $p (instantiate $provider))
  (instance $u (instantiate $user (with "get" (func $p "get"))))
  (export "run" (func $u "run")))
