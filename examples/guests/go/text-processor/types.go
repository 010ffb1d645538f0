package main

import (
	"structs"

	"guests/text-processor/internal/abi"
)

// Types of the exports, as declared in `wit/core`.

// operationCall has the parameters of `execute`, which are too many to be passed flat. After the request's
// name there are fields that this guest does not use.
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

// executed is the result of `execute` with a payload; refused is the result with an error.
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
