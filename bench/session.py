"""One run of the benchmark: what is measured, how often, and in which order."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.counts import count_all
from bench.ground import Ground, bare_worker, remit_worker, servers
from bench.loads import Loads
from bench.machine import describe_machine
from bench.measurement import BARE, IN_FLIGHT, LOADS, LOOP, PERSON, Measurement, Results
from bench.meter import Task, drive, measure
from bench.observed import measure_observed
from bench.progress import Reporter
from bench.recall import measure_recall, steps
from bench.startup import measure_start


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: how often each load is measured at each number in flight.
        alone: units of a measurement with one in flight.
        many: units of a measurement with many in flight.
        starts: how often everything is started from nothing.
        vectors: how many vectors memory is searched over, one number for each search.
        observed: rounds with a collector that hangs.
    """

    rounds: int
    alone: int
    many: int
    starts: int
    vectors: tuple[int, ...]
    observed: int

    @property
    def steps(self) -> int:
        """How many steps are reported."""
        measured = self.rounds * len(IN_FLIGHT) * len(LOADS)
        return 2 + self.starts + measured + steps(self.vectors) + self.observed

    def tasks(self) -> Iterator[Task]:
        """Return every measurement in its order.

        Every other round runs backwards: no load always follows the same one, so none always has to
        bear what the servers still do for the one before it.
        """
        for number in range(self.rounds):
            order = list(LOADS) if number % 2 == 0 else list(LOADS)[::-1]
            for in_flight in IN_FLIGHT:
                units = self.alone if in_flight == 1 else self.many
                for load in order:
                    yield Task(number, load, in_flight, units)


FULL = Plan(rounds=7, alone=60, many=300, starts=5, vectors=(10_000, 100_000), observed=7)
QUICK = Plan(rounds=2, alone=20, many=100, starts=1, vectors=(10_000,), observed=1)


@contextmanager
def first_failure() -> Iterator[None]:
    """Raise what failed first by itself: of fifty units that fail alike, one tells enough."""
    try:
        yield
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from failed


@first_failure()
def run(plan: Plan, reporter: Reporter) -> Results:
    """Make one run of the benchmark.

    Raises:
        RemitError: a server or a worker does not come up, or a unit does not go through.
    """
    starts = []
    for number in range(plan.starts):
        reporter.doing(f"start {number + 1} of {plan.starts}")
        start = measure_start(backwards=number % 2 == 1)
        starts.append(start)
        reporter.done(
            f"start {number + 1}: servers {start.servers:.2f} s, "
            f"first directive {start.first_directive:.2f} s"
        )
    reporter.doing("starting the servers")
    with servers() as ground:
        with ExitStack() as ending:
            workers = {BARE: ending.enter_context(bare_worker(ground))}
            reporter.done("servers are up")
            reporter.doing("counting")
            counts = asyncio.run(count_all(ground))
            reporter.done("counted transactions, tasks and activities")
            workers[LOOP] = workers[PERSON] = ending.enter_context(remit_worker(ground))
            measurements = asyncio.run(_measure(plan, ground, workers, reporter))
        observed = measure_observed(ground, plan.observed, reporter)
        # Last, and without workers: a dispatcher that sweeps would take part in every time.
        recalls = measure_recall(ground, plan.vectors, reporter)
    return Results(
        made=datetime.now(UTC).date().isoformat(),
        machine=describe_machine(),
        measurements=measurements,
        counts=counts,
        starts=starts,
        recalls=recalls,
        observed=observed,
    )


async def _measure(
    plan: Plan, ground: Ground, workers: dict[str, int], reporter: Reporter
) -> list[Measurement]:
    engine = ground.engine()
    try:
        loads = await ground.loads(engine)
        await _warm_up(plan, loads, reporter)
        found = []
        for task in plan.tasks():
            about = f"round {task.round + 1} of {plan.rounds}, {task.in_flight} in flight"
            reporter.doing(f"{about}: {LOADS[task.load]}")
            serving = ground.serving(task.load, workers)
            one = await measure(task, loads.by_name[task.load], serving)
            found.append(one)
            reporter.done(
                f"{about}: {LOADS[task.load]}: p50 {one.p50_ms:.1f} ms, "
                f"{one.per_second:.1f} a second, processor {one.cpu_total_ms:.1f} ms"
            )
        return found
    finally:
        engine.dispose()


async def _warm_up(plan: Plan, loads: Loads, reporter: Reporter) -> None:
    """Open connections, let the pollers scale, and fill what is cached."""
    for name, load in loads.by_name.items():
        reporter.doing(f"warming up: {LOADS[name]}")
        await drive(load, max(IN_FLIGHT), plan.many // 2)
