(component
  (core module $m
    (memory (export "mem") 1)
    (func (export "get") (result i32) (i32.const 8))
    (func (export "sum") (param i32 i32 i32) (result i32) (i32.add (local.get 0) (local.get 2))))
  (core instance $i (instantiate $m))
  (func (export "get") (result (list u16 5)) (canon lift (core func $i "get") (memory (core memory $i "mem"))))
  (func (export "sum") (param "a" (list u32 3)) (result u32) (canon lift (core func $i "sum"))))
