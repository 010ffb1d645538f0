// Package host wraps the host's functions: logging and payload prefixes.
package host

import (
	"structs"
	"unsafe"

	"guests/text-processor/internal/abi"
)

// Level is the severity of a log line.
type Level uint32

const (
	Debug Level = 1
	Info  Level = 2
)

//go:wasmimport airssys:host-core/host-services@1.0.0 log
func log(level Level, message abi.Ptr, messageLen uint32, hasContext uint32, context abi.Ptr, contextLen uint32)

// Log writes one line; details are alternating names and values.
func Log(level Level, message string, details ...string) {
	pairs := make([]abi.Pair[abi.Text, abi.Text], 0, len(details)/2)
	for i := 0; i+1 < len(details); i += 2 {
		pairs = append(pairs, abi.Pair[abi.Text, abi.Text]{First: abi.TextOf(details[i]), Second: abi.TextOf(details[i+1])})
	}
	text, context := abi.TextOf(message), abi.ListOf(pairs)
	ptr, length := text.Flat()
	contextPtr, contextLen := context.Flat()
	hasContext := uint32(0)
	if len(pairs) > 0 {
		hasContext = 1
	}
	log(level, ptr, length, hasContext, contextPtr, contextLen)
}

// PrefixError is the failure to read a payload's prefix.
type PrefixError struct {
	Kind PrefixErrorKind
	// Codec is the number of an unknown codec.
	Codec uint64
}

// PrefixErrorKind is the case of a PrefixError.
type PrefixErrorKind uint8

const (
	Empty PrefixErrorKind = iota
	TruncatedPrefix
	OverlongPrefix
	UnknownCodec
)

func (e *PrefixError) Error() string {
	switch e.Kind {
	case Empty:
		return "the payload is empty"
	case TruncatedPrefix:
		return "the payload ends within its multicodec prefix"
	case OverlongPrefix:
		return "the payload's multicodec prefix is overlong"
	default:
		return "the payload's codec is unknown"
	}
}

// decoded is a result: a codec and data, or an error's case with an optional codec.
type decoded struct {
	_     structs.HostLayout
	isErr bool
	first uint64
	data  abi.List[byte]
}

//go:wasmimport airssys:multicodec-core/multicodec-utilities@1.0.0 decode
func decode(payload abi.Ptr, payloadLen uint32, result unsafe.Pointer)

// Decode splits a payload into its codec and its data.
func Decode(payload []byte) (uint64, []byte, error) {
	var result decoded
	list := abi.ListOf(payload)
	ptr, length := list.Flat()
	decode(ptr, length, unsafe.Pointer(&result))
	if result.isErr {
		// The case is in the first byte, where the codec of a valid payload begins; the error's codec follows.
		kind := PrefixErrorKind(result.first)
		return 0, nil, &PrefixError{Kind: kind, Codec: *(*uint64)(unsafe.Pointer(&result.data))}
	}
	return result.first, result.data.Slice(), nil
}

//go:wasmimport airssys:multicodec-core/multicodec-utilities@1.0.0 encode
func encode(codec uint64, data abi.Ptr, dataLen uint32, result unsafe.Pointer)

// Encode prepends the codec's prefix to the data.
func Encode(codec uint64, data []byte) []byte {
	var result abi.List[byte]
	list := abi.ListOf(data)
	ptr, length := list.Flat()
	encode(codec, ptr, length, unsafe.Pointer(&result))
	return result.Slice()
}
