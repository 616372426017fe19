"""What a reader finds: records, lists, identifiers, and what a crash left behind."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveRead, UnreadableDirective
from remit.directives.repository import MAX_LISTED, DirectiveFilter
from remit.errors import InvalidInputError, NotFoundError
from remit.operations.evidence.records import (
    Leftovers,
    find_leftovers,
    read_directive,
    read_directives,
    read_record,
    resolve_id,
)
from remit.operations.gate import proposals
from remit.operations.runs.beginning import start_run
from tests.support.contents import AUTHORITY, SHORT, directive, proposed, waiting, write
from tests.support.people import AGENT, OTHER_AGENT

NOW = timedelta(0)
LONG_AGO = timedelta(hours=1)


def ids(found: Sequence[DirectiveRead | UnreadableDirective]) -> list[UUID]:
    return [one.id for one in found]


def leftovers(engine: sa.Engine, *, idle: timedelta = NOW, stalled: timedelta = NOW) -> Leftovers:
    return find_leftovers(engine, idle=idle, stalled=stalled, limit=100)


def age(engine: sa.Engine, directive_id: UUID) -> None:
    statement = "UPDATE directives SET updated_at = now() - interval '2 hours' WHERE id = :id"
    write(engine, statement, id=directive_id)


def test_an_unknown_directive_is_not_found_by_any_reader(engine: sa.Engine) -> None:
    unknown = uuid4()
    for read in (read_record, read_directive):
        with pytest.raises(NotFoundError, match=str(unknown)):
            read(engine, unknown)


def test_a_changed_event_is_found_at_its_position(engine: sa.Engine) -> None:
    found = proposed(engine)
    forged = "UPDATE events SET actor = 'nobody' WHERE directive_id = :id AND seq = 3"
    write(engine, forged, id=found.id)
    assert read_record(engine, found.id).broken_at == 3


def test_a_removed_event_is_found_where_the_next_one_stands(engine: sa.Engine) -> None:
    found = proposed(engine)
    write(engine, "DELETE FROM events WHERE directive_id = :id AND seq = 2", id=found.id)
    assert read_record(engine, found.id).broken_at == 3


def test_a_list_is_newest_first_and_no_longer_than_asked(empty_engine: sa.Engine) -> None:
    made = [proposed(empty_engine, objective=f"Number {number}.").id for number in range(5)]
    assert ids(read_directives(empty_engine, DirectiveFilter())) == made[::-1]
    assert ids(read_directives(empty_engine, DirectiveFilter(limit=2))) == made[:2:-1]
    assert len(read_directives(empty_engine, DirectiveFilter(limit=MAX_LISTED * 10))) == 5


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (DirectiveFilter(status="approved"), {"a", "d"}),
        (DirectiveFilter(status="blocked"), {"b"}),
        (DirectiveFilter(scope="staging"), {"c"}),
        (DirectiveFilter(type="noop"), {"d"}),
        (DirectiveFilter(issued_by="agent-2"), {"b", "d"}),
        (DirectiveFilter(issued_by="agent-2", status="approved"), {"d"}),
        (DirectiveFilter(scope="nowhere"), set()),
    ],
)
def test_a_list_holds_exactly_what_passes_every_filter(
    empty_engine: sa.Engine, wanted: DirectiveFilter, expected: set[str]
) -> None:
    contents = [
        directive(objective="a"),
        directive(objective="b", type="shell", issued_by="agent-2"),
        directive(objective="c", scope="staging"),
        directive(objective="d", type="noop", issued_by="agent-2"),
    ]
    for who in (AGENT, OTHER_AGENT):
        own = [one for one in contents if one.issued_by == who.name]
        proposals.propose(empty_engine, own, AUTHORITY, by=who)
    found = read_directives(empty_engine, wanted)
    assert {one.objective for one in found if isinstance(one, DirectiveRead)} == expected


def test_a_whole_identifier_is_taken_as_it_is_even_if_nothing_has_it(engine: sa.Engine) -> None:
    unknown = uuid4()
    assert resolve_id(engine, f" {str(unknown).upper()} ") == unknown


def test_the_beginning_of_an_identifier_is_enough(engine: sa.Engine) -> None:
    found = proposed(engine)
    assert resolve_id(engine, str(found.id)[:13]) == found.id
    assert resolve_id(engine, str(found.id)[:13].upper()) == found.id


@pytest.mark.parametrize("text", ["not-an-id", "zz", "zzzz", "ab%d", "abcd_", "a b c d"])
def test_what_cannot_begin_an_identifier_is_refused(engine: sa.Engine, text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolve_id(engine, text)
    assert str(caught.value) == (
        "id: not an identifier: those are hexadecimal, of 0-9, a-f and dashes"
    )


@pytest.mark.parametrize("text", ["", "b2", "abc"])
def test_too_short_a_beginning_of_an_identifier_is_refused(engine: sa.Engine, text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        resolve_id(engine, text)
    assert str(caught.value) == ("id: too short: give it whole, or at least its first 4 characters")


def test_a_beginning_that_several_share_is_refused(empty_engine: sa.Engine) -> None:
    for number in (1, 2):
        found = proposed(empty_engine, status="draft")
        shared = f"abcd0000-0000-4000-8000-00000000000{number}"
        write(empty_engine, "DELETE FROM events")
        write(
            empty_engine,
            "UPDATE directives SET id = :new WHERE id = :old",
            new=shared,
            old=found.id,
        )
    with pytest.raises(InvalidInputError, match="several directives begin with abcd; give more"):
        resolve_id(empty_engine, "abcd")
    assert resolve_id(empty_engine, shared[:-1] + "1") == UUID(shared[:-1] + "1")


def test_a_beginning_that_nothing_has_is_not_found(empty_engine: sa.Engine) -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve_id(empty_engine, "abcd")
    assert str(caught.value) == (
        "no directive begins with abcd; `remit list` shows those there are"
    )


def test_a_sweep_finds_what_nobody_started(empty_engine: sa.Engine) -> None:
    first, second = proposed(empty_engine), proposed(empty_engine)
    assert ids(leftovers(empty_engine).approved) == [first.id, second.id]
    assert leftovers(empty_engine, idle=LONG_AGO) == Leftovers((), (), ())
    age(empty_engine, second.id)
    assert ids(leftovers(empty_engine, idle=LONG_AGO).approved) == [second.id]


def test_a_sweep_finds_what_began_and_has_not_moved_since(empty_engine: sa.Engine) -> None:
    found = proposed(empty_engine)
    start_run(empty_engine, found.id, lambda _: SHORT, AUTHORITY)
    assert ids(leftovers(empty_engine).executing) == [found.id]
    assert leftovers(empty_engine, stalled=LONG_AGO).executing == ()
    age(empty_engine, found.id)
    assert ids(leftovers(empty_engine, stalled=LONG_AGO).executing) == [found.id]


def test_a_sweep_leaves_alone_what_waits_for_people(empty_engine: sa.Engine) -> None:
    found = waiting(empty_engine)
    age(empty_engine, found.id)
    assert leftovers(empty_engine).unattended == ()


def test_a_sweep_finds_what_nobody_judged_and_what_ran_out(empty_engine: sa.Engine) -> None:
    ran_out, unjudged = waiting(empty_engine), waiting(empty_engine)
    past = (
        "UPDATE approval_requests SET expires_at = now() - interval '1 s' WHERE directive_id = :id"
    )
    write(empty_engine, past, id=ran_out.id)
    write(empty_engine, "DELETE FROM approval_requests WHERE directive_id = :id", id=unjudged.id)
    assert ids(leftovers(empty_engine).unattended) == [ran_out.id, unjudged.id]
    assert leftovers(empty_engine, idle=LONG_AGO).unattended == ()


def test_a_sweep_takes_up_no_more_than_its_limit_and_the_oldest_first(
    empty_engine: sa.Engine,
) -> None:
    made = [proposed(empty_engine).id for _ in range(4)]
    found = find_leftovers(empty_engine, idle=NOW, stalled=NOW, limit=3)
    assert ids(found.approved) == made[:3]
