"""What a collector that hangs costs the loop: the same worker with one and without, in turns.

Without, the worker keeps its spans as files, as on the embedded stack, and serves its metrics;
with, it also sends both to an address that takes every connection and never answers.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from bench.ground import Ground, remit_worker
from bench.measurement import LOOP, Measurement, Observed
from bench.meter import Task, measure
from bench.progress import Reporter

IN_FLIGHT, UNITS = 50, 200
"""Units under way at a time, and units of each measurement."""

SERVING = MappingProxyType({"REMIT_METRICS_PORT": "0"})
"""What both workers are told: to count what they do, and look after the database."""


def measure_observed(ground: Ground, rounds: int, reporter: Reporter) -> list[Observed]:
    """Measure the loop's throughput with and without a collector that hangs, paired by round.

    Args:
        ground: the servers; no other worker of Remit's may serve them meanwhile.
        rounds: how many rounds; every other one in the opposite order.
        reporter: is told of each round.
    """
    found = []
    with _hanging() as endpoint:
        variants: list[tuple[str, Mapping[str, str]]] = [
            ("without", SERVING),
            ("hanging", {**SERVING, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}),
        ]
        for number in range(rounds):
            reporter.doing(f"round {number + 1} of {rounds}: a collector that hangs")
            order = variants if number % 2 == 0 else variants[::-1]
            speeds = {name: _per_second(ground, number, each) for name, each in order}
            one = Observed(number, **speeds)
            found.append(one)
            reporter.done(
                f"round {number + 1} of {rounds}: {one.without:.1f} a second, "
                f"{one.hanging:.1f} with a collector that hangs"
            )
    return found


def _per_second(ground: Ground, number: int, variables: Mapping[str, str]) -> float:
    with remit_worker(ground, variables) as pid:
        return asyncio.run(_measured(ground, number, pid)).per_second


async def _measured(ground: Ground, number: int, pid: int) -> Measurement:
    engine = ground.engine()
    try:
        loads = await ground.loads(engine)
        load = loads.by_name[LOOP]
        await measure(Task(number, LOOP, IN_FLIGHT, IN_FLIGHT), load, {})  # warm
        return await measure(
            Task(number, LOOP, IN_FLIGHT, UNITS), load, ground.serving(LOOP, {LOOP: pid})
        )
    finally:
        engine.dispose()


@contextlib.contextmanager
def _hanging() -> Iterator[str]:
    """Yield an address that takes every connection and never answers."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:

        def take() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for each in taken:
                each.close()
