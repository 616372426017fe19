"""Who said what in a bundle: ends that workers sign, tokens revoked since, kept checkpoints."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.facts import claimed_token, kept_token
from remit.audit.bundle.file import read_bundle, sign_bundle
from remit.audit.bundle.types import Bundle, Statement
from remit.audit.checkpoint import Head, make_checkpoint, sign_checkpoint
from remit.audit.run_ends import read_statement
from remit.directives.statements import intent_statement, sign_intent
from remit.errors import UnverifiableError
from remit.execution.statements import RUN_END
from remit.execution.workers import WORKER, certificate
from remit.identity.statements import sign_revocation
from remit.identity.types import Principal
from remit.signing.dsse import envelope_to_json
from remit.signing.statements import sign_statement
from tests.support.keys import INSTALLATION
from tests.unit.audit import bundle_lives as lives
from tests.unit.audit.bundle_editing import event, fitted, grant, of, request, run, then, without
from tests.unit.audit.bundle_parts import KEYS
from tests.unit.audit.bundle_speakers import EXECUTING, canceled_statement, signed_first


def failing(evidence: Bundle, **more: Any) -> dict[str, str]:
    """Return the checks that fail once the installation's key has signed it."""
    bundle = read_bundle(sign_bundle(evidence, KEYS), KEYS)
    return {one.name: one.detail for one in check_bundle(bundle, KEYS, **more) if not one.holds}


def test_an_end_that_no_attempt_brought_may_be_signed_by_the_worker_that_found_it() -> None:
    one = lives.canceled()
    ran, last = one.runs[-1], one.events[-1].actor
    end = canceled_statement(ran, last, EXECUTING.id)
    for keys, expected in ((EXECUTING.keys, set[str]()), (KEYS, {"attempts"})):
        signed = replace(one, ends=(Statement(ran.id, sign_statement(RUN_END, end, keys)),))
        assert set(failing(signed)) == expected


def test_a_vote_with_a_token_that_is_revoked_since_before_it_does_not_hold() -> None:
    one = lives.approved()
    token = next(each for each in one.tokens if each.principal == "ada")
    for since, holds in ((one.events[0].occurred_at, False), (one.exported_at, True)):
        ended = replace(token, revoked_at=one.exported_at, revoked_since=since)
        signed = replace(ended, revocation=sign_revocation(kept_token(ended).row, "opal", KEYS))
        tokens = tuple(signed if each.id == token.id else each for each in one.tokens)
        failed = failing(replace(one, tokens=tokens))
        assert (failed == {}) == holds
        assert holds or "revoked since before it" in failed["voters"]


def test_what_a_revocation_voided_may_stand_beside_the_vote_that_was_spoiled() -> None:
    one = lives.withdrawn()
    token = next(each for each in one.tokens if each.principal == "ada")
    ended = replace(token, revoked_at=one.exported_at, revoked_since=one.events[0].occurred_at)
    signed = replace(ended, revocation=sign_revocation(kept_token(ended).row, "opal", KEYS))
    tokens = tuple(signed if each.id == token.id else each for each in one.tokens)
    by = event("grant.voided", actor="opal")
    assert failing(fitted(by(replace(one, tokens=tokens)))) == {}


@pytest.mark.parametrize("changes", [{"public_key": "x"}, {"kid": "ed25519:x"}])
def test_a_certified_key_that_is_none_signs_nothing(changes: dict[str, Any]) -> None:
    one = lives.auto()
    other = replace(one.workers[0], **changes)
    stated = certificate(other.id, other.kid, other.public_key, other.modules)
    worker = replace(other, envelope=sign_statement(WORKER, stated, KEYS))
    assert set(failing(replace(one, workers=(worker,)))) == {"attempts"}


def test_a_run_that_has_not_begun_has_no_attempt() -> None:
    one = lives.in_doubt()
    named = json.loads(next(e for e in one.events if e.type == "run.attempted").data)["evidence"]
    status = {"status_reason": None, "updated_at": one.events[-2].occurred_at}
    edited = then(
        run(status="pending", started_at=None, attempts=0),
        event("directive.executing", {"evidence": named}),
        without("run.attempted", "directive.in_doubt"),
    )(replace(one, attempts=(), directive=one.directive.model_copy(update=status)))
    assert failing(fitted(edited)) == {}


def test_what_was_filed_before_is_not_borne_out_and_holds() -> None:
    since = replace(INSTALLATION, since=lives.filed().exported_at - timedelta(seconds=1))
    before = signed_first(replace(lives.filed(), installation=since))
    checks = check_bundle(read_bundle(sign_bundle(before, KEYS), KEYS), KEYS)
    assert [one.name for one in checks if not one.holds] == []
    [filed] = [one for one in checks if one.name == "filings"]
    assert len(filed.unborne) == 2


def test_whoever_showed_no_token_can_still_have_proposed() -> None:
    one = lives.auto()
    found = one.directive
    digest = str(found.action_digest)
    issued = intent_statement(found.id, digest, found.issued_by, found.idempotency_key)
    agent = Principal("agent-1", "agent", acts_for="human-1")
    assert failing(replace(one, issued=sign_intent(issued, agent, KEYS))) == {}


def test_what_names_no_token_that_can_be_one_names_none() -> None:
    for content in (b'{"token":"x"}', b'{"token":null}', b"[]"):
        assert claimed_token(envelope_to_json(KEYS.sign("x", content))) is None
    assert claimed_token(None) is None


def test_nothing_was_said_without_an_envelope() -> None:
    with pytest.raises(UnverifiableError, match="never signed"):
        read_statement(RUN_END, None, KEYS)


def test_a_kept_checkpoint_without_the_directive_must_be_older_than_it() -> None:
    one = lives.auto()
    for taken_at, holds in ((one.events[0].occurred_at, True), (one.exported_at, False)):
        file = sign_checkpoint(make_checkpoint([], taken_at), KEYS)
        failed = failing(one, kept_checkpoint=file)
        assert (failed == {}) == holds
        assert holds or "has no row of it" in failed["kept checkpoint"]


def test_a_kept_checkpoint_that_is_younger_says_nothing_of_rows_that_came_since() -> None:
    one = lives.auto()
    head = Head(one.directive.id, len(one.events) + 2, "sha256:" + "0" * 64)
    later = make_checkpoint([head], one.exported_at + timedelta(hours=1))
    assert failing(one, kept_checkpoint=sign_checkpoint(later, KEYS)) == {}
    early = make_checkpoint([head], one.events[-1].occurred_at)
    words = failing(one, kept_checkpoint=sign_checkpoint(early, KEYS))["kept checkpoint"]
    assert "and has" in words


def test_a_kept_checkpoint_that_does_not_verify_bears_nothing_out() -> None:
    failed = failing(lives.auto(), kept_checkpoint=b"another file")
    assert "the checkpoint is not JSON" in failed["kept checkpoint"]


def test_a_request_whose_grant_was_voided_is_invalidated() -> None:
    one = lives.withdrawn()
    voided = then(
        without("approval.resolved"),
        event("grant.voided", {"reason": "policy_changed"}),
        event("directive.blocked", {"reason": "policy_changed"}),
        grant(void_reason="policy_changed"),
        request(status="invalidated"),
        of(status_reason="policy_changed"),
    )
    assert failing(fitted(voided(one))) == {}
    assert set(failing(fitted(then(voided, request(status="canceled"))(one)))) == {"answers"}
