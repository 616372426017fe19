"""Bytes of a command line that are no text in UTF-8: one line, and never in JSON or a database."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.stack.layout import DataDir
from tests.cli.conftest import Remit, propose_arguments

HALF = "caf\udce9"
"""What Python makes of the bytes of `café` in Latin-1."""

COMMANDS = (
    *(propose_arguments(**{name: HALF}) for name in ("role", "type", "objective", "scope")),
    propose_arguments(payload='{"a": "\\ud800"}'),
    propose_arguments(payload='{"\\ud800": 1}'),
    ["propose", HALF],
    ["show", HALF],
    ["list", "--status", HALF],
    ["list", "--scope", HALF],
    ["list", "--type", HALF],
    ["list", "--data-dir", f"/nowhere/{HALF}"],
    ["reject", "dead", "--reason", HALF],
    ["token", "create", HALF, "--role", "proposer"],
    ["token", "create", "new", "--role", "proposer", "--group", HALF],
    ["token", "create", "new", "--role", "proposer", "--acts-for", HALF],
    ["token", "revoke", HALF],
    ["principal", "set", HALF, "--role", "admin"],
    ["principal", "set", "alice", "--role", "approver", "--group", HALF],
    ["memory", "add", HALF, "--scope", "x"],
    ["memory", "add", "x", "--scope", HALF],
    ["memory", "recent", "--scope", HALF],
    ["artifacts", "put", "/dev/null", "--name", HALF],
    ["artifacts", "put", "/dev/null", "--label", f"{HALF}={HALF}"],
    ["policy", "check", HALF],
    ["evidence", "verify", HALF],
    ["show", f"--{HALF}"],
    [HALF],
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda each: ascii(" ".join(each))[1:60])
def test_an_argument_that_is_no_text_is_one_line_or_harmless(
    keeper: Remit, kept_in: sa.Engine, arguments: list[str]
) -> None:
    for options in ([], ["--json"]):
        shown = keeper(*arguments, *options)
        assert shown.code in {0, 2}, shown
        assert (shown.err.count("\n"), shown.out) == (1, "") or shown.code == 0
        for text in (shown.out, shown.err) if options else ():
            assert "\\ud" not in text.replace("\\\\ud", "")
            assert json.loads(text or "{}") is not None
    with kept_in.connect() as connection:
        names = connection.execute(sa.text("SELECT metadata::text FROM artifacts")).scalars()
        assert [name for name in names if "\\ud" in name.replace("\\\\ud", "")] == []


def test_a_file_whose_name_is_no_text_is_written_and_read(keeper: Remit, tmp_path: Path) -> None:
    out = tmp_path / HALF
    shown = keeper("audit", "checkpoint", "--out", str(out), "--json")
    assert (shown.code, out.exists()) == (0, True)
    assert json.loads(shown.out)["file"] == f"{tmp_path}/caf\\udce9"
    assert keeper("audit", "verify", "--checkpoint", str(out)).code == 0


def test_a_data_folder_whose_name_is_no_text_is_refused(remit: Remit, tmp_path: Path) -> None:
    shown = remit("up", "--data-dir", str(tmp_path / HALF))
    line = (
        f"remit: the data directory {tmp_path}/caf\\udce9 has a name that is no text in UTF-8: "
        "name another with --data-dir or REMIT_DATA_DIR, or set a UTF-8 locale\n"
    )
    assert (shown.code, shown.out, shown.err) == (2, "", line)
    assert not DataDir(tmp_path / HALF).path.exists()
