"""Who issued a directive: what is signed of it, and what does not verify."""

import base64
import copy
import json
from dataclasses import replace
from inspect import signature
from typing import Any
from uuid import UUID

import pytest

from remit.directives.statements import (
    Proposer,
    intent_statement,
    sign_intent,
    verify_intent,
)
from remit.errors import MisconfiguredError, UnverifiableError
from remit.identity.types import Principal
from tests.support.keys import KEYS, new_keys

AGENT = Principal("agent-1", "agent", acts_for="ada", token=UUID(int=5))
FIELDS: dict[str, Any] = {
    "directive_id": UUID(int=1),
    "action_digest": "sha256:a",
    "issued_by": "agent-1",
    "idempotency_key": "key-1",
}
ISSUED = intent_statement(**FIELDS)
SAID = sign_intent(ISSUED, AGENT, KEYS)
CHANGES: dict[str, Any] = {
    "directive_id": UUID(int=2),
    "action_digest": "sha256:b",
    "issued_by": "ada",
    "idempotency_key": None,
}


def test_who_proposed_it_is_told_with_whom_they_act_for_and_their_token() -> None:
    assert verify_intent(ISSUED, SAID, KEYS) == Proposer("agent-1", "ada", UUID(int=5))
    keyless = intent_statement(**{**FIELDS, "idempotency_key": None})
    remit = Principal("remit", "service")
    said = sign_intent(keyless, remit, KEYS)
    assert verify_intent(keyless, said, replace(KEYS, signing_key=None)) == Proposer(
        "remit", None, None
    )


def test_a_key_is_not_repeated_in_what_is_signed() -> None:
    payload = base64.b64decode(str(SAID["payload"]))
    assert b"key-1" not in payload
    assert set(json.loads(payload)) == {
        "installation",
        "directive",
        "action_digest",
        "issued_by",
        "idempotency_key_digest",
        "proposed_by",
        "acts_for",
        "token",
    }


def test_every_field_is_tried() -> None:
    assert list(CHANGES) == list(signature(intent_statement).parameters)


@pytest.mark.parametrize("name", CHANGES)
def test_a_directive_with_any_field_changed_was_issued_by_nobody(name: str) -> None:
    changed = intent_statement(**{**FIELDS, name: CHANGES[name]})
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_intent(changed, SAID, KEYS)


def payload(content: object) -> Any:
    changed: Any = copy.deepcopy(SAID)
    changed["payload"] = base64.b64encode(json.dumps(content).encode()).decode()
    return changed


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        (None, "it was never signed"),
        (sign_intent(ISSUED, AGENT, new_keys()), "is not trusted here"),
        (payload([]), "it does not say who proposed it"),
        (payload({"proposed_by": "a"}), "it does not say who proposed it"),
        (payload({"proposed_by": "a", "acts_for": None, "token": "x"}), "it does not say who"),
        (payload({"proposed_by": "a", "acts_for": None, "token": 7}), "it does not say who"),
        (payload({"proposed_by": "a", "acts_for": None, "token": None}), "the signature is not"),
    ],
)
def test_what_nobody_signed_does_not_verify(envelope: Any, problem: str) -> None:
    with pytest.raises(UnverifiableError, match=problem):
        verify_intent(ISSUED, envelope, KEYS)


def test_nothing_is_signed_without_a_key() -> None:
    with pytest.raises(MisconfiguredError):
        sign_intent(ISSUED, AGENT, replace(KEYS, signing_key=None))
