"""A stored row becomes a directive again, whatever the limits of today are."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError

from remit.directives.models import INTENT_FIELDS, DirectiveRead, Intent, intent_of

FULL: dict[str, Any] = {
    "role": "operator",
    "type": "echo",
    "payload": {"list": [1, 2.5, None, True, {"a": "b"}]},
    "issued_by": "alice",
    "objective": "Say hello.",
    "scope": "test",
    "constraints": {"max": 1},
    "success_metrics": {},
    "budget": "$50.00",
    "timebox": "5m",
}


def row(**changes: object) -> dict[str, object]:
    """Return a row as the database gives it."""
    now = datetime.now(UTC)
    stored = {name: FULL.get(name) for name in INTENT_FIELDS}
    facts = {"id": uuid4(), "status": "blocked", "status_reason": "policy", "action_digest": None}
    times = {"created_at": now, "updated_at": now, "idempotency_key": None}
    return {**stored, **facts, **times, **changes}


def test_a_row_becomes_a_directive_and_its_other_columns_are_ignored() -> None:
    stored = row(claimed_by="worker-1")
    directive = DirectiveRead.from_row(stored)
    assert directive.model_dump() == {
        name: value for name, value in stored.items() if name != "claimed_by"
    }
    assert intent_of(directive) == {name: stored[name] for name in INTENT_FIELDS}


def test_a_row_is_read_under_limits_that_were_lowered_since() -> None:
    stored = row(role="r" * 999, timebox="90d", payload={"n": 2**60})
    assert DirectiveRead.from_row(stored).role == "r" * 999


@pytest.mark.parametrize(
    "change",
    [{"status": "done"}, {"status_reason": "unlucky"}, {"created_at": datetime(2026, 1, 1)}],  # noqa: DTZ001
    ids=str,
)
def test_a_row_that_no_lifecycle_knows_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DirectiveRead.from_row(row(**change))


def test_what_is_read_can_be_written_as_json_and_read_again() -> None:
    directive = DirectiveRead.from_row(row())
    assert DirectiveRead.model_validate_json(directive.model_dump_json()) == directive
    assert isinstance(directive, Intent)
