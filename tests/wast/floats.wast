;; Floats cross as they are, but for NaNs, of which there is one for each width.
;; CanonicalABI.md: "Loading" and "Lifting" (`canonicalize_nan32`, `canonicalize_nan64`).

(component
  (core module $m
    (func (export "f32-bits") (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
    (func (export "f64-bits") (param i64) (result f64) (f64.reinterpret_i64 (local.get 0)))
    (func (export "bits-f32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
    (func (export "bits-f64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0))))
  (core instance $i (instantiate $m))
  (func (export "f32-bits") (param "x" u32) (result float32) (canon lift (core func $i "f32-bits")))
  (func (export "f64-bits") (param "x" u64) (result float64) (canon lift (core func $i "f64-bits")))
  (func (export "bits-f32") (param "x" float32) (result u32) (canon lift (core func $i "bits-f32")))
  (func (export "bits-f64") (param "x" float64) (result u64) (canon lift (core func $i "bits-f64"))))

;; What is no NaN keeps its bits.
(assert_return (invoke "f32-bits" (u32.const 0)) (f32.const 0))
(assert_return (invoke "f32-bits" (u32.const 0x80000000)) (f32.const -0))
(assert_return (invoke "f32-bits" (u32.const 1)) (f32.const 0x1p-149))
(assert_return (invoke "f32-bits" (u32.const 0x7f800000)) (f32.const inf))
(assert_return (invoke "f32-bits" (u32.const 0xff800000)) (f32.const -inf))
(assert_return (invoke "f64-bits" (u64.const 0x8000000000000000)) (f64.const -0))
(assert_return (invoke "f64-bits" (u64.const 1)) (f64.const 0x1p-1074))
(assert_return (invoke "f64-bits" (u64.const 0xfff0000000000000)) (f64.const -inf))

;; Quiet, signalling, negative: a NaN.
(assert_return (invoke "f32-bits" (u32.const 0x7fc00000)) (f32.const nan:canonical))
(assert_return (invoke "f32-bits" (u32.const 0x7fc00000)) (f32.const nan:arithmetic))

;; Of a host's values too.
(assert_return (invoke "bits-f32" (f32.const 1)) (u32.const 0x3f800000))
(assert_return (invoke "bits-f32" (f32.const -0)) (u32.const 0x80000000))
(assert_return (invoke "bits-f64" (f64.const -0)) (u64.const 0x8000000000000000))
(assert_return (invoke "bits-f64" (f64.const inf)) (u64.const 0x7ff0000000000000))
