"""The spans that the embedded stack's processes kept in its data directory, read.

Only for doors, who show them to people: an import contract lets nobody else in. What stands in the
files is believed in nothing but its form.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from remit.telemetry.ids import trace_id_text

_LONGEST_LINE = 65_536  # characters; a scrubbed span is far shorter

_TraceId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_SpanId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class StoredEvent(BaseModel):
    """Something that happened within a span: `exception`, with its type and message."""

    model_config = ConfigDict(frozen=True, strict=True)

    name: str = Field(description="What happened.")
    at_ns: int = Field(ge=0, description="When, in nanoseconds since the epoch.")
    attributes: Mapping[str, bool | int | float | str] = Field(description="More about it.")


class StoredSpan(BaseModel):
    """One step, as a process kept it."""

    model_config = ConfigDict(frozen=True, strict=True)

    trace_id: _TraceId = Field(description="The trace it belongs to.")
    span_id: _SpanId = Field(description="The step itself.")
    parent_id: _SpanId | None = Field(description="The step around it; null: a root.")
    name: str = Field(description="What was done.")
    service: str = Field(description="The process that did it, as remit-worker.")
    pid: int = Field(description="That process's id.")
    start_ns: int = Field(ge=0, description="When it began, in nanoseconds since the epoch.")
    end_ns: int = Field(ge=0, description="When it ended, in nanoseconds since the epoch.")
    status: str = Field(description="unset, ok or error.")
    status_text: str | None = Field(description="What went wrong; null: nothing.")
    attributes: Mapping[str, bool | int | float | str] = Field(description="More about it.")
    events: Sequence[StoredEvent] = Field(description="What happened within it.")
    links: Sequence[_TraceId] = Field(description="Other traces that it has to do with.")


@dataclass(frozen=True)
class SpanNode:
    """A span and how many steps stand around it; 0 if its parent was not kept."""

    depth: int
    span: StoredSpan


def read_trace(folder: Path, directive_id: UUID) -> list[SpanNode]:
    """Return a directive's trace, each step before those within it, siblings by their beginning.

    Empty if no span of it was kept, or no longer. A line that was cut short by a crash, or is no
    span, is passed over.
    """
    trace_id = trace_id_text(directive_id)
    found: dict[str, StoredSpan] = {}
    for line in _lines_with(folder, trace_id):
        try:
            span = StoredSpan.model_validate_json(line)
        except ValidationError:
            continue
        if span.trace_id == trace_id:
            # A root can be recorded twice, by a proposal that was sent again: the first one counts.
            known = found.get(span.span_id)
            if known is None or span.start_ns < known.start_ns:
                found[span.span_id] = span
    return list(_arranged(found))


def _lines_with(folder: Path, text: str) -> Iterator[str]:
    for file in sorted(folder.glob("*.jsonl")):
        try:
            with file.open(encoding="utf-8", errors="replace") as lines:
                yield from (line for line in lines if text in line and len(line) <= _LONGEST_LINE)
        except OSError:
            continue  # another process has just made room


def _arranged(spans: Mapping[str, StoredSpan]) -> Iterator[SpanNode]:
    children: dict[str | None, list[StoredSpan]] = defaultdict(list)
    for span in sorted(spans.values(), key=lambda each: (each.start_ns, each.end_ns)):
        parent = span.parent_id if span.parent_id in spans else None
        children[parent].append(span)
    # A stack and not a recursion: the depth is what the files say.
    waiting = [SpanNode(0, span) for span in reversed(children.pop(None, []))]
    while waiting:
        branch = waiting.pop()
        yield branch
        within = children.pop(branch.span.span_id, [])
        waiting += [SpanNode(branch.depth + 1, span) for span in reversed(within)]
