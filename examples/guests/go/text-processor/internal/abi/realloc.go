package abi

import "unsafe"

// The preview 1 adapter allocates its memory while Go's runtime starts, when there is no heap yet.
// It allocates its state and its stack, one WebAssembly page each.
const adapterRoom = 3 << 16

var (
	adapterArena [adapterRoom]byte
	adapterTaken uint32
)

// adapterRealloc never frees memory, and runs without a heap and without its own stack.
//
//go:wasmexport cabi_realloc_adapter
//go:nosplit
func adapterRealloc(old, oldSize, align, size uint32) uint32 {
	base := uint32(uintptr(unsafe.Pointer(&adapterArena)))
	start := (base + adapterTaken + align - 1) &^ (align - 1)
	if start-base > adapterRoom || size > adapterRoom-(start-base) {
		// An address beyond memory makes the adapter trap.
		return ^uint32(0) &^ (align - 1)
	}
	adapterTaken = start - base + size
	return start
}

// realloc allocates memory for the host's arguments.
//
//go:wasmexport cabi_realloc
func realloc(old, oldSize, align, size uint32) uint32 {
	if size == 0 {
		return align
	}
	bytesSince += min(size, bytesBetween)
	// Elements of eight bytes satisfy every alignment of the canonical ABI.
	block := make([]uint64, (uint64(size)+7)/8)
	ptr := unsafe.SliceData(block)
	Keep(ptr)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(ptr)), size), unsafe.Slice((*byte)(pointer(Ptr(old))), oldSize))
	}
	return uint32(address(ptr))
}
