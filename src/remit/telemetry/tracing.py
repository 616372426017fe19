"""Spans: which step of which directive took how long, and how it ended.

Called by every layer above, around a step; never from workflow code, which runs again on replay
(Temporal's interceptor makes the spans of workflows). Nothing is raised but by the step itself.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from remit.telemetry.state import STATE, count_failures

if TYPE_CHECKING:
    from remit.telemetry.sdk_tracing import OpenSpan


class Span:
    """A step under way; it keeps nothing while tracing is off."""

    def __init__(self, recorded: "OpenSpan | None" = None) -> None:
        self._recorded = recorded

    def set(self, **attributes: object) -> None:
        """Add attributes; names that are not in `scrubbing.ALLOWED` are left out."""
        if self._recorded is not None:
            with count_failures():
                self._recorded.set(**attributes)


def span(name: str, **attributes: object) -> contextlib.AbstractContextManager[Span]:
    """Record one step, as a child of the step around it.

    `name` is what is done, the same for every directive: `policy.evaluate`; attributes are plain
    values under the names that `scrubbing.ALLOWED` lists.
    """
    return _opened(name, attributes, None)


def directive_span(
    directive_id: UUID, name: str, **attributes: object
) -> contextlib.AbstractContextManager[Span]:
    """Record one step in the trace of a directive.

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
    their ids are not known before. It began at `started_ns`, as `time.time_ns()` gave it, and ends
    now; `traceparent`, the W3C header of the caller's own trace, is linked.
    """
    tracer = STATE.tracer
    if tracer is None:
        return
    with count_failures():
        tracer.root(
            name,
            {"directive_id": str(directive_id), **attributes},
            directive_id=directive_id,
            started_ns=started_ns,
            traceparent=traceparent,
        )


@contextlib.contextmanager
def _opened(
    name: str, attributes: Mapping[str, object], directive_id: UUID | None
) -> Iterator[Span]:
    tracer = STATE.tracer
    recorded: OpenSpan | None = None
    if tracer is not None:
        with count_failures():
            recorded = tracer.open(name, attributes, directive_id)
    if recorded is None:
        yield Span()
        return
    try:
        yield Span(recorded)
    except Exception as error:
        with count_failures():
            recorded.fail(error)
        raise
    finally:
        with count_failures():
            recorded.end()
