"""The two codecs of this guest. The host handles the multicodec prefix."""

import json
import re
from dataclasses import dataclass
from typing import Any, Callable

import umsgpack
from componentize_py_types import Err
from wit_world.imports import multicodec_utilities as multicodec
from wit_world.imports.types import ExecutionError_InvalidInput, ExecutionError_UnsupportedCodec


def _no_constant(name: str):
    raise ValueError(f"{name} is not JSON")


# JSON is parsed recursively, and a component's stack is small.
_DEEPEST = 500
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def _is_too_deep(data: bytes) -> bool:
    """Returns whether lists and objects nest deeper than that. Invalid data is left to the parser."""
    if data.count(b"[") + data.count(b"{") <= _DEEPEST:
        return False
    depth = 0
    for token in _TOKEN.finditer(data):
        if token[0] in b"[{":
            depth += 1
            if depth > _DEEPEST:
                return True
        elif token[0] in b"]}":
            depth -= 1
    return False


def _load_json(data: bytes) -> Any:
    if _is_too_deep(data):
        raise ValueError("a document that is too deep")
    return json.loads(data.decode(), parse_constant=_no_constant)


@dataclass(frozen=True)
class Codec:
    id: int
    name: str
    loads: Callable[[bytes], Any]
    dumps: Callable[[Any], bytes]

    def read(self, data: bytes) -> Any:
        try:
            return self.loads(data)
        except Exception as error:  # Any exception is caused by the data.
            raise invalid(f"{self.name}: {error}") from None

    def text_in(self, value: Any, key: str) -> str:
        """Returns the text of `value` under `key`."""
        text = value.get(key) if isinstance(value, dict) else None
        if not isinstance(text, str):
            raise invalid(f"{self.name}: `{key}` must be a string")
        try:
            text.encode()
        except UnicodeEncodeError:
            # A lone surrogate can be escaped in JSON, but is not text.
            raise invalid(f"{self.name}: `{key}` has half of a surrogate pair") from None
        return text

    def write(self, answer: Any) -> bytes:
        return multicodec.encode(self.id, self.dumps(answer))


CODECS = [
    Codec(
        0x0200,
        "json",
        _load_json,
        lambda answer: json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode(),
    ),
    Codec(0x0201, "msgpack", umsgpack.unpackb, umsgpack.packb),
]

_REASONS = {
    multicodec.MulticodecError_Empty: "the payload is empty",
    multicodec.MulticodecError_TruncatedPrefix: "the payload ends within its multicodec prefix",
    multicodec.MulticodecError_OverlongPrefix: "the payload's multicodec prefix is overlong",
}


def invalid(reason: str) -> Err:
    return Err(ExecutionError_InvalidInput(reason))


def split(payload: bytes) -> tuple[Codec, bytes]:
    """Splits a payload into its codec and its data."""
    try:
        decoded = multicodec.decode(payload)
    except Err as error:
        if isinstance(error.value, multicodec.MulticodecError_UnknownCodec):
            raise Err(ExecutionError_UnsupportedCodec(error.value.value)) from None
        raise invalid(_REASONS[type(error.value)]) from None
    for codec in CODECS:
        if codec.id == decoded.codec:
            return codec, decoded.data
    raise Err(ExecutionError_UnsupportedCodec(decoded.codec))
