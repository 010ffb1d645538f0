package abi

import (
	"runtime"
	"runtime/debug"
)

// The garbage collector asks for the time. If the adapter implements that, the component calls an import, which it must not do while its
// host calls realloc. So the collector never starts by itself in that case, but at the beginning of a call.
const (
	callsBetween = 256
	bytesBetween = 2 << 20
)

var callsSince, bytesSince uint32

// adapted reports whether there is an adapter, which has allocated memory before.
func adapted() bool { return adapterTaken > 0 }

func init() {
	if adapted() {
		debug.SetGCPercent(-1)
	}
}

// Collect frees unused memory, if calls have allocated enough since the last time.
func Collect() {
	callsSince++
	if !adapted() || (callsSince < callsBetween && bytesSince < bytesBetween) {
		return
	}
	callsSince, bytesSince = 0, 0
	runtime.GC()
}
