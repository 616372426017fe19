"""`remit evidence export`: a signed file that is written whole, and never over another."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.audit.bundle.file import read_bundle
from remit.base.canonical import sha256_digest
from remit.db.engine import create_database_engine
from remit.directives.models import DirectiveRead
from remit.identity.types import Principal
from remit.operations.identities.directory import create_token
from remit.signing.pem import private_text
from tests.cli.conftest import Remit, Shown
from tests.support.contents import cast, waiting, write
from tests.support.golden import golden
from tests.support.keys import KEYS
from tests.support.people import ADMIN


@pytest.fixture
def database(own_database_url: str) -> Iterator[sa.Engine]:
    """Return a database of this one test."""
    engine = create_database_engine(own_database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def approved(database: sa.Engine) -> DirectiveRead:
    """Return a directive that a person approved."""
    found = waiting(database)
    cast(database, found)
    return found


def variables(engine: sa.Engine, role: str) -> Mapping[str, str]:
    """Return the environment of a principal with one role."""
    who = Principal(f"{role}-1", "human", roles=(role,))  # type: ignore[arg-type]
    made = create_token(engine, who, valid_for=timedelta(hours=1), by=ADMIN, keys=KEYS)
    assert KEYS.signing_key is not None
    return {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "REMIT_TOKEN": str(made.token),
        "REMIT_SIGNING_KEY": private_text(KEYS.signing_key),
    }


@pytest.fixture
def auditor(
    remit: Remit, database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Remit:
    """Return `remit evidence` as an auditor, in a folder of this one test."""
    for name, value in variables(database, "auditor").items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: remit("evidence", *arguments)


def test_a_bundle_is_written_to_this_folder_and_verifies(
    auditor: Remit, approved: DirectiveRead, tmp_path: Path
) -> None:
    name = f"evidence-{str(approved.id)[:8]}.json"
    shown = auditor("export", str(approved.id)[:8])
    data = (tmp_path / name).read_bytes()
    values = {"id": approved.id, "file": name, "size": len(data), "digest": sha256_digest(data)}
    assert (shown.code, shown.err) == (0, "")
    assert golden("evidence-export", "a bundle in a file", **values) == shown.out
    assert read_bundle(data, KEYS).bundle.exported_by == "auditor-1"
    verified = auditor("verify", name)
    assert (verified.code, verified.err) == (0, "")
    assert "voted           operator approved" in verified.out
    assert list(tmp_path.glob(".*")) == []


def test_a_bundle_can_be_printed(auditor: Remit, approved: DirectiveRead, tmp_path: Path) -> None:
    shown = auditor("export", str(approved.id), "--out", "-")
    assert (shown.code, shown.err) == (0, "")
    assert read_bundle(shown.out.encode(), KEYS).bundle.directive.id == approved.id
    assert list(tmp_path.iterdir()) == []
    both = auditor("export", str(approved.id), "--out", "-", "--json")
    assert both.code == 2
    assert json.loads(both.err)["error"]["message"] == (
        "- prints the bundle itself: leave out --json"
    )


def test_a_file_is_replaced_only_when_told_to(
    auditor: Remit, approved: DirectiveRead, tmp_path: Path
) -> None:
    out = tmp_path / "mine.json"
    out.write_text("mine")
    refused = auditor("export", str(approved.id), "--out", str(out))
    message = f"remit: --out: {out} is there already: name another file, or say --force\n"
    assert refused == Shown(2, "", message)
    assert out.read_text() == "mine"
    shown = auditor("export", str(approved.id), "--out", str(out), "--force", "--json")
    told = json.loads(shown.out)
    assert told == {
        "directive": str(approved.id),
        "file": str(out),
        "bytes": len(out.read_bytes()),
        "digest": sha256_digest(out.read_bytes()),
    }


def test_a_folder_that_is_not_there_is_refused(auditor: Remit, approved: DirectiveRead) -> None:
    refused = auditor("export", str(approved.id), "--out", "none/x.json")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("remit: --out: none/x.json cannot be written (No such file")


def test_a_tampered_database_is_exported_and_named_by_whoever_verifies(
    auditor: Remit, database: sa.Engine, approved: DirectiveRead
) -> None:
    write(
        database,
        "UPDATE grants SET votes = '[\"mallory\"]' WHERE directive_id = :id",
        id=approved.id,
    )
    assert auditor("export", str(approved.id), "--out", "b.json").code == 0
    shown = auditor("verify", "b.json")
    assert shown.code == 1
    assert "✗  grants" in shown.out
    assert "names mallory, without a signed approval" in shown.out


def test_who_may_not_audit_gets_no_bundle(
    remit: Remit,
    database: sa.Engine,
    approved: DirectiveRead,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables(database, "approver").items():
        monkeypatch.setenv(name, value)
    shown = remit("evidence", "export", str(approved.id), "--out", str(tmp_path / "b.json"))
    message = "remit: approver-1 may not audit: that needs the role auditor or admin\n"
    assert shown == Shown(2, "", message)
    assert not (tmp_path / "b.json").exists()
