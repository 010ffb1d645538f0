"""An example guest: reads files that a policy grants, through the contract and through Python's own `open`."""

import json
from typing import Any

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.component_lifecycle import ComponentConfig, ExecutionContext
from wit_world.imports import host_capabilities as capabilities
from wit_world.imports import multicodec_utilities as multicodec
from wit_world.imports.types import (
    ComponentMetadata,
    ExecutionError_CapabilityDenied,
    ExecutionError_Failed,
    ExecutionError_InvalidInput,
    ExecutionError_UnsupportedOperation,
    HealthState,
    HealthStatus,
    MemoryRequirements,
)

_JSON = 0x0200


def read_file(path: str) -> bytes:
    """Reads a file through the contract."""
    try:
        return capabilities.read_file(path)
    except Err as error:
        if isinstance(error.value, capabilities.FileError_Denied):
            raise Err(ExecutionError_CapabilityDenied(error.value.value)) from None
        raise Err(ExecutionError_Failed(str(error.value))) from None


def open_file(path: str) -> bytes:
    """Reads a file through WASI."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except PermissionError:
        raise Err(ExecutionError_CapabilityDenied(f"filesystem:read:{path}")) from None
    except OSError as error:
        raise Err(ExecutionError_Failed(str(error))) from None


OPERATIONS = {"read-file": read_file, "open-file": open_file}


def _request(payload: bytes) -> tuple[str, str]:
    """Returns the operation of a payload, and its path."""
    try:
        request: Any = json.loads(multicodec.decode(payload).data)
        name, path = request["operation"], request["params"]["path"]
    except Exception as error:  # Any exception is caused by the data.
        raise Err(ExecutionError_InvalidInput(repr(error))) from None
    if not isinstance(name, str) or not isinstance(path, str):
        raise Err(ExecutionError_InvalidInput("`operation` and `path` must be strings"))
    return name, path


class ComponentLifecycle(exports.ComponentLifecycle):
    def init(self, config: ComponentConfig) -> None:
        pass

    def execute(self, operation: bytes, context: ExecutionContext) -> bytes:
        name, path = _request(operation)
        if name not in OPERATIONS:
            raise Err(ExecutionError_UnsupportedOperation(name))
        answer = {"bytes": len(OPERATIONS[name](path))}
        return multicodec.encode(_JSON, json.dumps(answer).encode())

    def metadata(self) -> ComponentMetadata:
        return ComponentMetadata(
            name="files",
            version="1.0.0",
            description="Reads files that a policy grants",
            author="The airssys-wasm authors",
            license="MIT OR Apache-2.0",
            required_capabilities=[],
            supported_operations=list(OPERATIONS),
            supported_codecs=[_JSON],
            language="python",
            memory_requirements=MemoryRequirements(16 << 20, 512 << 20, 32 << 20),
            timeout_ms=30_000,
            stateful=False,
            api_version="1.0.0",
            homepage=None,
            repository="https://github.com/airssys/airssys-wasm",
            tags=["files", "example"],
            custom_metadata=None,
        )

    def health(self) -> HealthStatus:
        return HealthStatus(HealthState.HEALTHY, None)

    def supported_codecs(self) -> list[int]:
        return [_JSON]

    def shutdown(self) -> None:
        pass
