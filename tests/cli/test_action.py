"""A voter is shown the whole action, each field as JSON, and told what is odd in it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from remit.approval.types import ApprovalRequest
from remit.cli.views.directives import show_action
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from tests.support.contents import directive
from tests.support.golden import golden

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = UUID(int=7)


def _read(**changes: object) -> DirectiveRead:
    fields = intent_of(directive(**changes))
    return DirectiveRead.model_validate(
        {
            **fields,
            "id": ID,
            "status": "proposed",
            "status_reason": None,
            "action_digest": action_digest(fields),
            "idempotency_key": None,
            "created_at": NOW,
            "updated_at": NOW,
        }
    )


def _request(read: DirectiveRead, *rules: str, required: int = 1) -> ApprovalRequest:
    return ApprovalRequest(
        id=UUID(int=8),
        directive_id=read.id,
        action_digest=str(read.action_digest),
        policy_version="1",
        policy_digest="sha256:0",
        status="pending",
        required_approvals=required,
        allow_self_approval=False,
        approver_groups=(),
        rejection_ends=True,
        rules=rules,
        requested_at=NOW,
        expires_at=NOW,
        resolved_at=None,
    )


def test_every_field_is_shown_as_canonical_json(capsys: pytest.CaptureFixture[str]) -> None:
    read = _read(payload={"b": 1.0, "a": ["\x1b[31m", 'say "hi"', "C:\\new"]})
    show_action(read, _request(read, 'scope is "test"', required=2), str(read.action_digest))
    expected = golden("approve", "each field as JSON", digest=read.action_digest)
    assert expected == capsys.readouterr().out


def test_what_deceives_is_written_out_and_noted_under_its_field(
    capsys: pytest.CaptureFixture[str],
) -> None:
    read = _read(
        payload={"p\u0430th": "/tmp\u202e"},  # noqa: S108 - nothing is written there
        objective="p\u0430ypal ",
        constraints={"\u0441\u043e\u0440": True},
    )
    show_action(read, _request(read, "say \u200b"), str(read.action_digest))
    out = capsys.readouterr().out
    assert out.replace("\n", "").isprintable()
    assert golden("approve", "what deceives", digest=read.action_digest) == out


def test_a_long_payload_is_shown_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    read = _read(payload={"say": "x" * 9000 + " ; rm -rf /"})
    show_action(read, _request(read), str(read.action_digest))
    assert ' ; rm -rf /"}\n' in capsys.readouterr().out


def test_a_terminal_breaks_lines_itself_so_that_no_space_is_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    words = "rm -rf /tmp/one /tmp/two /tmp/three /tmp/four"
    read = _read(payload={"say": words})
    show_action(read, _request(read), str(read.action_digest))
    assert f'{{"say":"{words}"}}\n' in capsys.readouterr().out
