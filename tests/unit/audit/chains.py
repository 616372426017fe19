"""Intact chains, made as the database makes them, for the tests of their verification."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from remit.audit.chain import GENESIS, Event, event_hash
from remit.audit.checkpoint import Checkpoint, Head, make_checkpoint
from remit.audit.verification import STATUS_OF, Finding, verify_chains

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)

LIFE = (
    "directive.proposed",
    "policy.evaluated",
    "grant.issued",
    "directive.approved",
    "grant.consumed",
    "directive.executing",
    "run.attempted",
    "run.ended",
    "directive.completed",
)
"""What the log says of a directive that was allowed and executed."""

Log = dict[UUID, list[Event]]
"""The chain of each directive."""


def linked(events: Iterable[Event]) -> list[Event]:
    """Return the events as one chain: positions and hashes are made to fit."""
    chain: list[Event] = []
    for seq, event in enumerate(events, start=1):
        new = replace(event, seq=seq, prev_hash=chain[-1].hash if chain else GENESIS)
        chain.append(replace(new, hash=event_hash(new)))
    return chain


def life(number: int, types: Sequence[str] = LIFE) -> list[Event]:
    """Return the chain of the directive whose id is `number`."""
    return linked(
        Event(
            directive_id=UUID(int=number),
            seq=0,
            type=kind,
            actor=f"agent-{number}",
            occurred_at=NOON + timedelta(seconds=seconds),
            data=f'{{"n": {seconds}}}',
            prev_hash="",
            hash="",
        )
        for seconds, kind in enumerate(types)
    )


def statuses_of(log: Log) -> list[tuple[UUID, str]]:
    """Return the status that each directive's log tells."""
    return [
        (directive_id, [STATUS_OF[one.type] for one in chain if one.type in STATUS_OF][-1])
        for directive_id, chain in sorted(log.items())
        if directive_id.int
    ]


def checkpoint_of(log: Log) -> Checkpoint:
    """Return a checkpoint over all chains."""
    heads = (Head(key, chain[-1].seq, chain[-1].hash) for key, chain in log.items())
    return make_checkpoint(heads, NOON)


def rows(log: Log) -> list[Event]:
    """Return all events in the order in which the database gives them."""
    return [event for _, chain in sorted(log.items()) for event in chain]


def verified(
    log: Log, statuses: Sequence[tuple[UUID, str]], checkpoint: Checkpoint | None = None
) -> list[Finding]:
    """Return all that is wrong."""
    return list(verify_chains(iter(rows(log)), iter(statuses), checkpoint))
