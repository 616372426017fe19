"""An installation whose commands and workers are processes of their own, on the tests' servers.

It has a data folder with keys, tokens and a `stack.json`, as an embedded stack leaves one: so its
processes keep their spans in files, too.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from remit.db.engine import create_database_engine
from remit.operations.evidence.records import Record, read_record
from remit.stack.discovery import StackInfo, write_state
from remit.stack.layout import DataDir
from remit.stack.process_identity import process_mark
from tests.architecture.tree import ROOT
from tests.cli.conftest import VARIABLES, keep_tokens
from tests.support import otlp
from tests.support.keys import put_keys
from tests.support.servers import as_login

STOP_SECONDS = 20
"""How long a worker may take to end: what is under way, then what it has still to tell."""

ENDED = frozenset({"complete", "aborted", "blocked"})

_TELEMETRY = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "REMIT_METRICS_PORT",
    "REMIT_LOG_LEVEL",
    "EVALUATION_PROVIDER",
    "BRAINTRUST_API_KEY",
    "BRAINTRUST_API_URL",
)
_MAIN = "from remit.cli.main import main; main()"


@dataclass(frozen=True)
class Installation:
    """Where everything is.

    Attributes:
        data: its data folder.
        variables: the environment of its processes; the token is alice's.
        engine: its database, as the services see it.
    """

    data: Path
    variables: Mapping[str, str]
    engine: sa.Engine

    def remit(
        self, *arguments: str, stdin: str = "", prelude: str = "", **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run one command in a process of its own.

        Args:
            arguments: the command line.
            stdin: what it reads.
            prelude: code that the process runs before it loads anything of Remit.
            variables: more of its environment.
        """
        return subprocess.run(
            [sys.executable, "-c", f"{prelude}\n{_MAIN}", *arguments],
            env={**self.variables, **variables},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )

    def propose(self, directives: Sequence[Mapping[str, Any]], **options: str) -> list[UUID]:
        """Propose directives in a process of their own; return their ids."""
        lines = "\n".join(json.dumps(each) for each in directives)
        run = self.remit("propose", "-", "--json", stdin=lines, **options)
        assert run.stderr == ""
        return [UUID(each["directive"]["id"]) for each in json.loads(run.stdout)["outcomes"]]

    @contextmanager
    def worker(
        self, log: Path, *, prelude: str = "", **variables: str
    ) -> "Iterator[subprocess.Popen[str]]":
        """Run a worker while the block runs; it must then end by itself, and in time.

        Args:
            log: where its standard error goes.
            prelude: code that the process runs before it loads anything of Remit.
            variables: more of its environment.
        """
        with log.open("w") as err:
            process = subprocess.Popen(
                [sys.executable, "-c", f"{prelude}\n{_MAIN}", "worker"],
                env={**self.variables, **variables},
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "worker ready\n", log.read_text()
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def records(self, ids: Sequence[UUID]) -> list[Record]:
        """Return what is on record about directives."""
        return [read_record(self.engine, each) for each in ids]

    def await_ends(self, ids: Sequence[UUID]) -> None:
        """Wait until directives have ended."""
        statement = sa.text("SELECT status FROM directives WHERE id = ANY(:ids)")

        def ended() -> bool:
            with self.engine.connect() as connection:
                found = set(connection.execute(statement, {"ids": [*ids]}).scalars())
            return found <= ENDED

        otlp.until(ended, "the directives to end")


def scraped(log: Path) -> str:
    """Return the metrics of the worker that wrote this log, and in it where they are."""
    lines = map(json.loads, log.read_text().splitlines())
    [port] = [each["port"] for each in lines if each["event"] == "metrics_served"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def _info(mark: str, database_url: str, temporal_address: str) -> StackInfo:
    """Return what a stack would say of itself, if this process were one."""
    return StackInfo(
        pid=os.getpid(),
        mark=mark,
        database_url=database_url,
        temporal_address=temporal_address,
        temporal_ui=None,
        started_at="2026-01-01T00:00:00Z",
        versions={},
        module_database_url=as_login(database_url, "remit_module"),
        reader_database_url=as_login(database_url, "remit_reader"),
    )


@contextmanager
def installed(
    folder: Path, database_url: str, temporal_address: str, namespace: str
) -> Iterator[Installation]:
    """Yield an installation in a folder, on a database and a namespace of its own."""
    data = DataDir(folder)
    data.prepare()
    put_keys(folder / "keys")
    engine = create_database_engine(database_url, application_name="tests", pool_size=5)
    tokens = keep_tokens(engine, folder)
    mark = process_mark(os.getpid())
    assert mark is not None
    write_state(data, _info(mark, database_url, temporal_address))
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in VARIABLES and name not in _TELEMETRY
    }
    variables = inherited | {
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": namespace,
        "REMIT_DATA_DIR": str(folder),
        "REMIT_TOKEN": tokens["alice"],
        "REMIT_MODULES": "tests.support.planting:Telling,tests.support.planting:LongTelling",
        "REMIT_SWEEP_SECONDS": "3600",
    }
    try:
        yield Installation(folder, variables, engine)
    finally:
        engine.dispose()
