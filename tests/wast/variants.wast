;; Variants, enums, options and results: the width of discriminants, where payloads lie, what they share when flat.
;; CanonicalABI.md: "Element Size" (`discriminant_type`), "Loading" (`load_variant`), "Flat Lifting"
;; (`lift_flat_variant`), "Flat Lowering" (`lower_flat_variant`).

;; Enums of up to 256 cases take a byte; with more, two. Lists show it.
(component
  (type $small' (enum "a" "b" "c"))
  (export $small "small" (type $small'))
  (type $v' (variant (case "none") (case "byte" u8) (case "wide" u64) (case "text" string)))
  (export $v "v" (type $v'))
  (core module $m
    (memory (export "mem") 1)
    ;; A list of three enums in a byte each.
    (data (i32.const 16) "\00\02\01")
    ;; Options of u8 in two bytes, of u16 in four, of u64 in sixteen.
    (data (i32.const 32) "\01\07\00\09\01\ff")
    (data (i32.const 48) "\01\ee\34\12\00\ee\ee\ee")
    (data (i32.const 64) "\01\ee\ee\ee\ee\ee\ee\ee\08\07\06\05\04\03\02\01\00\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee")
    ;; Results without payloads, and of u32 or string.
    (data (i32.const 112) "\00\01")
    (data (i32.const 128) "\00\ee\ee\ee\2a\00\00\00\ee\ee\ee\ee\01\ee\ee\ee\a0\00\00\00\02\00\00\00")
    (data (i32.const 160) "no")
    ;; The variant, sixteen bytes each.
    (data (i32.const 192) "\00\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee\ee")
    (data (i32.const 208) "\01\ee\ee\ee\ee\ee\ee\ee\05\ee\ee\ee\ee\ee\ee\ee")
    (data (i32.const 224) "\02\ee\ee\ee\ee\ee\ee\ee\01\00\00\00\01\00\00\00")
    (data (i32.const 240) "\03\ee\ee\ee\ee\ee\ee\ee\a0\00\00\00\02\00\00\00")
    (data (i32.const 256) "\04")
    (func (export "at") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (local.get 0))
      (i32.store (i32.const 4) (local.get 1))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "smalls") (param "at" u32) (param "n" u32) (result (list $small))
    (canon lift (core func $i "at") (memory (core memory $i "mem"))))
  (func (export "options-u8") (param "at" u32) (param "n" u32) (result (list (option u8)))
    (canon lift (core func $i "at") (memory (core memory $i "mem"))))
  (func (export "options-u16") (param "at" u32) (param "n" u32) (result (list (option u16)))
    (canon lift (core func $i "at") (memory (core memory $i "mem"))))
  (func (export "options-u64") (param "at" u32) (param "n" u32) (result (list (option u64)))
    (canon lift (core func $i "at") (memory (core memory $i "mem"))))
  (func (export "results") (param "at" u32) (param "n" u32) (result (list (result)))
    (canon lift (core func $i "at") (memory (core memory $i "mem"))))
  (func (export "results-u32") (param "at" u32) (param "n" u32) (result (list (result u32 (error string))))
    (canon lift (core func $i "at") (memory (core memory $i "mem"))))
  (func (export "variants") (param "at" u32) (param "n" u32) (result (list $v))
    (canon lift (core func $i "at") (memory (core memory $i "mem")))))

(assert_return (invoke "smalls" (u32.const 16) (u32.const 3))
  (list.const (enum.const "a") (enum.const "c") (enum.const "b")))
(assert_return (invoke "smalls" (u32.const 16) (u32.const 0)) (list.const))
(assert_return (invoke "options-u8" (u32.const 32) (u32.const 3))
  (list.const (option.some (u8.const 7)) (option.none) (option.some (u8.const 255))))
(assert_return (invoke "options-u16" (u32.const 48) (u32.const 2))
  (list.const (option.some (u16.const 0x1234)) (option.none)))
(assert_return (invoke "options-u64" (u32.const 64) (u32.const 2))
  (list.const (option.some (u64.const 0x0102030405060708)) (option.none)))
(assert_return (invoke "results" (u32.const 112) (u32.const 2)) (list.const (result.ok) (result.err)))
(assert_return (invoke "results-u32" (u32.const 128) (u32.const 2))
  (list.const (result.ok (u32.const 42)) (result.err (str.const "no"))))
(assert_return (invoke "variants" (u32.const 192) (u32.const 4))
  (list.const (variant.const "none") (variant.const "byte" (u8.const 5))
    (variant.const "wide" (u64.const 0x100000001)) (variant.const "text" (str.const "no"))))
(assert_trap (invoke "variants" (u32.const 256) (u32.const 1)) "invalid variant discriminant")

;; Flat: the payloads of all cases share core values, the widest of them; floats as their bits.
(component
  (type $v' (variant (case "a" u8) (case "b" float32) (case "c" u64) (case "d" float64) (case "e")))
  (export $v "v" (type $v'))
  (core module $m
    (func (export "case") (param i32 i64) (result i32) (local.get 0))
    (func (export "bits") (param i32 i64) (result i64) (local.get 1))
    (func (export "option") (param i32 f32) (result f32)
      (if (result f32) (local.get 0) (then (local.get 1)) (else (f32.const -1))))
    (func (export "result") (param i32 i32 i32) (result i32)
      (i32.add (i32.mul (local.get 0) (i32.const 100)) (i32.add (local.get 1) (local.get 2)))))
  (core instance $i (instantiate $m))
  (func (export "case") (param "v" $v) (result u32) (canon lift (core func $i "case")))
  (func (export "bits") (param "v" $v) (result u64) (canon lift (core func $i "bits")))
  (func (export "option") (param "v" (option float32)) (result float32) (canon lift (core func $i "option")))
  (func (export "result") (param "v" (result (tuple u8 u8) (error u32))) (result u32)
    (canon lift (core func $i "result"))))

(assert_return (invoke "case" (variant.const "a" (u8.const 7))) (u32.const 0))
(assert_return (invoke "case" (variant.const "e")) (u32.const 4))
(assert_return (invoke "bits" (variant.const "a" (u8.const 255))) (u64.const 255))
(assert_return (invoke "bits" (variant.const "b" (f32.const 1))) (u64.const 0x3f800000))
(assert_return (invoke "bits" (variant.const "b" (f32.const -1))) (u64.const 0xbf800000))
(assert_return (invoke "bits" (variant.const "c" (u64.const 0xffffffffffffffff))) (u64.const 0xffffffffffffffff))
(assert_return (invoke "bits" (variant.const "d" (f64.const -2))) (u64.const 0xc000000000000000))
(assert_return (invoke "bits" (variant.const "e")) (u64.const 0))
(assert_return (invoke "option" (option.some (f32.const 0.5))) (f32.const 0.5))
(assert_return (invoke "option" (option.none)) (f32.const -1))
(assert_return (invoke "result" (result.ok (tuple.const (u8.const 3) (u8.const 4)))) (u32.const 7))
;; The other core value of the wider case is 0.
(assert_return (invoke "result" (result.err (u32.const 9))) (u32.const 109))

;; Between components, discriminants are checked as they cross.
(component definition $Crossing
  (component $callee
    (core module $m (func (export "take") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m))
    (func (export "take") (param "x" (result)) (result u32) (canon lift (core func $i "take"))))
  (component $caller
    (import "take" (func $take (param "x" (result)) (result u32)))
    (core func $take (canon lower (func $take)))
    (core module $m
      (import "" "take" (func $take (param i32) (result i32)))
      (func (export "pass") (param i32) (result i32) (call $take (local.get 0))))
    (core instance $i (instantiate $m (with "" (instance (export "take" (func $take))))))
    (func (export "pass") (param "x" u32) (result u32) (canon lift (core func $i "pass"))))
  (instance $a (instantiate $callee))
  (instance $b (instantiate $caller (with "take" (func $a "take"))))
  (export "pass" (func $b "pass")))
(component instance $c $Crossing)
(assert_return (invoke "pass" (u32.const 0)) (u32.const 0))
(assert_return (invoke "pass" (u32.const 1)) (u32.const 1))
(assert_trap (invoke "pass" (u32.const 2)) "invalid variant discriminant")
(component instance $c $Crossing)
(assert_trap (invoke "pass" (u32.const 256)) "invalid variant discriminant")
(component instance $c $Crossing)
(assert_trap (invoke "pass" (u32.const 0xffffffff)) "invalid variant discriminant")
