"""An audit names what a database administrator tampered with; a checkpoint shows the rest."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.checkpoint import read_checkpoint
from remit.base.canonical import sha256_digest
from remit.errors import ConflictError, ForbiddenError, UnverifiableError
from remit.identity.types import Principal
from remit.operations.evidence.auditing import take_checkpoint, verify_log
from tests.integration.operations.conftest import AUDITOR, STRANGER, Scene, audited
from tests.integration.operations.lives import LIVES
from tests.support.contents import proposed
from tests.support.keys import KEYS
from tests.support.people import AGENT, OPERATOR

# A chain written again from row 3 on: the database itself computes hashes to match.
REWRITE = (
    "CREATE TEMP TABLE kept AS SELECT * FROM events WHERE directive_id = $done AND seq >= 3",
    "DELETE FROM events WHERE directive_id = $done AND seq >= 3",
    "UPDATE kept SET actor = 'mallory' WHERE seq = 3",
    "ALTER TABLE events ENABLE ALWAYS TRIGGER remit_chain_event",
    (
        "INSERT INTO events (directive_id, type, actor, data)"
        " SELECT directive_id, type, actor, data FROM kept ORDER BY seq"
    ),
)
SWAP = (
    "UPDATE events SET seq = -2 WHERE directive_id = $done AND seq = 2",
    "UPDATE events SET seq = 2 WHERE directive_id = $done AND seq = 4",
    "UPDATE events SET seq = 4 WHERE directive_id = $done AND seq = -2",
)
DUPLICATE = (
    "ALTER TABLE events DROP CONSTRAINT pk_events",
    "INSERT INTO events SELECT * FROM events WHERE directive_id = $done AND seq = 3",
)

OF_ROWS: dict[str, tuple[tuple[str, ...], str, int | None, str]] = {
    "actor": (
        ("UPDATE events SET actor = 'mallory' WHERE directive_id = $done AND seq = 3",),
        "done",
        3,
        "edited",
    ),
    "type": (
        ("UPDATE events SET type = 'policy.evaluated' WHERE directive_id = $done AND seq = 1",),
        "done",
        1,
        "edited",
    ),
    "data": (
        (
            (
                "UPDATE events SET data = data || jsonb_build_object('n', 1e300) "
                "WHERE directive_id = $voted AND seq = 2"
            ),
        ),
        "voted",
        2,
        "edited",
    ),
    "time": (
        (
            (
                "UPDATE events SET occurred_at = occurred_at - interval '1 microsecond' "
                "WHERE directive_id = $done AND seq = 4"
            ),
        ),
        "done",
        4,
        "edited",
    ),
    "no time of this world": (
        (
            "UPDATE events SET occurred_at = 'infinity' WHERE directive_id = $done AND seq = 4",
            "UPDATE events SET occurred_at = '4000-1-1 BC' WHERE directive_id = $done AND seq = 5",
        ),
        "done",
        4,
        "edited",
    ),
    "previous hash": (
        ("UPDATE events SET prev_hash = hash WHERE directive_id = $done AND seq = 4",),
        "done",
        4,
        "edited",
    ),
    "hash": (
        ("UPDATE events SET hash = prev_hash WHERE directive_id = $done AND seq = 4",),
        "done",
        4,
        "edited",
    ),
    "missing row": (
        ("DELETE FROM events WHERE directive_id = $done AND seq = 2",),
        "done",
        2,
        "missing",
    ),
    "missing beginning": (
        ("DELETE FROM events WHERE directive_id = $blocked AND seq = 1",),
        "blocked",
        1,
        "missing",
    ),
    "swapped rows": (SWAP, "done", 2, "reordered"),
    "row twice": (DUPLICATE, "done", 3, "duplicated"),
    "whole chain": (
        ("DELETE FROM events WHERE directive_id = $voted",),
        "voted",
        1,
        "chain_missing",
    ),
    "status": (
        ("UPDATE directives SET status = 'approved', status_reason = NULL WHERE id = $blocked",),
        "blocked",
        None,
        "status_forged",
    ),
    "directive": (
        ("DELETE FROM directives WHERE id = $blocked",),
        "blocked",
        None,
        "directive_missing",
    ),
}
"""What is found with and without a checkpoint: statements, and directive, row and fault."""


@pytest.mark.parametrize("name", OF_ROWS)
def test_an_audit_names_the_first_row_that_was_tampered_with(scene: Scene, name: str) -> None:
    statements, about, seq, fault = OF_ROWS[name]
    scene.forge(*statements)
    expected: list[tuple[UUID | None, int | None, str]] = [(getattr(scene, about), seq, fault)]
    if name == "no time of this world":
        expected += [(scene.done, None, "row_refused")] * 2
    assert scene.found() == expected
    assert scene.found(scene.taken) == expected


def test_an_intact_database_has_no_finding(scene: Scene) -> None:
    report = audited(scene.engine, scene.taken)
    assert report.findings == ()
    assert (report.read.directives, report.read.grants, report.read.votes) == (3, 2, 1)
    assert report.checkpoint == scene.taken.checkpoint
    proposed(scene.engine)
    assert scene.found(scene.taken) == []


ALL_OF_IT = (
    *("DELETE FROM artifacts WHERE directive_id = $done", "DELETE FROM budget_entries"),
    *("DELETE FROM budget_accounts", "DELETE FROM execution_attempts"),
    "DELETE FROM execution_runs WHERE directive_id = $done",
    "DELETE FROM grants WHERE directive_id = $done",
)
"""What a thorough forger brings into line, besides the status: all that the rows spoke of."""

AFTER: dict[str, tuple[tuple[str, ...], int, str]] = {
    "rewritten": (REWRITE, 0, "rewritten"),
    "cut off": (
        (
            *ALL_OF_IT,
            "DELETE FROM events WHERE directive_id = $done AND seq > 1",
            "UPDATE directives SET status = 'proposed' WHERE id = $done",
        ),
        2,
        "truncated",
    ),
    "removed": (
        (
            *ALL_OF_IT,
            "DELETE FROM events WHERE directive_id = $done",
            "DELETE FROM directives WHERE id = $done",
        ),
        1,
        "chain_missing",
    ),
}
"""What only a checkpoint shows."""


@pytest.mark.parametrize("name", AFTER)
def test_a_thorough_forgery_is_missed_alone_and_found_after_a_checkpoint(
    scene: Scene, name: str
) -> None:
    statements, seq, fault = AFTER[name]
    scene.forge(*statements)
    assert scene.found() == []
    heads = {head.directive_id: head.seq for head in scene.taken.checkpoint.heads}
    assert scene.found(scene.taken) == [(scene.done, seq or heads[scene.done], fault)]


def test_the_installations_own_chain_is_verified_too(scene: Scene) -> None:
    scene.forge("UPDATE events SET actor = 'x' WHERE directive_id = $installation AND seq = 2")
    assert scene.found() == [(INSTALLATION, 2, "edited")]


def test_a_report_counts_more_than_it_holds(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remit.operations.evidence.auditing.MAX_FINDINGS", 2)
    scene.forge("DELETE FROM events WHERE seq = 1")
    report = audited(scene.engine)
    assert (len(report.findings), report.found) == (2, 4)


def test_progress_ends_at_all_that_there_is(scene: Scene) -> None:
    told: list[tuple[int, int]] = []
    verify_log(
        scene.engine, by=AUDITOR, keys=KEYS, progress=lambda done, total: told.append((done, total))
    )
    assert told[0][0] == 0
    assert told[-1][0] == told[-1][1] > 0
    assert told == sorted(told)


@pytest.mark.parametrize("by", [AGENT, OPERATOR], ids=lambda by: by.name)
def test_only_an_auditor_may_look_or_sign(scene: Scene, by: Principal) -> None:
    acts: tuple[Callable[[], object], ...] = (
        lambda: verify_log(scene.engine, by=by, keys=KEYS),
        lambda: take_checkpoint(scene.engine, KEYS, by=by),
    )
    for act in acts:
        with pytest.raises(ForbiddenError, match="audit"):
            act()


def test_a_checkpoint_has_the_head_of_every_chain(scene: Scene) -> None:
    checkpoint = read_checkpoint(scene.taken.data, KEYS)
    assert checkpoint == scene.taken.checkpoint
    with scene.engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT directive_id, max(seq) AS seq FROM events GROUP BY 1 ORDER BY 1")
        ).all()
    assert [(head.directive_id, head.seq) for head in checkpoint.heads] == [tuple(r) for r in rows]
    assert checkpoint.heads[0].directive_id == INSTALLATION


def test_a_checkpoint_follows_only_from_one_that_the_log_still_holds_against(
    scene: Scene,
) -> None:
    proposed(scene.engine)
    second = take_checkpoint(scene.engine, KEYS, by=AUDITOR, previous=scene.taken.data)
    assert second.checkpoint.previous == sha256_digest(scene.taken.data)
    assert second.checkpoint.taken_at > scene.taken.checkpoint.taken_at
    scene.forge(*REWRITE)
    with pytest.raises(ConflictError) as caught:
        take_checkpoint(scene.engine, KEYS, by=AUDITOR, previous=second.data)
    assert f"directive {scene.done}, row " in str(caught.value)
    assert "rewritten" in str(caught.value)
    assert take_checkpoint(scene.engine, KEYS, by=AUDITOR).checkpoint.previous is None


def test_a_forged_status_keeps_a_checkpoint_from_following_too(scene: Scene) -> None:
    scene.forge(*OF_ROWS["status"][0])
    with pytest.raises(ConflictError, match=f"directive {scene.blocked}: its status is"):
        take_checkpoint(scene.engine, KEYS, by=AUDITOR, previous=scene.taken.data)


def test_a_previous_checkpoint_that_does_not_verify_is_refused(scene: Scene) -> None:
    with pytest.raises(UnverifiableError):
        take_checkpoint(scene.engine, KEYS, by=AUDITOR, previous=scene.taken.data + b" ")


def test_an_unknown_directive_in_the_log_has_no_status_to_hold_it_against(scene: Scene) -> None:
    scene.forge(
        "ALTER TABLE events ENABLE ALWAYS TRIGGER remit_chain_event",
        "INSERT INTO events (directive_id, type, actor, data) "
        "VALUES ($stranger, 'directive.approved', 'remit', '{}')",
    )
    assert scene.found() == [(STRANGER, None, "directive_missing")]


@pytest.mark.parametrize("name", LIVES)
def test_whatever_way_a_directive_goes_nothing_is_wrong_with_it(
    engine: sa.Engine, name: str
) -> None:
    LIVES[name](engine)
    assert audited(engine).findings == ()
