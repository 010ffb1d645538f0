;; Small integers are cut to their width, booleans are made 0 or 1, flags lose the bits that have no label.
;; CanonicalABI.md: "Flat Lifting", "Flat Lowering" (`lift_flat_unsigned`, `lift_flat_signed`, `convert_int_to_bool`),
;; "Loading" (`unpack_flags_from_int`).

(component
  (type $f' (flags "a" "b" "c"))
  (export $f "f" (type $f'))
  (type $g' (flags "l0" "l1" "l2" "l3" "l4" "l5" "l6" "l7" "l8"))
  (export $g "g" (type $g'))
  (core module $m
    (func (export "i32") (param i32) (result i32) (local.get 0))
    (func (export "i64") (param i64) (result i64) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "to-u8") (param "x" u32) (result u8) (canon lift (core func $i "i32")))
  (func (export "to-s8") (param "x" u32) (result s8) (canon lift (core func $i "i32")))
  (func (export "to-u16") (param "x" u32) (result u16) (canon lift (core func $i "i32")))
  (func (export "to-s16") (param "x" u32) (result s16) (canon lift (core func $i "i32")))
  (func (export "to-s32") (param "x" u32) (result s32) (canon lift (core func $i "i32")))
  (func (export "to-s64") (param "x" u64) (result s64) (canon lift (core func $i "i64")))
  (func (export "to-bool") (param "x" u32) (result bool) (canon lift (core func $i "i32")))
  (func (export "to-char") (param "x" u32) (result char) (canon lift (core func $i "i32")))
  (func (export "to-f") (param "x" u32) (result $f) (canon lift (core func $i "i32")))
  (func (export "to-g") (param "x" u32) (result $g) (canon lift (core func $i "i32")))
  (func (export "of-s8") (param "x" s8) (result u32) (canon lift (core func $i "i32")))
  (func (export "of-u8") (param "x" u8) (result u32) (canon lift (core func $i "i32")))
  (func (export "of-s16") (param "x" s16) (result u32) (canon lift (core func $i "i32")))
  (func (export "of-u16") (param "x" u16) (result u32) (canon lift (core func $i "i32")))
  (func (export "of-bool") (param "x" bool) (result u32) (canon lift (core func $i "i32")))
  (func (export "of-char") (param "x" char) (result u32) (canon lift (core func $i "i32")))
  (func (export "of-f") (param "x" $f) (result u32) (canon lift (core func $i "i32")))
  (func (export "of-g") (param "x" $g) (result u32) (canon lift (core func $i "i32"))))

(assert_return (invoke "to-u8" (u32.const 0x1ff)) (u8.const 255))
(assert_return (invoke "to-u8" (u32.const 0xffffff00)) (u8.const 0))
(assert_return (invoke "to-s8" (u32.const 0x80)) (s8.const -128))
(assert_return (invoke "to-s8" (u32.const 0x17f)) (s8.const 127))
(assert_return (invoke "to-u16" (u32.const 0x1ffff)) (u16.const 65535))
(assert_return (invoke "to-s16" (u32.const 0x8000)) (s16.const -32768))
(assert_return (invoke "to-s32" (u32.const 0x80000000)) (s32.const -2147483648))
(assert_return (invoke "to-s64" (u64.const 0xffffffffffffffff)) (s64.const -1))

;; Any bit makes it true.
(assert_return (invoke "to-bool" (u32.const 0)) (bool.const false))
(assert_return (invoke "to-bool" (u32.const 1)) (bool.const true))
(assert_return (invoke "to-bool" (u32.const 0x100)) (bool.const true))
(assert_return (invoke "to-bool" (u32.const 0x80000000)) (bool.const true))

(assert_return (invoke "to-char" (u32.const 0xd7ff)) (char.const "\u{d7ff}"))
(assert_return (invoke "to-char" (u32.const 0xe000)) (char.const "\u{e000}"))
(assert_return (invoke "to-char" (u32.const 0x10ffff)) (char.const "\u{10ffff}"))
(assert_return (invoke "to-char" (u32.const 0)) (char.const "\00"))

(assert_return (invoke "to-f" (u32.const 0)) (flags.const))
(assert_return (invoke "to-f" (u32.const 5)) (flags.const "a" "c"))
(assert_return (invoke "to-f" (u32.const 0xfffffff8)) (flags.const))
(assert_return (invoke "to-f" (u32.const 0xffffffff)) (flags.const "a" "b" "c"))
(assert_return (invoke "to-g" (u32.const 0x101)) (flags.const "l0" "l8"))
(assert_return (invoke "to-g" (u32.const 0xfffffe00)) (flags.const))

;; What the host passes is whole: sign-extended or zero-extended to 32 bits.
(assert_return (invoke "of-s8" (s8.const -1)) (u32.const 0xffffffff))
(assert_return (invoke "of-u8" (u8.const 255)) (u32.const 255))
(assert_return (invoke "of-s16" (s16.const -2)) (u32.const 0xfffffffe))
(assert_return (invoke "of-u16" (u16.const 65535)) (u32.const 65535))
(assert_return (invoke "of-bool" (bool.const true)) (u32.const 1))
(assert_return (invoke "of-bool" (bool.const false)) (u32.const 0))
(assert_return (invoke "of-char" (char.const "\u{10ffff}")) (u32.const 0x10ffff))
(assert_return (invoke "of-f" (flags.const "b" "c")) (u32.const 6))
(assert_return (invoke "of-f" (flags.const)) (u32.const 0))
(assert_return (invoke "of-g" (flags.const "l8" "l0")) (u32.const 0x101))

(assert_trap (invoke "to-char" (u32.const 0xd800)) "invalid `char` bit pattern")
