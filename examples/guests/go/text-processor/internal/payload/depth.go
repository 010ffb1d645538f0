package payload

import (
	"encoding/binary"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// The maximum depth of a document: the library is recursive, and a component's stack is small.
const deepest = 1000

// tooDeep reports whether lists and maps nest deeper than that. Invalid data is left to the library.
func tooDeep(data []byte) bool {
	// For each enclosing list or map: the number of its remaining values.
	var left []uint64
	for len(data) > 0 {
		for len(left) > 0 && left[len(left)-1] == 0 {
			left = left[:len(left)-1]
		}
		if len(left) > 0 {
			left[len(left)-1]--
		}
		skip, values, container := shape(data)
		if skip > uint64(len(data)) {
			return false
		}
		data = data[skip:]
		if container {
			left = append(left, values)
		}
		if len(left) > deepest {
			return true
		}
	}
	return false
}

// shape returns a value's size in bytes, without nested values, and the number of nested values.
func shape(data []byte) (skip, values uint64, container bool) {
	code := data[0]
	number := func(size int) uint64 {
		if len(data) <= size {
			return 1 << 40
		}
		var bytes [8]byte
		copy(bytes[8-size:], data[1:])
		return binary.BigEndian.Uint64(bytes[:])
	}
	switch {
	case msgpcode.IsFixedNum(code):
		return 1, 0, false
	case msgpcode.IsFixedMap(code):
		return 1, 2 * uint64(code&msgpcode.FixedMapMask), true
	case msgpcode.IsFixedArray(code):
		return 1, uint64(code & msgpcode.FixedArrayMask), true
	case msgpcode.IsFixedString(code):
		return 1 + uint64(code&msgpcode.FixedStrMask), 0, false
	}
	switch code {
	case msgpcode.Bin8, msgpcode.Str8:
		return 2 + number(1), 0, false
	case msgpcode.Bin16, msgpcode.Str16:
		return 3 + number(2), 0, false
	case msgpcode.Bin32, msgpcode.Str32:
		return 5 + number(4), 0, false
	case msgpcode.Ext8:
		return 3 + number(1), 0, false
	case msgpcode.Ext16:
		return 4 + number(2), 0, false
	case msgpcode.Ext32:
		return 6 + number(4), 0, false
	case msgpcode.Uint8, msgpcode.Int8:
		return 2, 0, false
	case msgpcode.Uint16, msgpcode.Int16, msgpcode.FixExt1:
		return 3, 0, false
	case msgpcode.Uint32, msgpcode.Int32, msgpcode.Float:
		return 5, 0, false
	case msgpcode.FixExt2:
		return 4, 0, false
	case msgpcode.FixExt4:
		return 6, 0, false
	case msgpcode.Uint64, msgpcode.Int64, msgpcode.Double:
		return 9, 0, false
	case msgpcode.FixExt8:
		return 10, 0, false
	case msgpcode.FixExt16:
		return 18, 0, false
	case msgpcode.Array16:
		return 3, number(2), true
	case msgpcode.Array32:
		return 5, number(4), true
	case msgpcode.Map16:
		return 3, 2 * number(2), true
	case msgpcode.Map32:
		return 5, 2 * number(4), true
	default:
		return 1, 0, false
	}
}
