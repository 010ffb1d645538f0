(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "wide") (param i64 f32 f64) (result f64)
      (f64.add (f64.convert_i64_s (local.get 0)) (f64.add (f64.promote_f32 (local.get 1)) (local.get 2))))
    (func (export "flip") (param i32) (result i32) (i32.eqz (local.get 0)))
    (func (export "nothing")))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u32) (param "b" s32) (result u32) (canon lift (core func $i "add")))
  (func (export "small") (param "a" u8) (param "b" s16) (result u8) (canon lift (core func $i "add")))
  (func (export "wide") (param "a" s64) (param "b" f32) (param "c" f64) (result f64) (canon lift (core func $i "wide")))
  (func (export "letter") (param "a" char) (param "b" u8) (result char) (canon lift (core func $i "add")))
  (func (export "flip") (param "a" bool) (result bool) (canon lift (core func $i "flip")))
  (func (export "nothing") (canon lift (core func $i "nothing"))))
