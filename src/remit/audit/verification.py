"""Compares the whole log with itself, with the directives, and with a checkpoint. Pure.

Each chain proves its own order: an edited, missing or moved row breaks it. What a chain cannot
show by itself is that it was rewritten from some row on with hashes to match, or that its end was
cut off; without a checkpoint that is found only where the directive's status disagrees with what is
left. With a checkpoint, everything up to the heads that it notes is found.

Memory holds the checkpoint and one row, however long the log is.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any
from uuid import UUID

from remit.audit.chain import GENESIS, INSTALLATION, Event, event_hash
from remit.audit.checkpoint import Checkpoint, Head
from remit.base.wording import quoted
from remit.vocabulary import DirectiveStatus, Fault

STATUS_OF: Mapping[str, DirectiveStatus] = {
    "directive.drafted": "draft",
    "directive.proposed": "proposed",
    "directive.retried": "proposed",
    "directive.approved": "approved",
    "directive.blocked": "blocked",
    "directive.executing": "executing",
    "directive.in_doubt": "executing",
    "directive.completed": "complete",
    "directive.aborted": "aborted",
}
"""The status that a directive has after each of these events."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        directive_id: the directive, or :data:`INSTALLATION`; None when it is about none.
        seq: the first row of its chain that is wrong; None when it is about no row.
        words: what is wrong, for a person who knows directive and row already.
    """

    directive_id: UUID | None
    seq: int | None
    fault: Fault
    words: str


def verify_chains(
    events: Iterable[Event],
    statuses: Iterable[tuple[UUID, str]],
    checkpoint: Checkpoint | None = None,
) -> Iterator[Finding]:
    """Yield the first thing that is wrong with each chain, or with its directive.

    `events` stand by directive and position, and `statuses`, with the id of each, by directive.
    """
    for directive_id, known in groupby(_merged(events, statuses, checkpoint), itemgetter(0)):
        status, head, has_rows = None, None, False
        for _, kind, one in known:
            if kind == _STATUS:
                status = one
            elif kind == _HEAD:
                head = one
            else:  # the last; read before the next directive is asked for
                has_rows = True
                yield from _judged(directive_id, status, head, one)
        if not has_rows:
            words = "nothing is left of the chain" if head else "the log says nothing of it"
            yield Finding(directive_id, 1, "chain_missing", words)


# What is known of a directive, in this order; its rows can be read once.
_STATUS, _HEAD, _ROWS = range(3)


def _merged(
    events: Iterable[Event], statuses: Iterable[tuple[UUID, str]], checkpoint: Checkpoint | None
) -> Iterator[tuple[UUID, int, Any]]:
    heads = checkpoint.heads if checkpoint else ()
    chains = groupby(events, attrgetter("directive_id"))
    return heapq.merge(
        ((directive_id, _STATUS, status) for directive_id, status in statuses),
        ((head.directive_id, _HEAD, head) for head in heads),
        ((directive_id, _ROWS, rows) for directive_id, rows in chains),
        key=lambda known: (known[0].int, known[1]),
    )


def _judged(
    directive_id: UUID, status: str | None, head: Head | None, rows: Iterator[Event]
) -> Iterator[Finding]:
    previous, position, told = GENESIS, 0, None
    for row in rows:
        position += 1
        broken = _broken(row, previous, position, rows)
        if broken is not None:
            yield broken
            return
        if head is not None and position == head.seq and row.hash != head.hash:
            words = "it had another hash at the checkpoint: it, or rows before it, were rewritten"
            yield Finding(directive_id, position, "rewritten", words)
            return
        previous, told = row.hash, STATUS_OF.get(row.type, told)
    if head is not None and position < head.seq:
        words = f"it and all after it are missing: the checkpoint has {head.seq} rows"
        yield Finding(directive_id, position + 1, "truncated", words)
    elif directive_id != INSTALLATION:
        yield from _compared(directive_id, status, told)


def _broken(row: Event, previous: str, position: int, later: Iterator[Event]) -> Finding | None:
    # The rows after it, `later`, are read only when the row is not in its place.
    follows = row.prev_hash == previous
    if follows and row.seq == position and row.hash == event_hash(row):
        return None
    about = row.directive_id
    if row.seq < position:
        return Finding(about, row.seq, "duplicated", "its position is taken twice")
    if not follows and any(other.prev_hash == previous for other in later):
        words = "it is not the row that belongs here, which stands later"
        return Finding(about, position, "reordered", words)
    if row.seq > position:
        last = row.seq - 1
        words = "it is missing" if last == position else f"it and all up to row {last} are missing"
        return Finding(about, position, "missing", words)
    if row.hash != event_hash(row):
        words = "it was edited: its content does not give its hash"
        return Finding(about, position, "edited", words)
    words = "it does not follow from the row before it: one of the two was replaced"
    return Finding(about, position, "replaced", words)


def _compared(directive_id: UUID, status: str | None, told: str | None) -> Iterator[Finding]:
    if status is None:
        yield Finding(directive_id, None, "directive_missing", "it is gone, and its log is there")
    elif status != told:
        says = "never gives it a status" if told is None else f"says {quoted(told)}"
        words = f"its status is {quoted(status)}, and its log {says}"
        yield Finding(directive_id, None, "status_forged", words)
