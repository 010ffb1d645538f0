package abi

import "unsafe"

// The adapter that serves preview 1 asks for its memory while Go's runtime starts, when there is no heap yet.
// It asks once for its state and once for its stack, each a page of WebAssembly.
const adapterRoom = 3 << 16

var (
	adapterArena [adapterRoom]byte
	adapterTaken uint32
)

// adapterRealloc never gives memory back, and runs without a heap and without a stack of its own.
//
//go:wasmexport cabi_realloc_adapter
//go:nosplit
func adapterRealloc(old, oldSize, align, size uint32) uint32 {
	base := uint32(uintptr(unsafe.Pointer(&adapterArena)))
	start := (base + adapterTaken + align - 1) &^ (align - 1)
	if start-base > adapterRoom || size > adapterRoom-(start-base) {
		// What is beyond memory makes the adapter trap.
		return ^uint32(0) &^ (align - 1)
	}
	adapterTaken = start - base + size
	return start
}

// realloc gives the host room for what it passes in.
//
//go:wasmexport cabi_realloc
func realloc(old, oldSize, align, size uint32) uint32 {
	if size == 0 {
		return align
	}
	bytesSince += min(size, bytesBetween)
	// Elements of eight bytes, so that every alignment of the canonical ABI is met.
	block := make([]uint64, (uint64(size)+7)/8)
	ptr := unsafe.SliceData(block)
	Keep(ptr)
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(ptr)), size), unsafe.Slice((*byte)(pointer(Ptr(old))), oldSize))
	}
	return uint32(address(ptr))
}
