"""Both workers, and a database whose schema is not theirs."""

import subprocess
from pathlib import Path

import pytest

from remit.stack.layout import DataDir
from remit.stack.postgres import EmbeddedPostgres
from tests.cli.conftest import environment, program
from tests.support.keys import put_keys
from tests.support.servers import as_login, make_blank


@pytest.fixture(scope="module")
def blank_url(postgres_server: EmbeddedPostgres) -> str:
    """Return the address of a database that nobody migrated, for the services."""
    return as_login(make_blank(postgres_server, "remit_unmigrated"), "remit_app")


@pytest.mark.parametrize("command", ["worker", "llm-worker"])
def test_a_worker_refuses_a_database_of_another_schema_and_says_what_to_run(
    blank_url: str, tmp_path: Path, command: str
) -> None:
    DataDir(tmp_path).prepare()
    put_keys(tmp_path / "keys")
    services = {"DATABASE_URL": blank_url, "TEMPORAL_ADDRESS": "127.0.0.1:1"}
    done = subprocess.run(
        program(command),
        env=environment(**services, REMIT_DATA_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert (done.returncode, done.stdout) == (2, "")
    said = done.stderr.splitlines()[-1]
    assert said.startswith("remit: the database's schema is at revision base, and this Remit needs")
    assert said.endswith(": run `remit db upgrade`")
