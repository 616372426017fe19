"""What is kept word for word holds no secret: an intent or a reason with one is refused."""

from typing import Any

import pytest
import sqlalchemy as sa

from remit.directives.models import DirectiveCreate
from remit.errors import InvalidInputError
from remit.operations.gate import proposals
from remit.operations.gate.disclosure import refuse_secrets
from remit.operations.runs.cancellation import cancel
from tests.support.contents import AUTHORITY, asking, cast, no, proposed, waiting, yes
from tests.support.people import AGENT, GRACE, OPERATOR

SECRET = "c4n4ryc4n4ryc4n4ryc4n4ry"

INTENTS: dict[str, tuple[dict[str, Any], str]] = {
    "payload": ({"payload": {"db": {"password": SECRET}}}, "payload.db.password"),
    "text": ({"payload": {"notes": [f"Bearer {SECRET}"]}}, "payload.notes.0"),
    "objective": ({"objective": f"Use token={SECRET}."}, "objective"),
    "constraints": ({"constraints": {"api_key": SECRET}}, "constraints.api_key"),
    "metrics": ({"success_metrics": {"cookie": SECRET}}, "success_metrics.cookie"),
    "scope": ({"scope": f"sk-{SECRET}"}, "scope"),
}


REFUSED = "looks like a secret, and this is shown to people and kept for good: "
REFERENCE = (
    'name where it is found instead, as in {"%s_ref": "db/main"} or "${DB_PASSWORD}", '
    "or use another key"
)
REWORD = "reword it, or put the value where the module finds it"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"payload": {"db": {"password": SECRET}}},
            f"payload.db.password: {REFUSED}{REFERENCE % 'password'}",
        ),
        (
            {"payload": {"tokens": [f"{SECRET}7Qz"]}},
            f"payload.tokens: {REFUSED}{REFERENCE % 'tokens'}",
        ),
        ({"payload": {"note": f"token={SECRET}"}}, f"payload.note: {REFUSED}{REWORD}"),
        ({"payload": {"notes": [f"Bearer {SECRET}"]}}, f"payload.notes.0: {REFUSED}{REWORD}"),
        ({"objective": f"Use token={SECRET}."}, f"objective: {REFUSED}{REWORD}"),
    ],
)
def test_a_refusal_names_the_place_and_a_way_on_that_is_let_in(value: Any, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        refuse_secrets(value)
    assert str(caught.value) == message
    refuse_secrets({"payload": {"db": {"password_ref": "db/main", "password": "${DB_PASSWORD}"}}})


def count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM directives")).scalar_one())


@pytest.mark.parametrize("name", INTENTS)
@pytest.mark.parametrize("status", ["proposed", "draft"])
def test_an_intent_with_a_secret_is_refused_by_its_place(
    engine: sa.Engine, name: str, status: str
) -> None:
    change, field = INTENTS[name]
    before = count(engine)
    content = DirectiveCreate.model_validate(
        {
            "role": "operations",
            "type": "echo",
            "objective": "Greet.",
            "scope": "test",
            "issued_by": AGENT.name,
            "status": status,
            **change,
        }
    )
    with pytest.raises(InvalidInputError, match="looks like a secret") as caught:
        proposals.propose(engine, [content], AUTHORITY, by=AGENT)
    assert caught.value.field == field
    assert SECRET not in str(caught.value)
    assert count(engine) == before


@pytest.mark.parametrize("ballot", [yes, no])
def test_a_vote_with_a_secret_in_its_reason_is_refused_and_can_be_cast_without(
    engine: sa.Engine, ballot: Any
) -> None:
    found = waiting(engine)
    with pytest.raises(InvalidInputError, match="looks like a secret") as caught:
        cast(engine, found, ballot(found, reason=f"password={SECRET}"), by=GRACE)
    assert caught.value.field == "reason"
    assert SECRET not in str(caught.value)
    cast(engine, found, ballot(found, reason="no secret"), by=GRACE)


def test_a_cancel_with_a_secret_in_its_reason_is_refused(engine: sa.Engine) -> None:
    found = proposed(engine, asking())
    with pytest.raises(InvalidInputError, match="looks like a secret"):
        cancel(engine, found.id, by=OPERATOR, reason=f"token={SECRET}")
