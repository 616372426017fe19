"""The values that the benchmark's parts hand to one another, and keep as JSON. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BARE, ROWS, LOOP, PERSON = "bare", "rows", "loop", "person"

LOADS: Mapping[str, str] = {
    BARE: "bare workflow",
    ROWS: "rows, no Temporal",
    LOOP: "loop, by policy",
    PERSON: "loop, by a person",
}
"""Every load, in the order of a round, and how tables call it."""

CLIENT, WORKER, TEMPORAL, POSTGRES = "client", "worker", "temporal", "postgres"

PROCESSES = (CLIENT, WORKER, TEMPORAL, POSTGRES)
"""Whose processor time is measured; `client` is the benchmark itself, which proposes."""

IN_FLIGHT = (1, 50)
"""How many units are under way at a time."""


REAL, INSIDE, BETWEEN = "real", "inside", "between"

SEARCHES: Mapping[str, str] = {
    REAL: "real texts",
    INSIDE: "hard clusters, asked from inside",
    BETWEEN: "hard clusters, asked from between",
}
"""Every kind of search that is measured, and how tables call it."""


@dataclass(frozen=True)
class Measurement:
    """One load in one round.

    Attributes:
        round: the round, from 0.
        load: one of :data:`LOADS`.
        in_flight: how many units were under way at a time.
        units: how many were made.
        p50_ms: the median latency of a unit, in milliseconds.
        p99_ms: the latency that 99 of 100 units did not exceed, in milliseconds.
        per_second: units completed in a second.
        cpu_ms: processor time of each of :data:`PROCESSES` for one unit, in milliseconds.
    """

    round: int
    load: str
    in_flight: int
    units: int
    p50_ms: float
    p99_ms: float
    per_second: float
    cpu_ms: Mapping[str, float]

    @property
    def cpu_total_ms(self) -> float:
        """Processor time of all processes for one unit, in milliseconds."""
        return sum(self.cpu_ms.values())


@dataclass(frozen=True)
class Counts:
    """What one unit of a load consists of, as counted; means over the units that were counted.

    Attributes:
        transactions: transactions that Postgres ended, by its own statistics.
        statements: SQL statements executed, without BEGIN and COMMIT.
        workflows: workflows run.
        workflow_tasks: workflow tasks completed, by the workflows' histories.
        local_activities: local activities, by the markers in the histories.
        activities: ordinary activities scheduled, by the histories.
    """

    transactions: float
    statements: float
    workflows: float
    workflow_tasks: float
    local_activities: float
    activities: float


@dataclass(frozen=True)
class Start:
    """One start from nothing, in seconds.

    Attributes:
        servers: both servers, on new directories, started at the same time, until both answer.
        postgres: Postgres alone.
        temporal: Temporal alone.
        first_directive: `remit demo` on a new directory, from the start of its process until its
            first directive was complete.
    """

    servers: float
    postgres: float
    temporal: float
    first_directive: float


@dataclass(frozen=True)
class Recall:
    """One set of vectors, searched through memory's index and by an exact scan.

    Attributes:
        kind: one of :data:`SEARCHES`.
        vectors: how many are stored.
        recall: the share of the ten nearest that the index found: the mean over all questions.
        lowest: the same for the question that it served worst.
        index_ms: the median latency of a search in each round, in milliseconds.
        exact_ms: the same for the exact scan of the same questions.
        build_seconds: how long it took to index the set, once it was stored.
    """

    kind: str
    vectors: int
    recall: float
    lowest: float
    index_ms: Sequence[float]
    exact_ms: Sequence[float]
    build_seconds: float

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{SEARCHES[self.kind]}, {self.vectors:,}"


@dataclass(frozen=True)
class Observed:
    """One round of the loop with 50 in flight, with a collector that hangs and without one.

    Attributes:
        round: the round, from 0.
        without: directives completed in a second by a worker that keeps its spans as files.
        hanging: the same by one that also sends them to a collector that never answers.
    """

    round: int
    without: float
    hanging: float


@dataclass(frozen=True)
class Results:
    """All that one run of the benchmark found.

    Attributes:
        made: the day, as YYYY-MM-DD.
        machine: what kind of machine, and which versions: a name and a value each.
        measurements: every load of every round.
        counts: what each load consists of, by its name.
        starts: the starts from nothing.
        recalls: each set of vectors that was searched.
        observed: the rounds with a collector that hangs.
    """

    made: str
    machine: Mapping[str, str]
    measurements: Sequence[Measurement]
    counts: Mapping[str, Counts]
    starts: Sequence[Start]
    recalls: Sequence[Recall]
    observed: Sequence[Observed]

    def of(self, load: str, in_flight: int) -> list[Measurement]:
        """Return one load's measurements, in the order of the rounds."""
        found = [m for m in self.measurements if (m.load, m.in_flight) == (load, in_flight)]
        return sorted(found, key=lambda measurement: measurement.round)
