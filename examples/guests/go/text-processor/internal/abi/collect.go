package abi

import (
	"runtime"
	"runtime/debug"
)

// The garbage collector asks for the time. Where the adapter answers that, the component calls out, which it must not while its
// host has it allocate. So the collector never starts by itself there, but at the beginning of a call.
const (
	callsBetween = 256
	bytesBetween = 2 << 20
)

var callsSince, bytesSince uint32

// adapted says whether there is an adapter: it has asked for memory long before.
func adapted() bool { return adapterTaken > 0 }

func init() {
	if adapted() {
		debug.SetGCPercent(-1)
	}
}

// Collect frees what is not used any more, if calls have brought enough since the last time.
func Collect() {
	callsSince++
	if !adapted() || (callsSince < callsBetween && bytesSince < bytesBetween) {
		return
	}
	callsSince, bytesSince = 0, 0
	runtime.GC()
}
