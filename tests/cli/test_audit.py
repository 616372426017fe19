"""`remit audit`: what is wrong is named, and a checkpoint is a file that is never overwritten."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.repository import NewEvent, append_events
from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.operations.evidence.auditing import take_checkpoint
from remit.signing.keys import public_pem
from tests.cli.auditing import CUT, forge, variables_for
from tests.cli.conftest import Remit, Shown, without_ids
from tests.cli.test_terminal import on_a_terminal
from tests.support.contents import proposed, waiting
from tests.support.golden import golden
from tests.support.keys import KEYS, new_keys
from tests.support.people import ADMIN


@pytest.fixture
def address(own_database_url: str) -> str:
    """Return the address of a database of this one test."""
    return own_database_url


@pytest.fixture
def log(address: str) -> Iterator[sa.Engine]:
    """Return that database, with an approved and a waiting directive."""
    engine = create_database_engine(address)
    proposed(engine)
    waiting(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def variables(log: sa.Engine, address: str) -> Mapping[str, str]:
    """Return the environment of an auditor."""
    return variables_for(log, address, "auditor")


@pytest.fixture
def audit(remit: Remit, variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Remit:
    """Return `remit audit` as an auditor."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str) -> Shown:
        return remit("audit", *arguments)

    return call


def test_a_log_that_holds_is_said_to_hold_and_what_was_not_looked_for(
    audit: Remit, log: sa.Engine
) -> None:
    shown = audit("verify")
    assert (shown.code, shown.err) == (0, "")
    assert golden("audit", "a log that holds") == shown.out


def test_a_checkpoint_is_written_and_the_log_is_held_against_it(
    audit: Remit, log: sa.Engine, tmp_path: Path
) -> None:
    file = tmp_path / "elsewhere.json"
    shown = audit("checkpoint", "--out", str(file))
    assert (shown.code, shown.err) == (0, "")
    text = re.sub(r"sha256:[0-9a-f]{64}\b", f"sha256:{'H' * 64}", without_ids(shown.out))
    assert golden("audit", "a checkpoint that is written", file=file) == text
    verified = audit("verify", "--checkpoint", str(file))
    assert (verified.code, verified.err) == (0, "")
    assert golden("audit", "a log that holds against one") == without_ids(verified.out)


def test_what_is_wrong_is_named_with_its_row(audit: Remit, log: sa.Engine, address: str) -> None:
    forge(
        address,
        "UPDATE events SET actor = 'x' WHERE seq = 2",
        "DELETE FROM events WHERE directive_id = '00000000-0000-0000-0000-000000000000' "
        "AND seq = 1",
    )
    shown = audit("verify")
    assert (shown.code, shown.err) == (1, "")
    assert golden("audit", "a log that does not hold") == without_ids(shown.out)
    as_json = audit("verify", "--json")
    assert (as_json.code, as_json.err) == (1, "")
    found = json.loads(as_json.out)
    assert (found["holds"], found["found"], found["checkpoint"]) == (False, 3, None)
    assert found["findings"][0] == {
        "directive_id": "00000000-0000-0000-0000-000000000000",
        "seq": 1,
        "fault": "missing",
        "words": "it is missing",
    }
    assert found["read"]["directives"] == 2


def test_no_more_than_twenty_are_shown_and_the_rest_is_counted(
    audit: Remit, log: sa.Engine, address: str
) -> None:
    for _ in range(23):
        proposed(log)
    forge(address, "DELETE FROM events WHERE seq = 1")
    lines = audit("verify").out.splitlines()
    assert lines[0] == "the log does not hold: 26 things are wrong"
    assert [line for line in lines[2:] if "  missing  " in line] == lines[2:22]
    assert lines[22] == "and 6 more"
    assert len(json.loads(audit("verify", "--json").out)["findings"]) == 26


def test_one_wrong_thing_is_one(audit: Remit, address: str) -> None:
    forge(address, "UPDATE events SET data = '{}' WHERE type = 'grant.issued'")
    assert audit("verify").out.startswith("the log does not hold: one thing is wrong\n")


def test_an_artifact_of_no_directive_has_a_dash_for_one(audit: Remit, address: str) -> None:
    forge(
        address,
        "ALTER TABLE artifacts DISABLE TRIGGER ALL",
        "UPDATE artifacts SET directive_id = NULL, size_bytes = 1 "
        "WHERE id = (SELECT min(id::text)::uuid FROM artifacts)",
    )
    lines = [re.split(r" {2,}", line)[:3] for line in audit("verify").out.splitlines()]
    assert ["-", "-", "artifact_changed"] in lines


