;;! --host-instance
;; The type that a component declares of a core module, and the one that the module has.

(component $modules
  (core module $exports
    (func (export "f") (param i32 f64) (result i64) (i64.const 0))
    (memory (export "bounded") 2 4)
    (memory (export "unbounded") 2)
    (table (export "table") 2 4 funcref)
    (table (export "open") 2 funcref)
    (global (export "constant") i32 (i32.const 1))
    (global (export "variable") (mut i64) (i64.const 1)))
  (core module $imports
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 2 4))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))
  (export "exports" (core module $exports))
  (export "imports" (core module $imports)))

;; What a module exports may be more than is declared, and its limits within those declared.
(component (import "modules" (instance (export "exports" (core module)))))
(component (import "modules" (instance (export "exports" (core module
  (export "f" (func (param i32 f64) (result i64)))
  (export "bounded" (memory 2 4))
  (export "unbounded" (memory 2))
  (export "table" (table 2 4 funcref))
  (export "open" (table 2 funcref))
  (export "constant" (global i32))
  (export "variable" (global (mut i64))))))))
(component (import "modules" (instance (export "exports" (core module
  (export "bounded" (memory 1 5))
  (export "unbounded" (memory 0))
  (export "table" (table 0 9 funcref))
  (export "open" (table 1 funcref)))))))
(component (import "modules" (instance (export "exports" (core module
  (export "bounded" (memory 2))
  (export "table" (table 2 funcref)))))))

;; What it does not export.
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "g" (func)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "" (memory 0)))))))
  "")
;; What it exports as something else.
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "f" (global i32)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "constant" (func)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "bounded" (table 2 4 funcref)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "table" (memory 2 4)))))))
  "")
;; Functions: parameters, results, and how many.
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module
    (export "f" (func (param i32 f32) (result i64))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module
    (export "f" (func (param i32 f64) (result i32))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module
    (export "f" (func (param i32) (result i64))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module
    (export "f" (func (param i32 f64))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module
    (export "f" (func (param i32 f64 i32) (result i64))))))))
  "")
;; Memories: at least as many pages, and at most.
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "bounded" (memory 3 4)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "bounded" (memory 2 3)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "unbounded" (memory 3)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "unbounded" (memory 2 9)))))))
  "")
;; Tables: the same.
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "table" (table 3 4 funcref)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "table" (table 2 3 funcref)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "open" (table 2 9 funcref)))))))
  "")
;; Globals: the type and the mutability, both ways.
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "constant" (global i64)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "constant" (global (mut i32))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "variable" (global i64)))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "exports" (core module (export "variable" (global (mut i32))))))))
  "")

;; What a module imports has to be declared; more may be, and with limits within its own.
(component (import "modules" (instance (export "imports" (core module
  (import "a" "f" (func (param i32) (result i32)))
  (import "a" "memory" (memory 2 4))
  (import "a" "table" (table 2 4 funcref))
  (import "b" "constant" (global i32))
  (import "b" "variable" (global (mut i32))))))))
(component (import "modules" (instance (export "imports" (core module
  (import "b" "more" (func))
  (import "b" "variable" (global (mut i32)))
  (import "b" "constant" (global i32))
  (import "a" "table" (table 3 3 funcref))
  (import "a" "memory" (memory 3 4))
  (import "a" "f" (func (param i32) (result i32))))))))
;; None of them, or one under the other's name.
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module)))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "b" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 2 4))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))))))
  "")
;; A function of another type, or a global in its place.
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (func (param i64) (result i32)))
    (import "a" "memory" (memory 2 4))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (global i32))
    (import "a" "memory" (memory 2 4))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))))))
  "")
;; A memory that is too small, too large, or without bounds.
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 1 4))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 2 5))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 2))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))))))
  "")
;; A table without bounds.
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 2 4))
    (import "a" "table" (table 2 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global (mut i32))))))))
  "")
;; A global of the other mutability, both ways.
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 2 4))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global (mut i32)))
    (import "b" "variable" (global (mut i32))))))))
  "")
(assert_unlinkable
  (component (import "modules" (instance (export "imports" (core module
    (import "a" "f" (func (param i32) (result i32)))
    (import "a" "memory" (memory 2 4))
    (import "a" "table" (table 2 4 funcref))
    (import "b" "constant" (global i32))
    (import "b" "variable" (global i32)))))))
  "")

;; Other things than core modules, and core modules for other things.
(assert_unlinkable
  (component (import "host" (instance (export "return-three" (core module)))))
  "")
(assert_unlinkable
  (component (import "host" (instance (export "nested" (core module)))))
  "")
(assert_unlinkable
  (component (import "host" (core module)))
  "")
(assert_unlinkable
  (component (import "host" (instance (export "simple-module" (func)))))
  "")
(assert_unlinkable
  (component (import "simple-module" (instance (export "f" (func)))))
  "")
(assert_unlinkable
  (component (import "host" (instance (export "no-module" (core module)))))
  "")
(assert_unlinkable
  (component (import "no-module" (core module)))
  "")
