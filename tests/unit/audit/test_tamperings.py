"""Ten thousand random tamperings of the log: each is found after a checkpoint.

Those that only the checkpoint shows are also tried without one, and must then be missed: that is
the control.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from remit.audit.chain import INSTALLATION, Event
from remit.audit.verification import STATUS_OF
from tests.unit.audit.chains import LIFE, Log, checkpoint_of, life, linked, statuses_of, verified

pytestmark = pytest.mark.untraced

LOG: Log = {UUID(int=number): life(number) for number in (1, 2, 3)}
LOG[INSTALLATION] = life(0, ("principal.created", "token.created", "principal.changed"))
CHECKPOINT = checkpoint_of(LOG)

MANY = 10_000
Tampering = Callable[[random.Random, Log], None]

FIELDS: Mapping[str, Callable[[random.Random, Event], Any]] = {
    "directive_id": lambda r, e: UUID(
        int=r.choice([n for n in range(9) if n != e.directive_id.int])
    ),
    "seq": lambda r, e: e.seq + r.choice([-2, -1, 1, 2, 50]),
    "type": lambda r, e: r.choice([kind for kind in (*LIFE, "") if kind != e.type]),
    "actor": lambda r, e: e.actor + r.choice(" x\u200b"),
    "occurred_at": lambda r, e: e.occurred_at + timedelta(microseconds=r.choice([-1, 1, 10**9])),
    "data": lambda r, e: r.choice(["{}", '{"n": null}', e.data + " "]),
    "prev_hash": lambda r, e: r.choice(["", "genesis ", e.hash]),
    "hash": lambda r, e: e.hash[:-1] + ("0" if e.hash[-1] != "0" else "1"),
}
"""How each field of a row is changed."""


def edit(random: random.Random, log: Log) -> None:
    """Change one field of one row."""
    chain = log[random.choice(list(log))]
    at = random.randrange(len(chain))
    field = random.choice(list(FIELDS))
    chain[at] = replace(chain[at], **{field: FIELDS[field](random, chain[at])})


def edit_with_its_hash(random: random.Random, log: Log) -> None:
    """Change one row, and compute its hash anew."""
    chain = log[random.choice(list(log))]
    at = random.randrange(len(chain))
    new = replace(chain[at], actor=chain[at].actor + "x")
    chain[at] = linked([*chain[:at], new])[at]


def delete(random: random.Random, log: Log) -> None:
    """Take out one row that is not the last."""
    chain = log[random.choice(list(log))]
    del chain[random.randrange(len(chain) - 1)]


def reorder(random: random.Random, log: Log) -> None:
    """Let two rows change positions."""
    chain = log[random.choice(list(log))]
    one, other = random.sample(range(len(chain)), 2)
    chain[one], chain[other] = (
        replace(chain[other], seq=chain[one].seq),
        replace(chain[one], seq=chain[other].seq),
    )


def duplicate(random: random.Random, log: Log) -> None:
    """Put one row in twice."""
    chain = log[random.choice(list(log))]
    at = random.randrange(len(chain))
    chain.insert(at, chain[at])


def truncate(random: random.Random, log: Log) -> None:
    """Cut off the end of one chain."""
    chain = log[random.choice(list(log))]
    del chain[random.randrange(1, len(chain)) :]


def rewrite(random: random.Random, log: Log) -> None:
    """Write one chain anew from some row on, with hashes to match; it may come out longer."""
    chain = log[random.choice(list(log))]
    at = random.randrange(len(chain))
    new = replace(chain[at], data='{"n": "forged"}')
    chain[:] = linked(
        [*chain[:at], new, *chain[at + 1 :], *chain[: 0 if random.random() < 0.5 else 2]]
    )


def remove(random: random.Random, log: Log) -> None:
    """Take away one whole chain."""
    del log[random.choice(list(log))]


SHOWN_ALONE: tuple[Tampering, ...] = (edit, edit_with_its_hash, delete, reorder, duplicate)
SHOWN_AFTER: tuple[Tampering, ...] = (truncate, rewrite, remove)


def tampered(seed: int, tamper: Tampering) -> Log:
    """Return the log after one tampering, in the order in which a database would give it."""
    log = {key: list(chain) for key, chain in LOG.items()}
    tamper(random.Random(seed), log)
    result: Log = {}
    for event in (event for chain in log.values() for event in chain):
        result.setdefault(event.directive_id, []).append(event)
    return {key: sorted(chain, key=lambda one: one.seq) for key, chain in result.items()}


def told(log: Log) -> list[tuple[UUID, str]]:
    """Return statuses that agree with the tampered log, as a thorough forger leaves them."""
    known = {key: chain for key, chain in log.items() if any(e.type in STATUS_OF for e in chain)}
    return statuses_of(known)


def test_ten_thousand_tamperings_are_each_found_after_a_checkpoint() -> None:
    kinds = SHOWN_ALONE + SHOWN_AFTER
    for seed in range(MANY):
        tamper = kinds[seed % len(kinds)]
        log = tampered(seed, tamper)
        assert verified(log, told(log), CHECKPOINT), (seed, tamper.__name__)


@pytest.mark.parametrize("tamper", SHOWN_AFTER)
def test_without_a_checkpoint_a_thorough_forgery_is_missed(tamper: Tampering) -> None:
    """The control: the checkpoint is what finds these, so a test that lacks it must fail."""
    for seed in range(200):
        log = tampered(seed, tamper)
        assert verified(log, told(log)) == [], seed
