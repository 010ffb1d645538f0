// Package abi implements the memory layout of the canonical ABI of components.
//
// Structs with [structs.HostLayout] have the layout of WIT records of the same fields, as pointers in memory have 32 bits
// there: texts and lists are a [Ptr] and a length.
package abi

import (
	"structs"
	"unsafe"
)

// Ptr is an address in linear memory.
type Ptr uint32

// Text is a WIT string.
type Text struct {
	_   structs.HostLayout
	ptr Ptr
	len uint32
}

// List is a WIT list of E.
type List[E any] struct {
	_   structs.HostLayout
	ptr Ptr
	len uint32
}

// Option is a WIT option.
type Option[T any] struct {
	_      structs.HostLayout
	isSome bool
	value  T
}

// Pair is a WIT tuple of two.
type Pair[A, B any] struct {
	_      structs.HostLayout
	First  A
	Second B
}

// kept holds values that the caller refers to by address, which the garbage collector does not see, until the call
// ends.
var kept []any

// Keep keeps value until the call ends, and returns its address.
func Keep[T any](value *T) unsafe.Pointer {
	kept = append(kept, value)
	return unsafe.Pointer(value)
}

// Done releases all kept values: the caller has read the result.
func Done() { kept = nil }

// TextOf converts text for the host.
func TextOf(text string) Text {
	if text == "" {
		return Text{ptr: 1}
	}
	ptr := unsafe.StringData(text)
	Keep(ptr)
	return Text{ptr: address(ptr), len: uint32(len(text))}
}

// String returns the text from the host; it lives as long as it is used.
func (t Text) String() string {
	if t.len == 0 {
		return ""
	}
	return unsafe.String((*byte)(pointer(t.ptr)), t.len)
}

// ListOf converts a list for the host.
func ListOf[E any](items []E) List[E] {
	if len(items) == 0 {
		// An address that fits every alignment.
		return List[E]{ptr: 8}
	}
	ptr := unsafe.SliceData(items)
	Keep(ptr)
	return List[E]{ptr: address(ptr), len: uint32(len(items))}
}

// Texts converts a list of strings for the host.
func Texts(texts ...string) List[Text] {
	items := make([]Text, len(texts))
	for i, text := range texts {
		items[i] = TextOf(text)
	}
	return ListOf(items)
}

// Slice returns the list from the host.
func (l List[E]) Slice() []E {
	if l.len == 0 {
		return nil
	}
	return unsafe.Slice((*E)(pointer(l.ptr)), l.len)
}

// Some returns an option with a value.
func Some[T any](value T) Option[T] { return Option[T]{isSome: true, value: value} }

// Get returns the value, if there is one.
func (o Option[T]) Get() (T, bool) { return o.value, o.isSome }

func address[T any](ptr *T) Ptr { return Ptr(uintptr(unsafe.Pointer(ptr))) }

// pointer converts the address of a block from realloc back to a pointer.
func pointer(ptr Ptr) unsafe.Pointer { return unsafe.Pointer(uintptr(ptr)) }

// Flat returns the text as two parameters.
func (t Text) Flat() (Ptr, uint32) { return t.ptr, t.len }

// Flat returns the list as two parameters.
func (l List[E]) Flat() (Ptr, uint32) { return l.ptr, l.len }
