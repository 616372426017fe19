"""What a process tells of its work: spans, metrics, logs, and runs that have ended.

Doors turn it on with what the settings say; nothing that runs depends on it.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

    from remit.evaluation.interface import EvaluationInput
    from remit.execution.models import EndedRun
    from remit.operations.gate.policies import PolicySource
    from remit.settings import Settings
    from remit.workflows.client import Observed

NOBODY = "noop"
"""The evaluation provider that tells nobody: nothing is queued or logged for it."""

SHORT_SECONDS = 0.5
"""How long a quick command may wait at its end for what was not sent yet."""

TELLING_SECONDS = 2.0
"""How long a worker may wait at its end for runs that nobody was told of yet."""


@contextmanager
def observed(
    settings: "Settings", service: str, *, lasting: bool = False, embedded: bool | None = None
) -> "Iterator[Observed | None]":
    """Turn on what the settings ask for, and yield what a client of Temporal needs of it.

    On the embedded stack recent spans are kept as files. Only a process that is `lasting`, which
    serves until it is ended, serves metrics and logs JSON. `embedded` says whether the data folder
    is that of a stack; None: look whether one runs there.
    """
    from remit.stack.discovery import find_stack
    from remit.telemetry.logging import configure, get_logger
    from remit.telemetry.setup import TelemetryOptions, start
    from remit.workflows.client import Observed

    if lasting:
        configure(json=True, level=settings.remit_log_level)
    port = settings.remit_metrics_port if lasting else None
    if embedded is None:
        embedded = find_stack(settings.remit_data_dir) is not None
    core_port = None if port is None else _free_port()
    telemetry = start(
        TelemetryOptions(
            service=service,
            version=package_version() or "of a checkout",
            otlp_endpoint=settings.otel_exporter_otlp_endpoint or None,
            span_folder=spans_dir(settings) if embedded else None,
            metrics_port=port,
            core_metrics_port=core_port,
        )
    )
    if telemetry.metrics_port is not None:
        # The only word of a port that was left to be found.
        get_logger(__name__).info("metrics_served", port=telemetry.metrics_port)
    tracer = telemetry.tracer_provider
    try:
        yield None if tracer is None and core_port is None else Observed(tracer, core_port)
    finally:
        telemetry.close() if lasting else telemetry.close(SHORT_SECONDS)


def spans_dir(settings: "Settings") -> Path:
    """Return where the embedded stack keeps recent spans."""
    return settings.remit_data_dir / "spans"


@contextmanager
def evaluated(settings: "Settings") -> "Iterator[Callable[[EndedRun], None]]":
    """Yield what is to be told of each run that has ended; it returns at once, whatever happens."""
    from remit.evaluation.config import get_evaluation_provider
    from remit.workflows.activities.calls import unobserved

    provider = get_evaluation_provider(settings)
    if provider.name == NOBODY:
        yield unobserved
        return

    try:
        yield lambda ended: provider.observe(told_of(ended))
    finally:
        provider.close(TELLING_SECONDS)


def told_of(ended: "EndedRun") -> "EvaluationInput":
    """Return what is told of an ended run."""
    from remit.evaluation.interface import EvaluatedArtifact, EvaluationInput

    return EvaluationInput(
        directive_id=ended.directive_id,
        type=ended.type,
        role=ended.role,
        status=ended.status,
        run_id=ended.run_id,
        module=ended.module,
        run_status=ended.run_status,
        attempts=ended.attempts,
        duration_seconds=ended.seconds,
        artifacts=tuple(EvaluatedArtifact(one.type, one.digest) for one in ended.artifacts),
    )


def gauges(engine: "sa.Engine", policies: "PolicySource") -> "Callable[[], None]":
    """Return what sets the gauges about the database and the policy; it never raises or waits.

    It looks in the background: a database that is slow to count must not keep the sweep that
    calls it.
    """
    from remit.operations.evidence.overview import ChainWatch, read_glance, samples_of, watch_chains
    from remit.telemetry.logging import get_logger
    from remit.telemetry.metrics import set_gauge

    watch = ChainWatch()

    def look() -> None:
        nonlocal watch
        # Each under a try of its own: neither keeps the other from being seen.
        try:
            watch = watch_chains(engine, watch)
        except Exception:  # noqa: BLE001 - the sweep goes on whatever the watch does
            get_logger(__name__).exception("chains_not_watched")
        try:
            broken, policy = len(watch.broken), policies.problem()
            for each in samples_of(read_glance(engine), broken, policy):
                set_gauge(each.name, each.value, **each.labels)
        except Exception:  # noqa: BLE001 - the sweep goes on whatever the gauges do
            get_logger(__name__).exception("gauges_not_set")

    return in_background(look)


def in_background(work: Callable[[], None]) -> Callable[[], None]:
    """Return what starts some work and returns at once; while that is under way, it does nothing.

    The thread keeps no process alive, and what the work raises is logged.
    """
    from remit.telemetry.logging import get_logger

    busy = Lock()

    def run() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - nobody waits for it who could be told
            get_logger(__name__).exception("background_work_failed")
        finally:
            busy.release()

    def begin() -> None:
        if not busy.acquire(blocking=False):
            return
        try:
            Thread(target=run, name="remit-background", daemon=True).start()
        except RuntimeError:
            # No thread can be had just now: the next call tries again.
            busy.release()

    return begin


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def package_version() -> str | None:
    """Return the version of the installed package; None in a checkout that is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("remit")
    except PackageNotFoundError:
        return None
