"""Results of a benchmark that was never run, with figures that are easy to follow."""

from bench.measurement import (
    BARE,
    BETWEEN,
    IN_FLIGHT,
    LOADS,
    LOOP,
    PERSON,
    PROCESSES,
    REAL,
    ROWS,
    Counts,
    Measurement,
    Observed,
    Recall,
    Results,
    Start,
)

P50_MS = {BARE: 20.0, ROWS: 5.0, LOOP: 22.0, PERSON: 60.0}
PER_SECOND = {BARE: 50.0, ROWS: 200.0, LOOP: 40.0, PERSON: 20.0}


def results(*, starts: int = 1) -> Results:
    """Return two rounds of every load; in the second everything takes twice as long."""
    return Results(
        made="2026-01-31",
        machine={"Cores": "2", "Python": "3.11.7"},
        measurements=[
            _measurement(number, load, in_flight)
            for number in range(2)
            for in_flight in IN_FLIGHT
            for load in LOADS
        ],
        counts={LOOP: Counts(3.0, 11.25, 1.0, 1.0, 1.0, 0.0)},
        starts=[Start(1.0, 0.7, 0.6, 3.5)] * starts,
        observed=[Observed(0, 40.0, 38.0), Observed(1, 20.0, 21.0)],
        recalls=[
            Recall(REAL, 10_000, 0.996, 0.9, [2.0, 4.0], [40.0, 80.0], 12.4),
            Recall(BETWEEN, 900, 0.98, 0.0, [5.0, 5.0], [500.0, 250.0], 80.0),
        ],
    )


def _measurement(number: int, load: str, in_flight: int) -> Measurement:
    slower = number + 1
    return Measurement(
        round=number,
        load=load,
        in_flight=in_flight,
        units=10 * in_flight,
        p50_ms=P50_MS[load] * slower,
        p99_ms=P50_MS[load] * slower * 2,
        per_second=PER_SECOND[load] / slower,
        cpu_ms=dict.fromkeys(PROCESSES, 2.5 * slower),
    )
