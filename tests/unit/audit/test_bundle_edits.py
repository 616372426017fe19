"""A validly signed bundle does not hide what an insider edited: each kind of edit has its verdict.

Every edit is made to the rows; digests and hashes are computed again so that they fit, and the
bundle is signed by the installation's key. Exactly the checks that are named must fail.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from remit.audit.bundle.checks import LATER, UNCOVERED, check_bundle, not_checkable
from remit.audit.bundle.facts import Check
from remit.audit.bundle.file import read_bundle, sign_bundle
from remit.audit.bundle.types import Bundle
from remit.audit.checkpoint import (
    Head,
    make_checkpoint,
    prove_inclusion,
    read_signed_checkpoint,
    sign_checkpoint,
)
from tests.unit.audit.bundle_action_edits import RUNS
from tests.unit.audit.bundle_editing import Edit, event, fitted, of, then, without, without_artifact
from tests.unit.audit.bundle_edits import (
    CONSENT,
    INTENT,
    OTHER,
    Kind,
    cut,
    first_request_gone,
)
from tests.unit.audit.bundle_evidence_edits import EVIDENCE, MONEY
from tests.unit.audit.bundle_lives import LIVES
from tests.unit.audit.bundle_log_edits import LOG
from tests.unit.audit.bundle_parts import KEYS, STRANGERS
from tests.unit.audit.bundle_word_edits import WORDS
from tests.unit.audit.chains import NOON

EDITS: Mapping[str, Kind] = {**INTENT, **CONSENT, **LOG, **RUNS, **WORDS, **EVIDENCE, **MONEY}


@cache
def life(name: str) -> Bundle:
    """Return a life, which no test changes."""
    return LIVES[name]()


def checks(evidence: Bundle) -> tuple[Check, ...]:
    """Return what is found out once the installation's key has signed it."""
    return check_bundle(read_bundle(sign_bundle(evidence, KEYS), KEYS), KEYS)


def failing(evidence: Bundle) -> dict[str, str]:
    """Return the checks that fail, with what they say."""
    return {one.name: one.detail for one in checks(evidence) if not one.holds}


@pytest.mark.parametrize("name", LIVES)
def test_what_nobody_edited_holds(name: str) -> None:
    assert failing(life(name)) == {}
    assert fitted(life(name)) == life(name)


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_gets_its_verdict(name: str) -> None:
    lives, edit, expected = EDITS[name]
    for each in lives:
        edited = fitted(edit(life(each)))
        assert edited != life(each)
        assert set(failing(edited)) == expected, each


def test_there_are_many_kinds_of_edits_and_every_shape_is_edited() -> None:
    assert len(EDITS) >= 60
    edited = {each for lives, _, _ in EDITS.values() for each in lives}
    assert edited >= LIVES.keys() - {"before", "blocked"}


TAKEN_OUT = {
    "proposer in the log": "issuer",
    "earlier request cut out": "answers",
    "status of a request": "answers",
    "token of somebody else": "voters",
    "token revoked without a word": "voters",
    "field that no event has": "events",
    "step told twice": "order",
    "whole log a day later": "times",
    "name that the log no longer says": "named_evidence",
    "error text everywhere": "attempts",
    "end that no worker signed": "attempts",
    "attachment that nobody filed": "filings",
    "amount that was spent": "budget",
    "beginning of the installation put off": "installation",
}


