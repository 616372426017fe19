"""Who may file evidence by hand: whoever issued the directive, and whoever operates."""

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.artifacts.filesystem import FilesystemObjectStore
from remit.errors import ForbiddenError
from remit.identity.types import Principal
from remit.operations.evidence import artifacts
from remit.operations.evidence.artifacts import read_artifact
from tests.integration.operations.conftest import AUDITOR
from tests.integration.operations.filing import (
    LARGE,
    SMALL,
    Watched,
    file_one,
    objects_in,
    stored_rows,
)
from tests.support.contents import proposed
from tests.support.people import ADMIN, AGENT, GRACE, OPERATOR, OTHER_AGENT


@pytest.fixture
def store(tmp_path: Path) -> FilesystemObjectStore:
    """Return a store that keeps what it is given."""
    return objects_in(tmp_path)


SERVICE = Principal("service-1", "service", roles=("operator",))
PEOPLE: dict[str, tuple[Principal, bool, bool]] = {
    "whoever issued it": (AGENT, True, False),
    "its issuer with a token for it": (replace(AGENT, scopes=("propose",)), True, False),
    "its issuer with a token for something else": (replace(AGENT, scopes=("audit",)), False, False),
    "its issuer without a role": (replace(AGENT, roles=()), False, False),
    "another agent": (OTHER_AGENT, False, False),
    "an operator": (OPERATOR, True, True),
    "an operator with a token for something else": (
        replace(OPERATOR, scopes=("vote",)),
        False,
        False,
    ),
    "a service that operates": (SERVICE, True, True),
    "an admin": (ADMIN, True, True),
    "an agent with the role of an admin": (Principal("robot", "agent", ("admin",)), True, True),
    "an approver": (GRACE, False, False),
    "an auditor": (AUDITOR, False, False),
}
"""Who, whether they may for a directive of agent-1, and whether for none."""


@pytest.mark.parametrize("name", PEOPLE)
def test_whoever_issued_a_directive_files_for_it_and_operators_file_for_any_or_none(
    empty_engine: sa.Engine, store: FilesystemObjectStore, name: str
) -> None:
    by, for_it, for_none = PEOPLE[name]
    about = proposed(empty_engine)
    for directive_id, may in ((about.id, for_it), (None, for_none)):
        before, source = stored_rows(empty_engine), Watched(LARGE)
        if may:
            filed = file_one(empty_engine, store, source, by=by, directive_id=directive_id)
            assert read_artifact(empty_engine, filed.id).metadata["filed_by"] == by.name
            continue
        with pytest.raises(ForbiddenError):
            file_one(empty_engine, store, source, by=by, directive_id=directive_id)
        assert source.given == 0
        assert stored_rows(empty_engine) == before


def test_without_the_look_at_who_files_another_agent_s_evidence_is_stored(
    empty_engine: sa.Engine, store: FilesystemObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = proposed(empty_engine)
    monkeypatch.setattr(artifacts, "require_own", lambda *_: None)
    file_one(empty_engine, store, SMALL, by=OTHER_AGENT, directive_id=about.id)
    assert stored_rows(empty_engine) == (1, 1)
