"""Answers requests in Python: `/`, `/echo`, and nothing else."""

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.types import (
    Fields,
    IncomingRequest,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)

PART = 4096


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        path = (request.path_with_query() or "").partition("?")[0]
        match path:
            case "/":
                answer(response_out, 200, "text/plain", b"hello")
            case "/echo":
                types = request.headers().get("content-type")
                answer(response_out, 200, types[0].decode() if types else "text/plain", read(request))
            case "/trap":
                raise RuntimeError("on purpose")
            case _:
                answer(response_out, 404, "text/plain", b"not found")


def read(request: IncomingRequest) -> bytes:
    parts = []
    with request.consume() as body, body.stream() as stream:
        while True:
            try:
                parts.append(stream.blocking_read(1 << 16))
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    return b"".join(parts)
                raise


def answer(out: ResponseOutparam, status: int, content_type: str, content: bytes) -> None:
    response = OutgoingResponse(Fields.from_list([("content-type", content_type.encode())]))
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(out, Ok(response))
    with body.write() as stream:
        for at in range(0, len(content), PART):
            stream.blocking_write_and_flush(content[at : at + PART])
    OutgoingBody.finish(body, None)
