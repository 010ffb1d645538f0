package main

import (
	"structs"

	"guests/text-processor/internal/abi"
)

// What crosses the border in exports, as `wit/core` declares it.

// operationCall is the parameters of `execute`, which are too many to be passed one by one. Behind the request's
// name stands what this guest does not look at.
type operationCall struct {
	_         structs.HostLayout
	operation abi.List[byte]
	requestID abi.Text
}

type componentErrorCase uint8

const (
	invalidConfig      componentErrorCase = 0
	notInitialized     componentErrorCase = 2
	alreadyInitialized componentErrorCase = 3
	shutDown           componentErrorCase = 4
)

// step is the result of `init` and `shutdown`: nothing, or a component error.
type step struct {
	_     structs.HostLayout
	isErr bool
	kind  struct {
		_    structs.HostLayout
		kind componentErrorCase
		text abi.Text
	}
}

type executionErrorCase uint8

const (
	unsupportedOperation executionErrorCase = 0
	unsupportedCodec     executionErrorCase = 1
	invalidInput         executionErrorCase = 2
	failed               executionErrorCase = 6
)

// executed is the result of `execute` with a payload; the other one is two kinds of refused.
type executed struct {
	_       structs.HostLayout
	isErr   bool
	_       [7]byte
	payload abi.List[byte]
	_       uint64
}

type refused[T any] struct {
	_     structs.HostLayout
	isErr bool
	_     [7]byte
	kind  executionErrorCase
	_     [7]byte
	value T
}

type healthState uint8

const (
	healthy healthState = iota
	degraded
	unhealthy
)

type healthStatus struct {
	_       structs.HostLayout
	state   healthState
	message abi.Option[abi.Text]
}

type memoryRequirements struct {
	_                   structs.HostLayout
	min, max, preferred uint64
}

type componentMetadata struct {
	_                                           structs.HostLayout
	name, version, description, author, license abi.Text
	requiredCapabilities, supportedOperations   abi.List[abi.Text]
	supportedCodecs                             abi.List[uint64]
	language                                    abi.Text
	memory                                      memoryRequirements
	timeoutMs                                   abi.Option[uint64]
	stateful                                    bool
	apiVersion                                  abi.Text
	homepage, repository                        abi.Option[abi.Text]
	tags                                        abi.List[abi.Text]
	customMetadata                              abi.Option[abi.List[abi.Pair[abi.Text, abi.Text]]]
}
