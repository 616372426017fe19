"""One load under the clock: latencies, throughput, and each process's own processor time."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil

from bench.figures import percentile
from bench.loads import Load
from bench.measurement import CLIENT, Measurement

_SETTLE_SECONDS = 0.3  # what a load leaves behind in the servers is not the next one's cost


@dataclass(frozen=True)
class Task:
    """What to measure.

    Attributes:
        round: the round, from 0.
        load: the load's name.
        in_flight: how many units are under way at a time.
        units: how many to make.
    """

    round: int
    load: str
    in_flight: int
    units: int


async def measure(task: Task, load: Load, processes: Mapping[str, int]) -> Measurement:
    """Make the units and measure them.

    Args:
        task: what to measure.
        load: makes one unit.
        processes: process ids of the servers and the worker that serve this load, by their names;
            this process is measured in any case.
    """
    await asyncio.sleep(_SETTLE_SECONDS)
    before = _cpu_seconds(processes)
    began = time.perf_counter()
    latencies = await drive(load, task.in_flight, task.units)
    seconds = time.perf_counter() - began
    after = _cpu_seconds(processes)
    return Measurement(
        round=task.round,
        load=task.load,
        in_flight=task.in_flight,
        units=task.units,
        p50_ms=percentile(latencies, 0.5) * 1000,
        p99_ms=percentile(latencies, 0.99) * 1000,
        per_second=task.units / seconds,
        cpu_ms={name: (after[name] - before[name]) / task.units * 1000 for name in after},
    )


async def drive(load: Load, in_flight: int, units: int) -> list[float]:
    """Keep `in_flight` units under way until `units` are done; return their latencies in seconds.

    Raises:
        ExceptionGroup: a unit failed; the others are canceled.
    """
    left = iter(range(units))
    latencies: list[float] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(_one_after_another(load, left, latencies))
    return latencies


async def _one_after_another(load: Load, left: Iterator[int], latencies: list[float]) -> None:
    for _ in left:
        began = time.perf_counter()
        await load()
        latencies.append(time.perf_counter() - began)


def _cpu_seconds(processes: Mapping[str, int]) -> dict[str, float]:
    """Return the processor time that each process has used so far, its children's included."""
    own = psutil.Process().cpu_times()
    servers = {name: _tree_seconds(psutil.Process(pid)) for name, pid in processes.items()}
    return {CLIENT: own.user + own.system, **servers}


def _tree_seconds(process: psutil.Process) -> float:
    """Return a process's time with that of its children, those that have ended included."""
    seconds = 0.0
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            seconds += times.user + times.system
    own = process.cpu_times()
    return seconds + own.user + own.system + own.children_user + own.children_system
