// An example guest: counts words, reverses text and measures it, over JSON or MessagePack.
//
// `go build` compiles it to a core module that exports the contract's functions by their names in WIT.
package main

import (
	"errors"
	"unsafe"

	"guests/text-processor/internal/abi"
	"guests/text-processor/internal/host"
	"guests/text-processor/internal/payload"
	"guests/text-processor/internal/text"
)

func main() {}

type lifeState int

const (
	created lifeState = iota
	ready
	stopped
)

var state = created

//go:wasmexport airssys:component-core/component-lifecycle@1.0.0#init
func initialize(
	envPtr, envLen, hasData, dataPtr, dataLen uint32, maxMemory, maxTime uint64, hasFuel uint32, fuel uint64,
	grantedPtr, grantedLen uint32,
) unsafe.Pointer {
	switch {
	case state == ready:
		return refuseStep(alreadyInitialized, "")
	case state == stopped:
		return refuseStep(shutDown, "")
	case hasData != 0 && dataLen > 0:
		return refuseStep(invalidConfig, "text-processor takes no configuration data")
	}
	state = ready
	host.Log(host.Info, "text-processor is ready")
	return abi.Keep(&step{})
}

func refuseStep(kind componentErrorCase, text string) unsafe.Pointer {
	answer := &step{isErr: true}
	answer.kind.kind = kind
	answer.kind.text = abi.TextOf(text)
	return abi.Keep(answer)
}

//go:wasmexport airssys:component-core/component-lifecycle@1.0.0#execute
func execute(call unsafe.Pointer) unsafe.Pointer {
	abi.Collect()
	if state != ready {
		return refuse(failed, "text-processor is not initialised")
	}
	asked := (*operationCall)(call)
	id, data, err := host.Decode(asked.operation.Slice())
	var prefix *host.PrefixError
	if errors.As(err, &prefix) && prefix.Kind == host.UnknownCodec {
		return refuseCodec(prefix.Codec)
	} else if err != nil {
		return refuse(invalidInput, err.Error())
	}
	for _, codec := range payload.Codecs {
		if codec.ID == id {
			return answer(codec, data, asked.requestID.String())
		}
	}
	return refuseCodec(id)
}

func answer(codec *payload.Codec, data []byte, requestID string) unsafe.Pointer {
	request, err := codec.Read(data)
	if err != nil {
		return refuse(invalidInput, codec.Name+": "+err.Error())
	}
	operation, known := text.Operations[request.Operation]
	if !known {
		return refuse(unsupportedOperation, request.Operation)
	}
	host.Log(host.Debug, "executing", "operation", request.Operation, "codec", codec.Name, "request-id", requestID)
	params, err := request.Text()
	if err != nil {
		return refuse(invalidInput, codec.Name+": "+err.Error())
	}
	written, err := codec.Write(operation(params))
	if err != nil {
		return refuse(failed, codec.Name+": "+err.Error())
	}
	return abi.Keep(&executed{payload: abi.ListOf(host.Encode(codec.ID, written))})
}

func refuse(kind executionErrorCase, text string) unsafe.Pointer {
	return abi.Keep(&refused[abi.Text]{isErr: true, kind: kind, value: abi.TextOf(text)})
}

func refuseCodec(id uint64) unsafe.Pointer {
	return abi.Keep(&refused[uint64]{isErr: true, kind: unsupportedCodec, value: id})
}

//go:wasmexport airssys:component-core/component-lifecycle@1.0.0#metadata
func metadata() unsafe.Pointer {
	pair := func(key, value string) abi.Pair[abi.Text, abi.Text] {
		return abi.Pair[abi.Text, abi.Text]{First: abi.TextOf(key), Second: abi.TextOf(value)}
	}
	return abi.Keep(&componentMetadata{
		name:                 abi.TextOf("text-processor"),
		version:              abi.TextOf("1.0.0"),
		description:          abi.TextOf("Counts words, reverses text and measures it"),
		author:               abi.TextOf("The airssys-wasm authors"),
		license:              abi.TextOf("MIT OR Apache-2.0"),
		requiredCapabilities: abi.Texts(),
		supportedOperations:  abi.Texts(text.Names...),
		supportedCodecs:      codecs(),
		language:             abi.TextOf("go"),
		memory:               memoryRequirements{min: 8 << 20, max: 512 << 20, preferred: 32 << 20},
		timeoutMs:            abi.Some[uint64](30_000),
		apiVersion:           abi.TextOf("1.0.0"),
		repository:           abi.Some(abi.TextOf("https://github.com/airssys/airssys-wasm")),
		tags:                 abi.Texts("text", "example"),
		customMetadata: abi.Some(abi.ListOf([]abi.Pair[abi.Text, abi.Text]{
			pair("text:word-separator", "Unicode white space"),
			pair("text:reverse-unit", "Unicode scalar value"),
		})),
	})
}

func codecs() abi.List[uint64] {
	var ids []uint64
	for _, codec := range payload.Codecs {
		ids = append(ids, codec.ID)
	}
	return abi.ListOf(ids)
}

//go:wasmexport airssys:component-core/component-lifecycle@1.0.0#health
func health() unsafe.Pointer {
	switch state {
	case ready:
		return abi.Keep(&healthStatus{state: healthy})
	case created:
		return abi.Keep(&healthStatus{state: degraded, message: abi.Some(abi.TextOf("not initialised"))})
	default:
		return abi.Keep(&healthStatus{state: unhealthy, message: abi.Some(abi.TextOf("shut down"))})
	}
}

//go:wasmexport airssys:component-core/component-lifecycle@1.0.0#supported-codecs
func supportedCodecs() unsafe.Pointer {
	list := codecs()
	return abi.Keep(&list)
}

//go:wasmexport airssys:component-core/component-lifecycle@1.0.0#shutdown
func shutdown() unsafe.Pointer {
	switch state {
	case created:
		return refuseStep(notInitialized, "")
	case stopped:
		return refuseStep(shutDown, "")
	}
	state = stopped
	host.Log(host.Info, "text-processor is done")
	return abi.Keep(&step{})
}

// The host calls these functions after it has read a result.

//go:wasmexport cabi_post_airssys:component-core/component-lifecycle@1.0.0#init
func initializePost(unsafe.Pointer) { abi.Done() }

//go:wasmexport cabi_post_airssys:component-core/component-lifecycle@1.0.0#execute
func executePost(unsafe.Pointer) { abi.Done() }

//go:wasmexport cabi_post_airssys:component-core/component-lifecycle@1.0.0#metadata
func metadataPost(unsafe.Pointer) { abi.Done() }

//go:wasmexport cabi_post_airssys:component-core/component-lifecycle@1.0.0#health
func healthPost(unsafe.Pointer) { abi.Done() }

//go:wasmexport cabi_post_airssys:component-core/component-lifecycle@1.0.0#supported-codecs
func supportedCodecsPost(unsafe.Pointer) { abi.Done() }

//go:wasmexport cabi_post_airssys:component-core/component-lifecycle@1.0.0#shutdown
func shutdownPost(unsafe.Pointer) { abi.Done() }
