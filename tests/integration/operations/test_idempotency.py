"""A caller's own key: the same key for the same content is the same directive."""

import pytest
import sqlalchemy as sa

from remit.errors import ConflictError
from remit.operations.evidence.records import read_record
from remit.operations.gate import proposals
from remit.operations.gate.proposals import GateOutcome
from tests.support.contents import AUTHORITY, counts, directive, proposed
from tests.support.people import AGENT
from tests.support.races import at_once


def test_the_same_key_and_content_return_the_same_directive(empty_engine: sa.Engine) -> None:
    content = directive(idempotency_key="once")
    [first] = proposals.propose(empty_engine, [content], AUTHORITY, by=AGENT)
    before = counts(empty_engine)
    [second] = proposals.propose(empty_engine, [content], AUTHORITY, by=AGENT)
    assert (first.created, second.created) == (True, False)
    assert second.directive == first.directive
    assert second.decision is None
    assert counts(empty_engine) == before


def test_the_same_key_with_other_content_is_a_conflict_that_names_the_first(
    engine: sa.Engine,
) -> None:
    first = proposed(engine, idempotency_key="twice")
    with pytest.raises(ConflictError) as caught:
        proposed(engine, idempotency_key="twice", objective="Say goodbye.")
    assert str(caught.value) == (
        f"idempotency_key: the key 'twice' was used before for directive {first.id} with other "
        "content; use a new key"
    )


def test_a_conflict_in_a_list_stores_none_of_it(empty_engine: sa.Engine) -> None:
    proposed(empty_engine, idempotency_key="taken")
    before = counts(empty_engine)
    contents = [directive(), directive(idempotency_key="taken", objective="Other.")]
    with pytest.raises(ConflictError):
        proposals.propose(empty_engine, contents, AUTHORITY, by=AGENT)
    assert counts(empty_engine) == before


def test_the_same_key_twice_in_one_list_is_one_directive(empty_engine: sa.Engine) -> None:
    content = directive(idempotency_key="within")
    first, second = proposals.propose(empty_engine, [content, content], AUTHORITY, by=AGENT)
    assert (first.created, second.created) == (True, False)
    assert first.directive.id == second.directive.id
    assert counts(empty_engine)["directives"] == 1
    assert counts(empty_engine)["grants"] == 1


def test_a_repetition_in_the_list_tells_the_status_after_the_gate(engine: sa.Engine) -> None:
    content = directive(idempotency_key="told")
    first, second = proposals.propose(engine, [content, content], AUTHORITY, by=AGENT)
    assert first.directive == second.directive
    assert second.directive.status == "approved"


def test_other_content_under_the_same_key_in_one_list_stores_none_of_it(
    empty_engine: sa.Engine,
) -> None:
    contents = [
        directive(idempotency_key="within"),
        directive(idempotency_key="within", objective="Other."),
    ]
    with pytest.raises(ConflictError):
        proposals.propose(empty_engine, contents, AUTHORITY, by=AGENT)
    assert set(counts(empty_engine).values()) == {0}


def test_a_key_belongs_to_its_issuer(engine: sa.Engine) -> None:
    one = proposed(engine, idempotency_key="mine", issued_by="agent-1")
    other = proposed(engine, idempotency_key="mine", issued_by="agent-2")
    assert one.id != other.id


def test_without_a_key_every_call_makes_a_new_directive(engine: sa.Engine) -> None:
    assert proposed(engine).id != proposed(engine).id


@pytest.mark.parametrize("number", [1.0, 0.1, -0.0, 1e-7, 5e-324, 2**53 - 1, 123456789.125])
def test_the_same_number_written_in_another_way_is_the_same_content(
    engine: sa.Engine, number: float
) -> None:
    key = f"number {number!r}"
    first = proposed(engine, idempotency_key=key, payload={"n": number})
    assert proposed(engine, idempotency_key=key, payload={"n": number}).id == first.id


def test_the_same_key_from_eight_threads_at_once_makes_one_directive(
    empty_engine: sa.Engine,
) -> None:
    content = directive(idempotency_key="race")

    def call(_: int) -> GateOutcome:
        [outcome] = proposals.propose(empty_engine, [content], AUTHORITY, by=AGENT)
        return outcome

    outcomes = at_once(call)
    assert len({outcome.directive.id for outcome in outcomes}) == 1
    assert sum(outcome.created for outcome in outcomes) == 1
    assert {outcome.directive.status for outcome in outcomes} == {"approved"}
    assert counts(empty_engine)["directives"] == 1
    record = read_record(empty_engine, outcomes[0].directive.id)
    assert len(record.events) == 4
    assert record.broken_at is None


def test_the_same_list_from_many_threads_in_any_order_makes_each_directive_once(
    empty_engine: sa.Engine,
) -> None:
    contents = [directive(idempotency_key=f"key {number}") for number in range(40)]

    def call(number: int) -> list[GateOutcome]:
        return proposals.propose(
            empty_engine, contents[:: -1 if number % 2 else 1], AUTHORITY, by=AGENT
        )

    for outcomes in at_once(call):
        assert {outcome.directive.status for outcome in outcomes} == {"approved"}
    assert counts(empty_engine)["directives"] == 40
    assert counts(empty_engine)["grants"] == 40
