(component
  (core module $m
    (memory 1) (data (i32.const 8) "data") (data "passive")
    (global $g (mut i32) (i32.const 0))
    (table $t 3 10 funcref) (elem (i32.const 1) $run) (elem $e func $run)
    (func $run (export "run") (result i32) (global.get $g))
    (func $start
      (global.set $g (i32.load (i32.const 8)))
      (memory.init 1 (i32.const 0) (i32.const 0) (i32.const 7))
      (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))
      (drop (table.grow $t (ref.null func) (i32.const 2))))
    (start $start))
  (core instance $i (instantiate $m))
  (func (export "run") (result u32) (canon lift (core func $i "run"))))
