"""Spans: which step of which directive took how long, and how it ended.

Called by every layer above, around a step; never from workflow code, which runs again on replay
(Temporal's interceptor makes the spans of workflows). Nothing here returns what was recorded, and
nothing raises except what the step itself raises.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Protocol
from uuid import UUID

from remit.telemetry.active import ACTIVE, OpenSpan, RootStart, harmless


class Span(Protocol):
    """A step under way."""

    def set(self, **attributes: object) -> None:
        """Add attributes; names that are not on the list of `scrubbing` are left out."""


class _Unrecorded:
    """Takes everything and keeps nothing; used while tracing is off."""

    def set(self, **attributes: object) -> None:
        """Keep nothing."""


class _Harmless:
    """A span that cannot fail."""

    def __init__(self, inner: OpenSpan) -> None:
        self._inner = inner

    def set(self, **attributes: object) -> None:
        """Add attributes."""
        with harmless():
            self._inner.set(**attributes)


def span(name: str, **attributes: object) -> contextlib.AbstractContextManager[Span]:
    """Return a context manager that records one step, as a child of the step around it.

    Args:
        name: what is done, the same for every directive: `policy.evaluate`.
        attributes: plain values under the names that `scrubbing.ALLOWED` lists.
    """
    return _opened(name, attributes, None)


def directive_span(
    directive_id: UUID, name: str, **attributes: object
) -> contextlib.AbstractContextManager[Span]:
    """Return a context manager that records one step in the trace of a directive.

    It is a child of the step around it if that belongs to the same trace, else of the root span,
    whichever process recorded that; a step of another trace around it is linked.
    """
    return _opened(name, {"directive_id": str(directive_id), **attributes}, directive_id)


def directive_root(
    directive_id: UUID,
    name: str,
    *,
    started_ns: int,
    traceparent: str | None = None,
    **attributes: object,
) -> None:
    """Record the root span of a directive's trace: once, by whoever made the directive.

    It is recorded when its proposal is over, since many directives can be proposed together and
    their ids are not known before.

    Args:
        directive_id: the directive.
        name: what was done: `propose`.
        started_ns: when that began, as `time.time_ns()` gave it; it ends now.
        traceparent: the caller's own trace, as its W3C header says it; it is linked.
        attributes: as for :func:`span`.
    """
    recorder = ACTIVE.recorder
    if recorder is None:
        return
    with harmless():
        start = RootStart(directive_id, started_ns, traceparent)
        recorder.root(name, {"directive_id": str(directive_id), **attributes}, start)


@contextlib.contextmanager
def _opened(
    name: str, attributes: Mapping[str, object], directive_id: UUID | None
) -> Iterator[Span]:
    recorder = ACTIVE.recorder
    opened: OpenSpan | None = None
    if recorder is not None:
        with harmless():
            opened = recorder.open(name, attributes, directive_id)
    if opened is None:
        yield _Unrecorded()
        return
    try:
        yield _Harmless(opened)
    except Exception as error:
        with harmless():
            opened.fail(error)
        raise
    finally:
        with harmless():
            opened.end()
