"""An audit verifies the artifacts, and the signatures of grants and votes."""

import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.operations.evidence.auditing import verify_log
from tests.integration.operations.conftest import Scene, audited
from tests.support.keys import new_keys
from tests.support.people import ADMIN, KNOWN

REFUSED = {"number beyond all bounds", "nesting beyond all bounds"}
"""Those that a check of the database, which the forger took away, would have refused."""

OF_EVIDENCE: dict[str, tuple[str, str]] = {
    "content": (
        "UPDATE artifacts SET metadata = metadata || jsonb_build_object('more', 1) WHERE {one}",
        "artifact_changed",
    ),
    "no object": ("UPDATE artifacts SET metadata = '\"text\"' WHERE {one}", "artifact_changed"),
    "number beyond all bounds": (
        (
            "UPDATE artifacts SET metadata = ('[1e9999, ' || repeat('9', 5000) || ']')::jsonb "
            "WHERE {one}"
        ),
        "artifact_changed",
    ),
    "nesting beyond all bounds": (
        (
            "UPDATE artifacts SET metadata = (repeat('[', 3000) || repeat(']', 3000))::jsonb "
            "WHERE {one}"
        ),
        "artifact_changed",
    ),
    "size": ("UPDATE artifacts SET size_bytes = 1 WHERE {one}", "artifact_changed"),
}


@pytest.mark.parametrize("name", OF_EVIDENCE)
def test_a_changed_artifact_is_found(scene: Scene, name: str) -> None:
    statement, fault = OF_EVIDENCE[name]
    one = "directive_id = $done AND type = 'execution_checkpoint'"
    scene.forge(statement.format(one=one))
    refused = [(scene.done, None, "row_refused")] if name in REFUSED else []
    assert scene.found() == [*refused, (scene.done, None, fault)]


def test_an_artifact_of_no_directive_is_verified_too(scene: Scene) -> None:
    scene.forge(
        "UPDATE artifacts SET directive_id = NULL, size_bytes = 1 "
        "WHERE directive_id = $done AND type = 'execution_checkpoint'"
    )
    # Its own directive's log tells of it, and not the installation's, in which it is now.
    # What the worker signed of the end of its run names it, too; and it is of no run now.
    expected = {(None, "untold"), (None, "artifact_changed"), (scene.done, "unverifiable")}
    expected |= {(INSTALLATION, "unfounded")}
    assert {(about, fault) for about, _, fault in scene.found()} == expected


def test_an_artifact_changed_in_all_its_parts_is_found_by_the_event_that_names_it(
    scene: Scene,
) -> None:
    metadata: JsonObject = {"status": "all is well"}
    content = canonical_json(metadata)
    digest, size = sha256_digest(content), len(content)
    changes = f"metadata = '{content.decode()}', digest = '{digest}', size_bytes = {size}"
    scene.forge(
        f"UPDATE artifacts SET {changes} "  # noqa: S608 - the values stand above
        "WHERE directive_id = $done AND type = 'execution_end'"
    )
    [seq] = naming(scene)[-1:]
    assert scene.found() == [
        (scene.done, seq, "artifact_changed"),
        (scene.done, None, "unverifiable"),
    ]


def naming(scene: Scene) -> list[int]:
    """Return the positions of the events that name artifacts, one for each of those."""
    told = (
        "SELECT seq FROM events, jsonb_object_keys(data->'evidence') "
        "WHERE directive_id = :id AND data ? 'evidence' ORDER BY seq"
    )
    with scene.engine.connect() as connection:
        return list(connection.execute(sa.text(told), {"id": scene.done}).scalars())


def test_a_removed_artifact_is_missed_by_the_event_that_speaks_of_it(scene: Scene) -> None:
    rows = naming(scene)
    scene.forge("DELETE FROM artifacts WHERE directive_id = $done")
    *missing, start, signed = scene.found()
    assert start == (scene.done, None, "told_otherwise")
    assert missing == [(scene.done, seq, "artifact_missing") for seq in rows]
    assert signed == (scene.done, None, "unverifiable")
    assert len(rows) >= 4


