"""An example guest with asynchronous functions: decodes requests, and has the texts worked on by another component, over streams."""

from componentize_py_async_support import spawn
from componentize_py_async_support.streams import ByteStreamReader, ByteStreamWriter
from componentize_py_types import Err
from wit_world import byte_stream, exports
from wit_world.exports.component_lifecycle import ComponentConfig, ExecutionContext
from wit_world.imports import host_services as host
from wit_world.imports import work
from wit_world.imports.types import (
    ComponentError_AlreadyInitialized,
    ComponentError_InvalidConfig,
    ComponentError_NotInitialized,
    ComponentError_ShutDown,
    ComponentMetadata,
    ExecutionError_Failed,
    ExecutionError_UnsupportedOperation,
    HealthState,
    HealthStatus,
    LogLevel,
    MemoryRequirements,
)

# As in the guest that has no asynchronous functions.
from codec import CODECS, split

_PIECE = 16 << 10

_state = "created"


async def _write(writer: ByteStreamWriter, data: bytes) -> None:
    with writer:
        await writer.write_all(data)


def _sent(text: str) -> ByteStreamReader:
    """Returns a stream in which a text arrives, from a task of its own."""
    writer, reader = byte_stream()
    spawn(_write(writer, text.encode()))
    return reader


async def word_count(text: str) -> dict:
    counts = await work.word_count(_sent(text))
    return {"count": counts.count, "unique": counts.unique}


async def reverse(text: str) -> dict:
    pieces = []
    with await work.reverse(_sent(text)) as reader:
        while not reader.writer_dropped:
            pieces.append(await reader.read(_PIECE))
    return {"text": b"".join(pieces).decode()}


async def statistics(text: str) -> dict:
    future = await work.statistics(_sent(text))
    measured = await future.read()
    return {
        "chars": measured.chars,
        "words": measured.words,
        "lines": measured.lines,
        "bytes": measured.bytes,
        "average-word-length": measured.letters / measured.words if measured.words else 0.0,
        "longest-word": measured.longest_word,
    }


OPERATIONS = {"word-count": word_count, "reverse": reverse, "statistics": statistics}


class ComponentLifecycle(exports.ComponentLifecycle):
    async def init(self, config: ComponentConfig) -> None:
        global _state
        if _state == "ready":
            raise Err(ComponentError_AlreadyInitialized())
        if _state == "stopped":
            raise Err(ComponentError_ShutDown())
        if config.config_data:
            raise Err(ComponentError_InvalidConfig("text-processor takes no configuration data"))
        _state = "ready"
        host.log(LogLevel.INFO, "text-processor is ready", None)

    async def execute(self, operation: bytes, context: ExecutionContext) -> bytes:
        if _state != "ready":
            raise Err(ExecutionError_Failed("text-processor is not initialised"))
        codec, data = split(operation)
        request = codec.read(data)
        name = codec.text_in(request, "operation")
        if name not in OPERATIONS:
            raise Err(ExecutionError_UnsupportedOperation(name))
        details = [("operation", name), ("codec", codec.name), ("request-id", context.request_id)]
        host.log(LogLevel.DEBUG, "executing", details)
        return codec.write(await OPERATIONS[name](codec.text_in(request.get("params"), "text")))

    def metadata(self) -> ComponentMetadata:
        return ComponentMetadata(
            name="text-processor",
            version="1.0.0",
            description="Counts words, reverses text and measures it",
            author="The airssys-wasm authors",
            license="MIT OR Apache-2.0",
            required_capabilities=[],
            supported_operations=list(OPERATIONS),
            supported_codecs=[codec.id for codec in CODECS],
            language="python",
            memory_requirements=MemoryRequirements(16 << 20, 512 << 20, 32 << 20),
            timeout_ms=30_000,
            stateful=False,
            api_version="1.0.0",
            homepage=None,
            repository="https://github.com/airssys/airssys-wasm",
            tags=["text", "example"],
            custom_metadata=[
                ("text:word-separator", "Unicode white space"),
                ("text:reverse-unit", "Unicode scalar value"),
            ],
        )

    def health(self) -> HealthStatus:
        if _state == "ready":
            return HealthStatus(HealthState.HEALTHY, None)
        if _state == "created":
            return HealthStatus(HealthState.DEGRADED, "not initialised")
        return HealthStatus(HealthState.UNHEALTHY, "shut down")

    def supported_codecs(self) -> list[int]:
        return [codec.id for codec in CODECS]

    async def shutdown(self) -> None:
        global _state
        if _state == "created":
            raise Err(ComponentError_NotInitialized())
        if _state == "stopped":
            raise Err(ComponentError_ShutDown())
        _state = "stopped"
        host.log(LogLevel.INFO, "text-processor is done", None)
