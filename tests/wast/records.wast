;; Records, tuples and lists in memory: offsets and padding; parameters and results that are too many to be flat.
;; CanonicalABI.md: "Alignment", "Element Size", "Flattening" (MAX_FLAT_PARAMS, MAX_FLAT_RESULTS).

(component
  (type $r' (record (field "a" u8) (field "b" u64) (field "c" u16)))
  (export $r "r" (type $r'))
  (core module $m
    (memory (export "mem") 1)
    (data (i32.const 64) "\01\ee\ee\ee\ee\ee\ee\ee\02\00\00\00\00\00\00\80\03\00\ee\ee\ee\ee\ee\ee")
    (data (i32.const 88) "\04\ee\ee\ee\ee\ee\ee\ee\05\00\00\00\00\00\00\00\06\01\ee\ee\ee\ee\ee\ee")
    (data (i32.const 128) "\01\ee\02\00\03\ee\04\ee\05\00\06\ee")
    (data (i32.const 160) "\61\00\00\00\01\00\00\00\ff\ff\10\00")
    (func (export "ptr") (param i32) (result i32) (local.get 0))
    (func (export "pair") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (local.get 0))
      (i32.store (i32.const 4) (local.get 1))
      (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "record") (param "at" u32) (result $r) (canon lift (core func $i "ptr") (memory (core memory $i "mem"))))
  (func (export "records") (param "at" u32) (param "n" u32) (result (list $r))
    (canon lift (core func $i "pair") (memory (core memory $i "mem"))))
  ;; Six bytes each: the alignment of the middle one.
  (func (export "tuples") (param "at" u32) (param "n" u32) (result (list (tuple u8 u16 u8)))
    (canon lift (core func $i "pair") (memory (core memory $i "mem"))))
  (func (export "chars") (param "at" u32) (param "n" u32) (result (list char))
    (canon lift (core func $i "pair") (memory (core memory $i "mem"))))
  (func (export "nested") (param "at" u32) (result (tuple (tuple u8) u16 (tuple u8 u8)))
    (canon lift (core func $i "ptr") (memory (core memory $i "mem")))))

(assert_return (invoke "record" (u32.const 64))
  (record.const (field "a" u8.const 1) (field "b" u64.const 0x8000000000000002) (field "c" u16.const 3)))
(assert_return (invoke "records" (u32.const 64) (u32.const 2))
  (list.const
    (record.const (field "a" u8.const 1) (field "b" u64.const 0x8000000000000002) (field "c" u16.const 3))
    (record.const (field "a" u8.const 4) (field "b" u64.const 5) (field "c" u16.const 0x106))))
(assert_return (invoke "tuples" (u32.const 128) (u32.const 2))
  (list.const (tuple.const (u8.const 1) (u16.const 2) (u8.const 3)) (tuple.const (u8.const 4) (u16.const 5) (u8.const 6))))
(assert_return (invoke "nested" (u32.const 128))
  (tuple.const (tuple.const (u8.const 1)) (u16.const 2) (tuple.const (u8.const 3) (u8.const 0xee))))
(assert_return (invoke "chars" (u32.const 160) (u32.const 3))
  (list.const (char.const "a") (char.const "\01") (char.const "\u{10ffff}")))
(assert_return (invoke "chars" (u32.const 65536) (u32.const 0)) (list.const))
(assert_trap (invoke "record" (u32.const 68)) "pointer not aligned")

;; Sixteen parameters are core values; seventeen are a tuple in memory that `realloc` gives out.
(component
  (core module $m
    (memory (export "mem") 1)
    (global $size (mut i32) (i32.const 0))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $size (i32.add (i32.mul (local.get 2) (i32.const 1000)) (local.get 3)))
      (i32.const 512))
    (func (export "sixteen")
      (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
      (i32.add (local.get 15) (global.get $size)))
    (func (export "seventeen") (param i32) (result i32)
      (i32.add (i32.load8_u offset=16 (local.get 0)) (i32.mul (i32.const 100) (i32.load8_u (local.get 0)))))
    (func (export "asked") (result i32) (global.get $size))
    ;; Two results are a tuple in memory too.
    (data (i32.const 1024) "\07\00\00\00\00\00\00\00\09\00\00\00\00\00\00\00")
    (func (export "two") (result i32) (i32.const 1024))
    (func (export "bad") (result i32) (i32.const 65532))
    (func (export "odd") (result i32) (i32.const 1028)))
  (core instance $i (instantiate $m))
  (func (export "sixteen")
    (param "a" u8) (param "b" u8) (param "c" u8) (param "d" u8) (param "e" u8) (param "f" u8) (param "g" u8) (param "h" u8)
    (param "i" u8) (param "j" u8) (param "k" u8) (param "l" u8) (param "m" u8) (param "n" u8) (param "o" u8) (param "p" u8)
    (result u32) (canon lift (core func $i "sixteen")))
  (func (export "seventeen")
    (param "a" u8) (param "b" u8) (param "c" u8) (param "d" u8) (param "e" u8) (param "f" u8) (param "g" u8) (param "h" u8)
    (param "i" u8) (param "j" u8) (param "k" u8) (param "l" u8) (param "m" u8) (param "n" u8) (param "o" u8) (param "p" u8)
    (param "q" u8)
    (result u32) (canon lift (core func $i "seventeen") (memory (core memory $i "mem")) (realloc (core func $i "realloc"))))
  (func (export "asked") (result u32) (canon lift (core func $i "asked")))
  (func (export "two") (result (tuple u64 u64)) (canon lift (core func $i "two") (memory (core memory $i "mem"))))
  (func (export "bad") (result (tuple u32 u32)) (canon lift (core func $i "bad") (memory (core memory $i "mem"))))
  (func (export "odd") (result (tuple u64 u64)) (canon lift (core func $i "odd") (memory (core memory $i "mem")))))

(assert_return (invoke "sixteen"
  (u8.const 1) (u8.const 2) (u8.const 3) (u8.const 4) (u8.const 5) (u8.const 6) (u8.const 7) (u8.const 8)
  (u8.const 9) (u8.const 10) (u8.const 11) (u8.const 12) (u8.const 13) (u8.const 14) (u8.const 15) (u8.const 16))
  (u32.const 16))
(assert_return (invoke "asked") (u32.const 0))
(assert_return (invoke "seventeen"
  (u8.const 2) (u8.const 2) (u8.const 3) (u8.const 4) (u8.const 5) (u8.const 6) (u8.const 7) (u8.const 8)
  (u8.const 9) (u8.const 10) (u8.const 11) (u8.const 12) (u8.const 13) (u8.const 14) (u8.const 15) (u8.const 16)
  (u8.const 17))
  (u32.const 217))
;; Seventeen bytes, aligned to one.
(assert_return (invoke "asked") (u32.const 1017))
(assert_return (invoke "two") (tuple.const (u64.const 7) (u64.const 9)))
(assert_trap (invoke "odd") "pointer not aligned")

;; Lists of fixed length lie where they are, without a pointer.
(component
  (core module $m
    (memory (export "mem") 1)
    (data (i32.const 64) "\01\02\03\ee\04\00\05\00")
    (func (export "ptr") (param i32) (result i32) (local.get 0))
    (func (export "sum") (param i32 i32 i32) (result i32)
      (i32.add (local.get 0) (i32.add (i32.mul (local.get 1) (i32.const 10)) (i32.mul (local.get 2) (i32.const 100))))))
  (core instance $i (instantiate $m))
  (func (export "mixed") (param "at" u32) (result (tuple (list u8 3) (list u16 2)))
    (canon lift (core func $i "ptr") (memory (core memory $i "mem"))))
  (func (export "sum") (param "x" (list u8 3)) (result u32) (canon lift (core func $i "sum"))))
(assert_return (invoke "mixed" (u32.const 64))
  (tuple.const (list.const (u8.const 1) (u8.const 2) (u8.const 3)) (list.const (u16.const 4) (u16.const 5))))
(assert_return (invoke "sum" (list.const (u8.const 1) (u8.const 2) (u8.const 3))) (u32.const 321))