@pytest.mark.untraced
@pytest.mark.parametrize("name", TAKEN_OUT)
def test_with_its_check_taken_out_an_edit_is_not_seen(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is that check that finds it, and nothing else does."""
    lives, edit, _ = EDITS[name]
    edited = fitted(edit(life(lives[0])))
    assert failing(edited)
    blind = Check(TAKEN_OUT[name], holds=True, detail="not looked at")
    monkeypatch.setattr(f"remit.audit.bundle.checks.{TAKEN_OUT[name]}", lambda *_: blind)
    assert failing(edited) == {}


def covered(evidence: Bundle, rows: int | None = None) -> Bundle:
    """Return evidence with a proof that a checkpoint covers its log, or the first rows of it."""
    last = evidence.events[rows - 1 if rows else -1]
    heads = [Head(evidence.directive.id, last.seq, last.hash)]
    heads += [Head(OTHER, 3, "sha256:" + "3" * 64)]
    file = sign_checkpoint(make_checkpoint(heads, last.occurred_at), KEYS)
    checkpoint, header = read_signed_checkpoint(file, KEYS)
    assert header is not None
    proof = prove_inclusion(checkpoint, header, evidence.directive.id)
    return replace(evidence, inclusion=proof)


def run_cut_off(one: Bundle) -> Bundle:
    """Cut the whole run off, as if nothing had been started yet."""
    kept = tuple(each for each in one.artifacts if each.run_id is None)
    begun = next(at for at, each in enumerate(one.events) if each.type == "grant.consumed")
    none = replace(one, runs=(), attempts=(), workers=(), artifacts=kept)
    moved = one.events[begun - 1].occurred_at
    cut_off = cut(begun, len(one.events))(none)
    return of(status="approved", updated_at=moved)(cut_off)


UNSEEN: Mapping[str, tuple[str, Edit]] = {
    "run cut off the end": ("auto", run_cut_off),
    "earlier request cut out, and no grant since": (
        "asked_again",
        then(
            first_request_gone,
            lambda one: of(updated_at=one.events[0].occurred_at)(one),
        ),
    ),
    "attachment cut out with its word": (
        "filed",
        then(
            without_artifact("attachment"),
            without("artifact.stored"),
            lambda one: replace(one, filings=one.filings[:1]),
        ),
    ),
    "who retried": ("retried", event("directive.retried", actor="eve")),
}
"""What only a checkpoint shows: nobody signed anything that misses it."""


@pytest.mark.untraced
@pytest.mark.parametrize("name", UNSEEN)
def test_what_nobody_s_word_misses_is_seen_by_a_checkpoint_alone(name: str) -> None:
    of_life, edit = UNSEEN[name]
    edited = fitted(edit(life(of_life)))
    assert failing(edited) == {}
    assert UNCOVERED in not_checkable(edited, checks(edited))
    proof = covered(life(of_life)).inclusion
    assert set(failing(replace(edited, inclusion=proof))) == {"checkpoint"}


PROOFS: Mapping[str, dict[str, Any]] = {
    "head": {"head": Head(life("auto").directive.id, 2, "sha256:x")},
    "head of another directive": {"head": Head(OTHER, 3, "sha256:" + "3" * 64)},
    "place": {"position": 1},
    "place beyond all": {"position": 9},
    "path": {"path": ("sha256:" + "0" * 64,)},
    "path that is none": {"path": ("x",)},
    "path that is too short": {"path": ()},
    "path that is too long": {"path": ("sha256:" + "0" * 64,) * 2},
    "header": {"header": {}},
}


@pytest.mark.parametrize("name", PROOFS)
def test_a_proof_that_was_edited_proves_nothing(name: str) -> None:
    good = covered(life("auto"))
    assert failing(good) == {}
    assert good.inclusion is not None
    edited = replace(good, inclusion=replace(good.inclusion, **PROOFS[name]))
    assert set(failing(edited)) == {"checkpoint"}


def test_a_checkpoint_of_a_stranger_or_from_after_the_export_proves_nothing() -> None:
    one = life("auto")
    last = one.events[-1]
    for keys, taken_at, words in (
        (STRANGERS, NOON, "is not trusted here"),
        (KEYS, one.exported_at.replace(year=2031), "younger than the bundle"),
    ):
        taken = make_checkpoint([Head(one.directive.id, last.seq, last.hash)], taken_at)
        checkpoint, header = read_signed_checkpoint(sign_checkpoint(taken, keys), keys)
        assert header is not None
        proof = prove_inclusion(checkpoint, header, one.directive.id)
        assert words in failing(replace(one, inclusion=proof))["checkpoint"]


def test_rows_after_the_checkpoint_are_said_not_to_be_covered() -> None:
    early = covered(life("auto"), rows=3)
    assert failing(early) == {}
    assert LATER in not_checkable(early, checks(early))
    whole = covered(life("auto"))
    assert not {LATER, UNCOVERED} & {*not_checkable(whole, checks(whole))}


def test_what_was_made_before_is_said_not_to_be_borne_out() -> None:
    found = checks(life("before"))
    said = [each for each in not_checkable(life("before"), found) if "not borne out" in each]
    assert len(said) == 6
    assert any("who issued the directive" in each for each in said)
    assert any("with which token they voted" in each for each in said)
    assert any("ended" in each for each in said)
