"""Writing memory: who may, what must be cited, what the log tells, and that it is all or none."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION, Event
from remit.audit.repository import list_events
from remit.cognition.embeddings.types import MAX_TEXT_LENGTH
from remit.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, RemitError
from remit.execution.modules.types import ModuleOutput
from remit.identity.types import Principal
from remit.memory.writing import NewMemory, Remembered
from remit.operations.evidence.records import read_record
from remit.operations.recall import memories
from remit.operations.recall.memories import (
    find_run_id,
    memories_without_embedding,
    recent_memories,
    remember,
)
from remit.operations.runs.beginning import start_run
from remit.operations.runs.cancellation import cancel
from tests.integration.operations.conftest import AUDITOR, audited
from tests.integration.operations.filing import everything_said, rows
from tests.integration.operations.lives import ran
from tests.support.contents import AUTHORITY, SHORT, proposed
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, GRACE, OPERATOR, OTHER_AGENT
from tests.support.races import at_once, refused

TEA = NewMemory("kitchen", "Ada likes tea.")
COFFEE = NewMemory("kitchen", "Grace likes coffee.")


def run_of(engine: sa.Engine, directive_id: UUID) -> UUID:
    run = read_record(engine, directive_id).run
    assert run is not None
    return run.id


def completed(engine: sa.Engine) -> UUID:
    return run_of(engine, ran(engine, proposed(engine)).id)


def failed(engine: sa.Engine) -> UUID:
    return run_of(engine, ran(engine, proposed(engine), ModuleOutput.failure("no paper")).id)


def under_way(engine: sa.Engine) -> UUID:
    found = proposed(engine)
    start_run(engine, found.id, lambda _: SHORT, AUTHORITY)
    return run_of(engine, found.id)


def canceled(engine: sa.Engine) -> UUID:
    run_id = under_way(engine)
    cancel(engine, directive_of(engine, run_id), by=OPERATOR, reason=None)
    return run_id


def directive_of(engine: sa.Engine, run_id: UUID) -> UUID:
    [(found,)] = rows(engine, "SELECT directive_id FROM execution_runs WHERE id = :id", id=run_id)
    return UUID(str(found))


def events_of(engine: sa.Engine, chain: UUID) -> list[Event]:
    with engine.connect() as connection:
        return list_events(connection, chain)


def kept(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """Return every memory: its words, its source and its digest."""
    statement = "SELECT scope, content, digest, run_id, created_by FROM memories ORDER BY content"
    return [tuple(row) for row in rows(engine, statement)]


PEOPLE: dict[str, tuple[Principal, bool, bool]] = {
    "whoever issued the directive": (AGENT, True, False),
    "its issuer with a token for it": (replace(AGENT, scopes=("propose",)), True, False),
    "its issuer with a token for something else": (replace(AGENT, scopes=("audit",)), False, False),
    "another agent": (OTHER_AGENT, False, False),
    "an operator": (OPERATOR, True, False),
    "an admin": (ADMIN, True, True),
    "an admin with a token for something else": (replace(ADMIN, scopes=("audit",)), False, False),
    "an agent with the role of an admin": (Principal("robot", "agent", ("admin",)), True, False),
    "an approver": (GRACE, False, False),
    "an auditor": (AUDITOR, False, False),
}
"""Who, whether they may remember what a run of agent-1 brought, and whether words of their own."""


@pytest.mark.parametrize("name", PEOPLE)
def test_a_run_is_its_issuer_s_and_operators_to_speak_of_and_only_an_admin_needs_none(
    empty_engine: sa.Engine, name: str
) -> None:
    by, with_run, without = PEOPLE[name]
    for run_id, may in ((completed(empty_engine), with_run), (None, without)):
        before = kept(empty_engine)
        if may:
            [one] = remember(empty_engine, [TEA], by=by, keys=KEYS, run_id=run_id)
            assert one.is_new
            row = (TEA.scope, TEA.content, TEA.digest, run_id, by.name)
            assert sorted(map(str, kept(empty_engine))) == sorted(map(str, [*before, row]))
        else:
            with pytest.raises(ForbiddenError):
                remember(empty_engine, [TEA], by=by, keys=KEYS, run_id=run_id)
            assert kept(empty_engine) == before


@pytest.mark.parametrize("by", [AGENT, OPERATOR, ADMIN])
@pytest.mark.parametrize("make", [failed, under_way, canceled])
def test_only_what_a_completed_run_brought_is_remembered(
    empty_engine: sa.Engine, make: Callable[[sa.Engine], UUID], by: Principal
) -> None:
    run_id = make(empty_engine)
    with pytest.raises(ConflictError, match="only what a completed run brought is remembered"):
        remember(empty_engine, [TEA], by=by, keys=KEYS, run_id=run_id)
    with pytest.raises(NotFoundError, match="there is no run"):
        remember(empty_engine, [TEA], by=by, keys=KEYS, run_id=uuid4())
    assert kept(empty_engine) == []


def test_the_log_tells_the_digests_of_what_was_added_and_not_its_words(
    empty_engine: sa.Engine,
) -> None:
    run_id = completed(empty_engine)
    chain = directive_of(empty_engine, run_id)
    for about, by, source in (
        (chain, AGENT, {"run": str(run_id)}),
        (INSTALLATION, ADMIN, {}),
    ):
        run = run_id if source else None
        added = remember(empty_engine, [TEA, COFFEE], by=by, keys=KEYS, run_id=run)
        last = events_of(empty_engine, about)[-1]
        assert (last.type, last.actor) == ("memory.added", by.name)
        digests = {
            str(one.memory_id): each.digest for one, each in zip(added, (TEA, COFFEE), strict=True)
        }
        told = json.loads(last.data)
        assert told.pop("envelopes").keys() == digests.keys()
        assert told == {**source, "memories": digests}
    assert not [one for one in events_of(empty_engine, chain) if "tea" in one.data]
    assert audited(empty_engine).findings == ()


def test_the_same_words_twice_are_one_memory_and_told_once(empty_engine: sa.Engine) -> None:
    [first] = remember(empty_engine, [TEA], by=ADMIN, keys=KEYS)
    before = events_of(empty_engine, INSTALLATION)
    again = remember(empty_engine, [TEA], by=ADMIN, keys=KEYS)
    assert again == [Remembered(first.memory_id, is_new=False)]
    assert events_of(empty_engine, INSTALLATION) == before
    both = remember(empty_engine, [COFFEE, TEA, COFFEE], by=ADMIN, keys=KEYS)
    assert both[1].memory_id == first.memory_id
    assert both[0].memory_id == both[2].memory_id
    assert [one.is_new for one in both].count(True) == 1
    assert len(kept(empty_engine)) == 2


@pytest.mark.parametrize("of_a_run", [True, False])
def test_many_who_write_the_same_in_other_orders_at_once_write_it_once(
    empty_engine: sa.Engine, *, of_a_run: bool
) -> None:
    run_id = completed(empty_engine) if of_a_run else None
    new = [NewMemory("kitchen", f"Fact {number}.") for number in range(100)]

    def write(number: int) -> list[Remembered]:
        ordered = new if number % 2 else new[::-1]
        found = remember(empty_engine, ordered, by=ADMIN, keys=KEYS, run_id=run_id)
        return found if number % 2 else found[::-1]

    answers = at_once(refused(write), 8)
    assert [one for one in answers if isinstance(one, RemitError)] == []
    ids = {tuple(one.memory_id for one in answer) for answer in answers if isinstance(answer, list)}
    assert len(ids) == 1
    assert len(kept(empty_engine)) == 100
    told = rows(
        empty_engine,
        "SELECT jsonb_object_keys(data->'memories') FROM events WHERE type = 'memory.added'",
    )
    assert sorted(UUID(key) for (key,) in told) == sorted(next(iter(ids)))


def test_a_hundred_at_once_are_the_most(empty_engine: sa.Engine) -> None:
    new = [NewMemory("kitchen", f"Fact {number}.") for number in range(101)]
    for wrong in ([], new):
        with pytest.raises(InvalidInputError, match="memories: give 1 to 100 memories at once"):
            remember(empty_engine, wrong, by=ADMIN, keys=KEYS)
    added = remember(empty_engine, new[:100], by=ADMIN, keys=KEYS)
    assert len({one.memory_id for one in added}) == len(kept(empty_engine)) == 100
    assert memories_without_embedding(empty_engine, "m", 200) == [
        memory_id
        for (memory_id,) in rows(empty_engine, "SELECT id FROM memories ORDER BY created_at, id")
    ]


WRONG: dict[str, tuple[NewMemory, str]] = {
    "no words": (replace(TEA, content=""), "content"),
    "blanks": (replace(TEA, content=" \n\t"), "content"),
    "too many words": (replace(TEA, content="x" * (MAX_TEXT_LENGTH + 1)), "content"),
    "a null character": (replace(TEA, content="a\0b"), "content"),
    "half a character": (replace(TEA, content="\ud800"), "content"),
    "no scope": (replace(TEA, scope=""), "scope"),
    "too long a scope": (replace(TEA, scope="x" * 201), "scope"),
    "a null character in its scope": (replace(TEA, scope="a\0b"), "scope"),
    "words that are no text": (replace(TEA, content=7), "content"),  # type: ignore[arg-type]
    "words that masking makes too long": (
        replace(TEA, content="pwd=abcd " * ((MAX_TEXT_LENGTH) // 9)),
        "content",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_that_cannot_be_kept_keeps_all_of_them_out(empty_engine: sa.Engine, name: str) -> None:
    wrong, field = WRONG[name]
    with pytest.raises(InvalidInputError) as caught:
        remember(empty_engine, [TEA, COFFEE, wrong], by=ADMIN, keys=KEYS)
    assert caught.value.field == f"memories[2].{field}"
    assert kept(empty_engine) == []


def test_what_cannot_be_told_in_the_log_is_not_remembered(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ConflictError("an event was not written")

    before = events_of(empty_engine, INSTALLATION)
    monkeypatch.setattr(memories, "append_events", fail)
    with pytest.raises(ConflictError):
        remember(empty_engine, [TEA, COFFEE], by=ADMIN, keys=KEYS)
    assert kept(empty_engine) == []
    assert events_of(empty_engine, INSTALLATION) == before


TOKEN = "ghp_" + "a1B2" * 9
CANARIES = (TOKEN, "hunter2-canary")


def test_no_secret_in_a_memory_is_stored_digested_or_told(empty_engine: sa.Engine) -> None:
    secret = NewMemory(f"token {TOKEN}", f"log in with {TOKEN}, password={CANARIES[1]} and wait")
    masked = NewMemory("token [redacted]", "log in with [redacted], password=[redacted] and wait")
    run_id = completed(empty_engine)
    for by, run in ((AGENT, run_id), (ADMIN, None)):
        remember(empty_engine, [secret], by=by, keys=KEYS, run_id=run)
    assert {row[:3] for row in kept(empty_engine)} == {
        (masked.scope, masked.content, masked.digest)
    }
    with pytest.raises(InvalidInputError) as caught:
        remember(empty_engine, [replace(secret, scope=TOKEN * 10)], by=ADMIN, keys=KEYS)
    said = everything_said(empty_engine) + str(caught.value)
    assert [canary for canary in CANARIES if canary in said] == []


def test_the_newest_are_shown_first_and_who_looked_is_on_record(empty_engine: sa.Engine) -> None:
    for each in (TEA, COFFEE, NewMemory("cellar", "It is dark.")):
        remember(empty_engine, [each], by=ADMIN, keys=KEYS)
    found = recent_memories(empty_engine, by=GRACE, keys=KEYS, scope="kitchen", limit=2)
    assert [one.content for one in found] == [COFFEE.content, TEA.content]
    assert {one.source.label for one in found} == {"added by admin admin"}
    assert rows(empty_engine, "SELECT principal, query, asked, result_count FROM memory_reads") == [
        ("grace", "recent_memories", {"scope": "kitchen", "limit": 2}, 2)
    ]
    for limit in (0, 101):
        with pytest.raises(InvalidInputError, match="limit: must be"):
            recent_memories(empty_engine, by=GRACE, keys=KEYS, scope=None, limit=limit)


def test_a_run_is_found_by_the_beginning_of_its_identifier(empty_engine: sa.Engine) -> None:
    run_id = completed(empty_engine)
    assert find_run_id(empty_engine, str(run_id)[:13]) == run_id
    with pytest.raises(NotFoundError, match="no run begins with"):
        find_run_id(empty_engine, "00000000-0000")
    for wrong in ("", "abc", "%", "____", "' OR true --"):
        with pytest.raises(InvalidInputError):
            find_run_id(empty_engine, wrong)
