"""What libpq reads by itself reaches no embedded stack; what an address says wrong is named."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from remit.stack.discovery import StackInfo, find_stack, write_state
from remit.stack.layout import DataDir
from remit.stack.process_identity import process_mark
from tests.cli.conftest import Remit, environment, program
from tests.support.libpq_variables import LIBPQ_VARIABLES
from tests.support.servers import as_login

NOTHING = '{\n  "directives": []\n}\n'


@pytest.fixture
def embedded(
    remit: Remit, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Remit:
    """Return `remit` with a data folder that says that its stack runs, in this very process."""
    data = DataDir(tmp_path / "data")
    data.prepare()
    info = StackInfo(
        pid=os.getpid(),
        mark=process_mark(os.getpid()) or "",
        database_url=database_url,
        temporal_address="127.0.0.1:1",
        temporal_ui=None,
        started_at="2026-01-01T00:00:00+00:00",
        versions={},
        owner_database_url=as_login(database_url, "remit_owner"),
        module_database_url=as_login(database_url, "remit_module"),
        reader_database_url=as_login(database_url, "remit_reader"),
    )
    write_state(data, info)
    monkeypatch.setenv("REMIT_DATA_DIR", str(data.path))
    return remit


@pytest.mark.untraced
@pytest.mark.parametrize("command", [("list", "--json"), ("db", "upgrade", "--json")], ids=str)
@pytest.mark.parametrize("name", LIBPQ_VARIABLES)
def test_no_variable_of_libpq_reaches_the_embedded_stack(
    name: str, command: tuple[str, ...], embedded: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, LIBPQ_VARIABLES[name])
    shown = embedded(*command)
    assert (shown.code, shown.err) == (0, "")


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("schema=public", "'schema'"),
        ("pgbouncer=true", "'pgbouncer'"),
        ("sslmode=nonsense", "sslmode"),
        ("port=nonsense", "port"),
        ("service=nonsense", "'service'"),
    ],
)
@pytest.mark.parametrize(
    ("variable", "command"),
    [
        ("DATABASE_URL", ("list",)),
        ("DATABASE_URL", ("db", "upgrade")),
        ("DATABASE_URL", ("up",)),
        ("DATABASE_URL", ("worker",)),
        ("DATABASE_OWNER_URL", ("db", "upgrade")),
        ("DATABASE_OWNER_URL", ("up",)),
        ("DATABASE_MODULE_URL", ("worker",)),
        ("DATABASE_MODULE_URL", ("up",)),
        ("DATABASE_READER_URL", ("memory", "search", "anything")),
    ],
    ids=str,
)
def test_a_parameter_that_no_address_has_is_refused_with_its_variable(
    variable: str,
    command: tuple[str, ...],
    query: str,
    named: str,
    keeper: Remit,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = f"postgresql://remit:Gl4shaus77@127.0.0.1/remit?{query}"
    monkeypatch.setenv(variable, address)
    monkeypatch.setenv("EMBEDDING_PROVIDER", "local")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    shown = keeper(*command)
    assert (shown.code, shown.out) == (2, "")
    [line] = shown.err.splitlines()
    assert line.startswith(f"remit: {variable}: ")
    assert named in line
    assert "Gl4shaus77" not in line


def test_a_stack_starts_on_its_own_server_whatever_libpq_reads() -> None:
    with tempfile.TemporaryDirectory(prefix="remit-up-") as folder:
        data = Path(folder) / "data"
        hostile = environment(**LIBPQ_VARIABLES, REMIT_DATA_DIR=str(data))
        process = subprocess.Popen(
            program("up", "--json"),
            env=hostile,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            shown = process.stdout.readline()
            assert find_stack(data) is not None, process.communicate()
            listed = subprocess.run(
                program("list", "--json"), env=hostile, capture_output=True, text=True, check=False
            )
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
    assert process.returncode == 0
    assert shown.startswith("{")
    assert (listed.returncode, listed.stderr, listed.stdout) == (
        0,
        "",
        '{\n  "directives": []\n}\n',
    )
