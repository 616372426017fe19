"""What the tests of the command line share: a command in this process, and the real services."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from temporalio.client import Client

from remit.cli.main import run

VARIABLES = (
    "DATABASE_URL",
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "REMIT_DATA_DIR",
    "REMIT_POLICY_FILE",
    "REMIT_ACTOR",
    "REMIT_MODULES",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
)
"""Variables that a test sets itself, or does without."""


@dataclass(frozen=True)
class Shown:
    """What a command left behind.

    Attributes:
        code: its exit code.
        out: its standard output.
        err: its standard error.
    """

    code: int
    out: str
    err: str


Remit = Callable[..., Shown]
"""Carries out one command line in this process."""


def program(*arguments: str) -> list[str]:
    """Return the command line of a `remit` in a process of its own."""
    return [sys.executable, "-m", "remit", *arguments]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment of such a process: this one's, without what tests set."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return kept | variables


def without_ids(text: str) -> str:
    """Return text with what differs from run to run replaced by letters of the same length."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "I" * 36, text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z", "T" * 24, text)
    return re.sub(r"(remit \w+ )[0-9a-f]{8}\b", r"\g<1>IIIIIIII", text)


@pytest.fixture
def remit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Remit:
    """Return a function that carries out a command as alice, with no service in sight."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REMIT_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("REMIT_ACTOR", "alice")
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: str, stdin: bytes = b"") -> Shown:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(arguments)
        shown = capsys.readouterr()
        return Shown(code, shown.out, shown.err)

    return call


@pytest.fixture(scope="module")
def services(database_url: str, temporal_address: str, client: Client) -> Mapping[str, str]:
    """Return the variables that name this module's database and Temporal namespace."""
    return {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": client.namespace,
    }


@pytest.fixture
def live(remit: Remit, services: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Remit:
    """Return `remit` with the real services."""
    for name, value in services.items():
        monkeypatch.setenv(name, value)
    return remit


@pytest.fixture(scope="module")
def worker(services: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run `remit worker` for the tests of a module."""
    process = subprocess.Popen(
        program("worker"), env=environment(**services), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "worker ready\n"
    yield process
    process.terminate()
    assert process.wait(timeout=20) == 0
    process.stdout.close()


def propose_arguments(**changed: str | None) -> list[str]:
    """Return `propose` with the options of a directive that passes the gate, some changed."""
    fields: dict[str, str | None] = {
        "role": "operator",
        "type": "echo",
        "objective": "say hello",
        "scope": "test",
    }
    fields |= changed
    options = [
        part
        for name, value in fields.items()
        if value is not None
        for part in (f"--{name.replace('_', '-')}", value)
    ]
    return ["propose", *options]
