"""Secrets planted everywhere, looked for everywhere, after a day in real processes.

What people consent to and why they voted is kept word for word, so a secret in there is refused.
All others are masked.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.cli.main import run
from remit.db.engine import create_database_engine
from tests.support import otlp
from tests.support.installation import Installation, installed
from tests.support.servers import MakeDatabase, Servers, as_login, connect_fresh
from tests.support.spilling import (
    ENVIRONMENT,
    HANDED_IN,
    INTENT,
    MODULE,
    REASONS,
    UNDEFENDED,
    Day,
    Found,
    look_everywhere,
    planted,
)

pytestmark = pytest.mark.slow

KEPT_WORD_FOR_WORD: Found = {
    "directives.payload": {"payload_named", "payload_text"},
    "directives.objective": {"objective"},
    # Of the one type `policy_evaluation`, which repeats the intent that was decided about.
    "artifacts.metadata": set(INTENT),
    "approval_votes.reason": set(REASONS),
    # The same votes, signed.
    "approval_votes.envelope": set(REASONS),
    "events.data": set(REASONS),
}
"""Where a secret would be kept that somebody wrote into what people consent to, or why."""


Live = Callable[[str], Awaitable[Found]]
"""Lives a day in a new installation whose processes run some code first."""


@pytest.fixture
async def after_a_day(
    make_database: MakeDatabase,
    temporal_address: str,
    namespace_names: Iterator[str],
    servers: Servers,
    tmp_path: Path,
) -> Live:
    """Return a function that lives a day in a new installation, and tells what is found after."""
    url, namespace = make_database(), next(namespace_names)
    client = await connect_fresh(temporal_address, namespace)

    async def live(prelude: str) -> Found:
        with (
            otlp.collector(tmp_path) as collector,
            installed(tmp_path / "data", url, temporal_address, namespace) as here,
        ):
            canaries = planted(here.variables["REMIT_TOKEN"])
            day = Day(here, tmp_path, canaries, prelude, [])
            day.live(collector)
            logs = [each for each in servers.folder.rglob("*.log") if each.is_file()]
            found = await look_everywhere(day, as_login(url, "postgres"), client, logs)
            by_type = "SELECT type, metadata::text FROM artifacts"
            with here.engine.connect() as connection:
                rows = connection.execute(sa.text(by_type)).all()
            holding = {kind for kind, text in rows if canaries.in_texts([text])}
            return {**found, "types": holding}

    return live


async def test_no_planted_secret_is_anywhere(
    after_a_day: Live,
) -> None:
    assert await after_a_day("") == {"types": set()}


async def test_without_redaction_every_one_of_them_is_found(after_a_day: Live) -> None:
    found = dict(await after_a_day(UNDEFENDED))
    assert {"module_output", "execution_end", "attachment"} <= found.pop("types")
    everything = {*INTENT, *REASONS, *MODULE, *HANDED_IN, *ENVIRONMENT}
    assert everything <= set().union(*found.values())
    for place, names in KEPT_WORD_FOR_WORD.items():
        assert names <= found[place], place
    # A module that returns its payload takes it out of the intent.
    assert {"payload_named", "payload_text"} <= found["execution_runs.result"]
    for place in ("worker.log", "spans", "collector", "histories"):
        assert "retried" in found[place]
    assert "collector_url" in found["commands"]


CANARY = secrets.token_hex(16)
BROKEN: Mapping[str, Mapping[str, str]] = {
    "a database that does not answer": {
        "DATABASE_URL": f"postgresql://app:{CANARY}@127.0.0.1:1/remit",
    },
    "an address that cannot be read": {"DATABASE_URL": f"postgresql://app:{CANARY}@db:port/remit"},
    "a password with a slash in it": {"DATABASE_URL": f"postgresql://app:{CANARY}/x@db/remit"},
    "an address of another database": {"DATABASE_URL": f"mysql://app:{CANARY}@db/remit"},
    "a token that is none": {"REMIT_TOKEN": f"remit_{CANARY}"},
    "a key that is none": {
        "REMIT_SIGNING_KEY": f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    },
    "a collector's address that is none": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"grpc://app:{CANARY}@127.0.0.1:4317",
    },
    "a collector's other port": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://app:{CANARY}@127.0.0.1:4317",
    },
    "a setting of another kind": {"REMIT_METRICS_PORT": CANARY},
    "another collector that is away": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://app:{CANARY}@127.0.0.1:1",
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
    },
}
"""What is wrong with an installation, and the secret in it."""


@pytest.fixture
def here(database_url: str, temporal_address: str, tmp_path: Path) -> Iterator[Installation]:
    with installed(tmp_path / "data", database_url, temporal_address, "default") as here:
        yield here


PROPOSE = ("propose", "--role", "x", "--type", "echo", "--objective", "x", "--scope", "test")


@pytest.mark.parametrize("wrong", BROKEN)
def test_no_error_of_a_command_repeats_a_secret_of_its_environment(
    here: Installation,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: str,
) -> None:
    for name, value in {**here.variables, **BROKEN[wrong]}.items():
        monkeypatch.setenv(name, value)
    assert run(PROPOSE) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("remit: ")
    assert CANARY not in shown.err


DEFECT = f"""
import remit.db.engine
def fail(*_, **__):
    raise RuntimeError("no way to postgresql://app:{CANARY}@db/remit")
remit.db.engine.create_database_engine = fail
"""


@pytest.mark.parametrize(("defences", "held"), [("", True), (UNDEFENDED, False)])
def test_an_error_that_nobody_foresaw_is_told_without_its_secrets(
    here: Installation, defences: str, *, held: bool
) -> None:
    listed = here.remit("list", prelude=defences + DEFECT)
    assert listed.returncode == 70
    assert "RuntimeError: no way to postgresql://app:" in listed.stderr
    assert (CANARY not in listed.stderr) == held


def test_an_error_of_the_database_does_not_quote_the_values_of_its_statement(
    database_url: str,
) -> None:
    statement, values = sa.text("SELECT 1 / (length(:value) * 0)"), {"value": CANARY}
    engines = {
        True: create_database_engine(database_url, pool_size=1),
        False: sa.create_engine(database_url),
    }
    for held, engine in engines.items():
        with engine.connect() as connection, pytest.raises(sa.exc.DataError) as caught:
            connection.execute(statement, values)
        engine.dispose()
        assert (CANARY not in str(caught.value)) == held
