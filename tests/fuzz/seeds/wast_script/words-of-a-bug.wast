(component (import "a bug in airssys-wasm" (func)))
