(component $A
  (core module $m (func (export "twice") (param i32) (result i32) (i32.mul (i32.const 2) (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "twice") (param "n" u32) (result u32) (canon lift (core func $i "twice"))))
(register "a" $A)
(component
  (import "a" (instance $a (export "twice" (func (param "n" u32) (result u32)))))
  (core func $twice (canon lower (func $a "twice")))
  (core module $m
    (import "" "twice" (func $twice (param i32) (result i32)))
    (func (export "go") (param i32) (result i32) (call $twice (call $twice (local.get 0)))))
  (core instance $i (instantiate $m (with "" (instance (export "twice" (func $twice))))))
  (func (export "go") (param "n" u32) (result u32) (canon lift (core func $i "go"))))
(assert_return (invoke "go" (u32.const 10)) (u32.const 40))
