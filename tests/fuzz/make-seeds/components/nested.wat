(component
  (component $inner
    (import "f" (func $f (param "a" u32) (result u32)))
    (core func $f (canon lower (func $f)))
    (core module $m
      (import "" "f" (func $f (param i32) (result i32)))
      (func (export "twice") (param i32) (result i32) (call $f (call $f (local.get 0)))))
    (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
    (func (export "twice") (param "a" u32) (result u32) (canon lift (core func $i "twice"))))
  (component $outer
    (core module $m (func (export "inc") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
    (core instance $i (instantiate $m))
    (func (export "inc") (param "a" u32) (result u32) (canon lift (core func $i "inc"))))
  (instance $o (instantiate $outer))
  (instance $a (instantiate $inner (with "f" (func $o "inc"))))
  (instance $b (instantiate $inner (with "f" (func $a "twice"))))
  (export "four" (func $b "twice"))
  (export "all" (instance $a)))
