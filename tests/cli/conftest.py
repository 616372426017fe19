"""What the tests of the command line share: a command in this process, and the real services."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from temporalio.client import Client

from remit.cli.main import run
from remit.db.engine import create_database_engine
from remit.identity.types import Principal
from remit.operations.identities.directory import create_token
from remit.stack.layout import DataDir, write_private
from tests.support.keys import KEYS, put_keys
from tests.support.llm_server import LLMServer, serving
from tests.support.people import ADMIN
from tests.support.servers import as_login

VARIABLES = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_MODULE_URL",
    "DATABASE_READER_URL",
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "REMIT_DATA_DIR",
    "REMIT_POLICY_FILE",
    "REMIT_TOKEN",
    "REMIT_KEYS_DIR",
    "REMIT_SIGNING_KEY",
    "REMIT_MODULES",
    "OBJECT_STORE_PROVIDER",
    "OBJECT_STORE_DIR",
    "EMBEDDING_PROVIDER",
    "EMBEDDING_MODEL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "LLM_PROVIDER",
    "LLM_MODEL",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_BASE_URL",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
)
"""Variables that a test sets itself, or does without."""

PEOPLE = (
    Principal("alice", "human", roles=("proposer", "approver")),
    Principal("bob", "human", roles=("approver",)),
    Principal("carol", "human", roles=("approver",)),
    Principal("planner", "agent", roles=("proposer",)),
    Principal("dana", "human", roles=("admin",)),
)
"""Whose tokens are kept for `--as`; alice's is the one that commands use by themselves."""


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
    """Return a function that carries out a command, with no service and no token in sight."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REMIT_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: str, stdin: bytes = b"") -> Shown:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(arguments)
        shown = capsys.readouterr()
        return Shown(code, shown.out, shown.err)

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return this module's data folder, as the commands prepare one."""
    path = tmp_path_factory.mktemp("remit") / "data"
    DataDir(path).prepare()
    return path


@pytest.fixture(scope="module")
def tokens(engine: sa.Engine, folder: Path) -> Mapping[str, str]:
    """Keep a token of everybody of `PEOPLE` in this module's folder, and return them."""
    return keep_tokens(engine, folder)


def keep_tokens(engine: sa.Engine, folder: Path) -> Mapping[str, str]:
    """Make everybody of `PEOPLE` known, keep their tokens in a folder, and return them."""
    made = {}
    for one in PEOPLE:
        token = create_token(engine, one, valid_for=timedelta(hours=1), by=ADMIN, keys=KEYS).token
        path = DataDir(folder).token(one.name)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(path, f"{token}\n")
        made[one.name] = str(token)
    return made


@pytest.fixture
def keeper(
    remit: Remit,
    own_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Remit:
    """Return `remit` with a database of this one test, a store in a folder, and dana's token.

    She is an admin; alice's and bob's tokens are kept for `--as`. There is no Temporal, and no
    embedding provider is chosen.
    """
    url, data = own_database_url, tmp_path / "data"
    DataDir(data).prepare()
    put_keys(data / "keys")
    engine = create_database_engine(url, pool_size=1)
    kept = keep_tokens(engine, data)
    engine.dispose()
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DATABASE_READER_URL", as_login(url, "remit_reader"))
    monkeypatch.setenv("REMIT_DATA_DIR", str(data))
    monkeypatch.setenv("REMIT_TOKEN", kept["dana"])
    monkeypatch.setenv("OBJECT_STORE_PROVIDER", "filesystem")
    return remit


@pytest.fixture
def kept_in(keeper: Remit) -> Iterator[sa.Engine]:
    """Return the database that `keeper` works with."""
    engine = create_database_engine(os.environ["DATABASE_URL"], pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def services(
    database_url: str,
    temporal_address: str,
    client: Client,
    folder: Path,
    tokens: Mapping[str, str],
) -> Mapping[str, str]:
    """Return the variables that name this module's services, keys and folder, and alice's token."""
    put_keys(folder / "keys")
    return {
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": client.namespace,
        "REMIT_DATA_DIR": str(folder),
        "REMIT_TOKEN": tokens["alice"],
    }


@pytest.fixture
def live(remit: Remit, services: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Remit:
    """Return `remit` with the real services, and alice's token."""
    for name, value in services.items():
        monkeypatch.setenv(name, value)
    return remit


@pytest.fixture
def change_policy(
    live: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], None]:
    """Return a function that puts the built-in policy with one text changed in force, confirmed."""

    def change(old: str, new: str) -> None:
        built_in = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")
        path = tmp_path / "policy.toml"
        path.write_text(built_in.replace(old, new), encoding="utf-8")
        monkeypatch.setenv("REMIT_POLICY_FILE", str(path))
        assert live("policy", "confirm", "--as", "dana").code == 0

    return change


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


@pytest.fixture
def server() -> Iterator[LLMServer]:
    """Return a service on this machine that answers as a language model's does."""
    with serving() as server:
        yield server
