"""Whether a model may be asked for a directive, and what is left of a call that was."""

from decimal import Decimal
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.base.json_types import JsonObject
from remit.errors import InvalidInputError, UnavailableError
from remit.execution.modules.types import ModuleOutput
from remit.operations.evidence.auditing import verify_log
from remit.operations.evidence.records import read_record
from remit.operations.recall.llm_calls import CalledModel, record_call, why_not_call
from tests.integration.operations.conftest import AUDITOR
from tests.support.contents import finish, proposed, waiting, write
from tests.support.keys import KEYS
from tests.support.races import at_once
from tests.support.thinking import executing, kept

CALL: JsonObject = {
    "provider": "openai",
    "model": "gpt-6.2-sol",
    "max_tokens": 10,
    "temperature": None,
    "status": "success",
    "error_type": None,
    "message_count": 1,
    "roles": ["user"],
    "characters": 5,
}


def usage(cost: str | None) -> JsonObject:
    return {
        "input_tokens": 1,
        "output_tokens": 1,
        "total_tokens": 2,
        "estimated_cost_usd": cost,
        "latency_ms": 1.0,
    }


def spend(engine: sa.Engine, directive_id: object, *costs: str | None) -> None:
    for cost in costs:
        evidence = (("llm_call", CALL), ("llm_usage", usage(cost)))
        record_call(engine, CalledModel({"status": "success"}, evidence, directive_id))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("budget", "costs", "why"),
    [
        ("$1", (), None),
        ("$1", ("0.999999",), None),
        ("$1", ("0.5", "0.25"), None),
        ("$1", ("0.5", "0.5"), "the directive's budget is spent"),
        ("$1", ("7",), "the directive's budget is spent"),
        ("$1", (None,), "nobody knows what its last call cost"),
        ("$1", (None, "0"), "nobody knows what its last call cost"),
        ("$0", (), "no budget"),
        (None, (), "no budget"),
    ],
)
def test_a_model_may_be_asked_until_the_budget_is_spent(
    engine: sa.Engine, budget: str | None, costs: tuple[str | None, ...], why: str | None
) -> None:
    found, _ = executing(engine, budget=budget)
    spend(engine, found.id, *costs)
    refusal = why_not_call(engine, found.id)
    assert refusal is None if why is None else why in str(refusal)


def test_no_model_is_asked_for_a_directive_that_does_not_execute(engine: sa.Engine) -> None:
    ended, run = executing(engine)
    finish(engine, run, ModuleOutput.success())
    for one in (waiting(engine), proposed(engine), proposed(engine, type="unheard-of"), ended):
        status = read_record(engine, one.id).directive.status
        assert f"the directive is {status}" in str(why_not_call(engine, one.id))
    assert "there is no directive" in str(why_not_call(engine, uuid4()))


def test_a_budget_that_cannot_be_read_allows_nothing(engine: sa.Engine) -> None:
    found, _ = executing(engine)
    write(engine, "UPDATE directives SET budget = 'plenty' WHERE id = :id", id=found.id)
    assert "no budget" in str(why_not_call(engine, found.id))


def test_without_a_directive_only_the_database_must_be_there(engine: sa.Engine) -> None:
    assert why_not_call(engine, None) is None
    away = sa.create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(UnavailableError):
        why_not_call(away, None)


def test_a_call_for_nobody_known_goes_to_the_installation(empty_engine: sa.Engine) -> None:
    spend(empty_engine, None, "1")
    spend(empty_engine, uuid4(), "1")
    assert [(one.directive_id, one.run_id) for one in kept(empty_engine, "llm_usage")] == [
        (None, None)
    ] * 2
    with empty_engine.connect() as connection:
        told = connection.execute(
            sa.text("SELECT directive_id FROM events WHERE type = 'llm.called'")
        )
        assert set(told.scalars()) == {INSTALLATION}
    assert verify_log(empty_engine, by=AUDITOR, keys=KEYS).found == 0


def test_a_call_that_ends_after_its_run_is_the_directives_and_counts_for_no_run(
    engine: sa.Engine,
) -> None:
    found, run = executing(engine)
    finish(engine, run, ModuleOutput.success(cost=Decimal("1.00")))
    spend(engine, found.id, "3")
    record = read_record(engine, found.id)
    [used] = [one for one in record.artifacts if one.type == "llm_usage"]
    assert (used.run_id, record.broken_at) == (None, None)
    assert record.directive.status == "complete"


def test_many_calls_at_once_are_all_on_record_in_one_chain(engine: sa.Engine) -> None:
    found, _ = executing(engine)
    at_once(lambda _: spend(engine, found.id, "0.01"), 20)
    record = read_record(engine, found.id)
    assert record.broken_at is None
    assert [event.type for event in record.events].count("llm.called") == 20


def test_evidence_that_is_not_of_its_type_is_refused_and_nothing_is_stored(
    empty_engine: sa.Engine,
) -> None:
    wrong = CalledModel({}, (("llm_call", {**CALL, "messages": ["hello"]}),))
    with pytest.raises(InvalidInputError, match="messages: unknown field"):
        record_call(empty_engine, wrong)
    assert kept(empty_engine, "llm_call") == []