def test_the_end_of_a_chain_is_missed_alone_and_found_with_a_checkpoint(
    audit: Remit, log: sa.Engine, address: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "checkpoint")
    with transaction(log) as connection:
        append_events(connection, [NewEvent(INSTALLATION, "llm.called")])
    taken = json.loads(audit("checkpoint", "--out", file, "--json").out)
    assert (taken["file"], taken["chains"], taken["warning"]) == (file, 3, None)
    forge(address, CUT)
    assert audit("verify").code == 0
    shown = audit("verify", "--checkpoint", file)
    assert shown.code == 1
    assert "the installation" in shown.out
    assert "truncated" in shown.out
    refused = audit("checkpoint", "--out", file + "2", "--previous", file)
    assert refused.code == 2
    assert refused.err.startswith("remit: previous: the log does not hold against the previous")
    assert not Path(file + "2").exists()


def test_a_checkpoint_follows_from_the_one_before(audit: Remit, tmp_path: Path) -> None:
    first, second = str(tmp_path / "1"), str(tmp_path / "2")
    digest = json.loads(audit("checkpoint", "--out", first, "--json").out)["digest"]
    shown = audit("checkpoint", "--out", second, "--previous", first)
    assert shown.out.endswith(f"  previous  {digest}\n")


def test_a_file_that_is_there_is_replaced_only_by_force(audit: Remit, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    file.write_text("precious")
    line = f"remit: --out: {file} is there already: name another file, or say --force\n"
    assert audit("checkpoint", "--out", str(file)) == Shown(2, "", line)
    assert file.read_text() == "precious"
    assert audit("checkpoint", "--out", str(file), "--force").code == 0
    assert audit("verify", "--checkpoint", str(file)).code == 0
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    audit: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = tmp_path / "no" / "file"
    line = f"remit: --out: {nowhere} cannot be written (No such file or directory)\n"
    assert audit("checkpoint", "--out", str(nowhere)) == Shown(2, "", line)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    line = f"remit: --out: {tmp_path / 'file'} cannot be written (No space left on device)\n"
    assert audit("checkpoint", "--out", str(tmp_path / "file")) == Shown(2, "", line)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_beside_the_database_is_warned_of(
    audit: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "checkpoint"
    monkeypatch.setenv("REMIT_DATA_DIR", str(tmp_path))
    shown = audit("checkpoint", "--out", str(file))
    assert shown.code == 0
    assert shown.err.startswith(f"warning: {file} lies in the data directory, beside the database")
    again = audit("checkpoint", "--out", str(file), "--force", "--json")
    assert json.loads(again.out)["warning"].startswith(f"{file} lies in the data directory")


def test_a_file_that_is_no_checkpoint_is_refused(audit: Remit, tmp_path: Path) -> None:
    absent, other = tmp_path / "absent", tmp_path / "other"
    other.write_text("{}")
    shown = audit("verify", "--checkpoint", str(absent))
    line = f"remit: --checkpoint: {absent} cannot be read (No such file or directory)\n"
    assert shown == Shown(2, "", line)
    shown = audit("verify", "--checkpoint", str(other))
    assert shown.code == 2
    assert shown.err.startswith("remit: --checkpoint: not an object with exactly the keys ")


def test_keys_that_are_named_are_trusted_in_place_of_the_installations(
    audit: Remit, log: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "checkpoint"
    file.write_bytes(take_checkpoint(log, KEYS, by=ADMIN).data)
    ours, theirs = str(tmp_path / "ours.pem"), str(tmp_path / "theirs.pem")
    for name, keys in ((ours, KEYS), (theirs, new_keys())):
        Path(name).write_text("".join(public_pem(keys).values()))
    monkeypatch.delenv("REMIT_SIGNING_KEY")
    arguments = ("verify", "--checkpoint", str(file))
    assert audit(*arguments, "--key", ours).code == 0
    assert audit(*arguments, "--key", theirs, "--key", ours).code == 0
    refused = audit(*arguments, "--key", theirs)
    assert (refused.code, "is not trusted here" in refused.err) == (2, True)
    assert audit("verify", "--key", theirs).code == 2


def test_only_an_auditor_may_look(
    audit: Remit, log: sa.Engine, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMIT_TOKEN", variables_for(log, address, "proposer")["REMIT_TOKEN"])
    for arguments in (("verify",), ("checkpoint", "--out", str(tmp_path / "file"))):
        shown = audit(*arguments)
        assert (shown.code, "proposer-1 may not audit" in shown.err) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_person_on_a_terminal_sees_how_far_it_is(variables: Mapping[str, str]) -> None:
    code, shown = on_a_terminal("", "audit", "verify", **variables)
    assert (code, "verifying" in shown) == (0, True)
    assert "the log holds" in shown.split("verifying")[-1]
