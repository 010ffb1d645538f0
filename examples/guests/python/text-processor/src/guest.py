"""An example guest: counts words, reverses text and measures it, over JSON or MessagePack."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.component_lifecycle import ComponentConfig, ExecutionContext
from wit_world.imports import host_services as host
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

from codec import CODECS, split
from text import OPERATIONS

_state = "created"


class ComponentLifecycle(exports.ComponentLifecycle):
    def init(self, config: ComponentConfig) -> None:
        global _state
        if _state == "ready":
            raise Err(ComponentError_AlreadyInitialized())
        if _state == "stopped":
            raise Err(ComponentError_ShutDown())
        if config.config_data:
            raise Err(ComponentError_InvalidConfig("text-processor takes no configuration data"))
        _state = "ready"
        host.log(LogLevel.INFO, "text-processor is ready", None)

    def execute(self, operation: bytes, context: ExecutionContext) -> bytes:
        if _state != "ready":
            raise Err(ExecutionError_Failed("text-processor is not initialised"))
        codec, data = split(operation)
        request = codec.read(data)
        name = codec.text_in(request, "operation")
        if name not in OPERATIONS:
            raise Err(ExecutionError_UnsupportedOperation(name))
        details = [("operation", name), ("codec", codec.name), ("request-id", context.request_id)]
        host.log(LogLevel.DEBUG, "executing", details)
        return codec.write(OPERATIONS[name](codec.text_in(request.get("params"), "text")))

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

    def shutdown(self) -> None:
        global _state
        if _state == "created":
            raise Err(ComponentError_NotInitialized())
        if _state == "stopped":
            raise Err(ComponentError_ShutDown())
        _state = "stopped"
        host.log(LogLevel.INFO, "text-processor is done", None)
