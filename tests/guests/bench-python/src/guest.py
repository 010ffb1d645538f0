"""The benchmark's guest in Python; `../bench/wit/world.wit` says what each function does."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.operations import Context, Failure_Empty, Failure_Refused
from wit_world.imports import host


class Operations(exports.Operations):
    def execute(self, input: bytes, context: Context) -> bytes:
        if not input:
            raise Err(Failure_Empty())
        if context.deadline == 0:
            raise Err(Failure_Refused(context.id))
        host.log("executing")
        return input[::-1]

    def add(self, a: int, b: int) -> int:
        return (a + b) & 0xFFFFFFFF

    def call_host(self, times: int) -> int:
        value = 0
        for _ in range(times):
            value = host.tick(value)
        return value

    def call_host_text(self, times: int) -> None:
        for _ in range(times):
            host.log("executing")