def test_an_artifact_with_another_digest_than_its_event_says_is_found(scene: Scene) -> None:
    said = (
        "INSERT INTO events (directive_id, type, actor, data) SELECT directive_id, "
        "'llm.called', 'remit', jsonb_build_object('evidence', jsonb_build_object(uri, {})) "
        "FROM artifacts WHERE directive_id = $done AND type = 'execution_end'"
    )
    enabled = "ALTER TABLE events ENABLE ALWAYS TRIGGER remit_chain_event"
    scene.forge(enabled, said.format("digest"))
    # It is named twice, and once by an event that leaves no such evidence.
    assert [fault for _, _, fault in scene.found()] == ["told_otherwise"] * 2
    scene.forge(enabled, said.format("'sha256:other'"))
    changed, *named = [fault for _, _, fault in scene.found()]
    assert (changed, {*named}) == ("artifact_changed", {"told_otherwise"})


OF_CONSENT: dict[str, tuple[str, str]] = {
    "voter of a grant": (
        "UPDATE grants SET votes = '[\"mallory\"]' WHERE directive_id = $voted",
        "it is not what was signed: its row was changed",
    ),
    "votes that are no list": (
        "UPDATE grants SET votes = '[7]' WHERE directive_id = $voted",
        "it is not what was signed: its row was changed",
    ),
    "end of a grant": (
        "UPDATE grants SET expires_at = '8000-01-01' WHERE directive_id = $voted",
        "it is not what was signed: its row was changed",
    ),
    "signature taken off": (
        "UPDATE grants SET envelope = NULL WHERE directive_id = $voted",
        "it was never signed",
    ),
    "name of the key taken off": (
        (
            "UPDATE grants SET envelope = envelope #- '{signatures,0,keyid}' "
            "WHERE directive_id = $voted"
        ),
        "not an object with exactly the keys keyid, sig",
    ),
    "envelope that no reader can hold": (
        "UPDATE grants SET envelope = repeat('9', 5000)::jsonb WHERE directive_id = $voted",
        "not an object with exactly the keys payload, payloadType, signatures",
    ),
    "decision of a vote": (
        (
            "UPDATE approval_votes SET reason = 'it is fine' WHERE request_id IN "
            "(SELECT id FROM approval_requests WHERE directive_id = $voted)"
        ),
        "it is not what was signed: its row was changed",
    ),
    "vote moved to another directive": (
        (
            "UPDATE approval_requests SET directive_id = $done, rules = '7' "
            "WHERE directive_id = $voted"
        ),
        "it is not what was signed: its row was changed",
    ),
}


BESIDE = {
    "envelope that no reader can hold": {"row_refused"},
    # Its request is approved where nobody's vote was told.
    "vote moved to another directive": {"untold", "unfounded", "told_otherwise"},
}
"""What is found besides the signature."""


@pytest.mark.parametrize("name", OF_CONSENT)
def test_a_grant_or_vote_that_was_changed_does_not_verify(scene: Scene, name: str) -> None:
    statement, reason = OF_CONSENT[name]
    scene.forge(statement)
    found = audited(scene.engine).findings
    beside = {one.fault for one in found} - {"unverifiable"}
    assert beside == BESIDE.get(name, set())
    [finding] = [one for one in found if one.fault == "unverifiable"]
    assert finding.seq is None
    assert finding.directive_id == (scene.done if "moved" in name else scene.voted)
    assert finding.words.endswith(f" does not verify: {reason}")


def test_what_another_key_signed_does_not_verify(scene: Scene) -> None:
    report = verify_log(scene.engine, by=ADMIN, keys=new_keys())
    found = [one for one in report.findings if one.fault == "unverifiable"]
    # Of people and tokens nothing is told either, as no event about them verifies.
    assert {one.fault for one in report.findings} == {"unverifiable", "untold"}
    read = report.read
    for what, number in (
        ("grant ", read.grants),
        ("a vote of ", read.votes),
        ("the certificate of worker ", read.workers),
        ("the principal ", read.principals),
        ("the token ", read.tokens),
        ("its event principal.created ", len(KNOWN)),
        ("run ", read.runs),
    ):
        assert sum(one.words.startswith(what) for one in found) == number, what


def test_a_principal_that_was_changed_does_not_verify(scene: Scene) -> None:
    scene.forge(
        "ALTER TABLE principals DISABLE TRIGGER ALL",
        "UPDATE principals SET roles = '[\"admin\"]' WHERE name = 'grace'",
    )
    finding, told = audited(scene.engine).findings
    assert (finding.directive_id, finding.fault) == (INSTALLATION, "unverifiable")
    assert '"grace" does not verify: it is not what was signed' in finding.words
    assert (told.directive_id, told.fault) == (INSTALLATION, "told_otherwise")
    assert told.words == 'the principal "grace" is not as the log tells: roles'
