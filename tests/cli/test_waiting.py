"""`--wait`, while the database is away for a moment, or for good."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from remit.cli.base import waiting
from remit.errors import UnavailableError
from tests.cli.conftest import Remit, propose_arguments
from tests.support.servers import as_login, execute

pytestmark = pytest.mark.usefixtures("worker")

CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = '{}' AND application_name = 'remit-cli'"
)


@pytest.mark.parametrize("times", [1, 3])
def test_a_wait_outlives_connections_that_are_cut(
    live: Remit, engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    look = waiting._look
    cut: list[int] = []

    def looked(*arguments: Any) -> Any:
        found = look(*arguments)
        if len(cut) < times:
            cut.append(1)
            statement = CUT.format(engine.url.database)
            execute(as_login(database_url, "postgres"), statement)
            return look(*arguments)
        return found

    monkeypatch.setattr(waiting, "_look", looked)
    shown = live(*propose_arguments(), "--wait", "--json")
    assert (shown.code, shown.err, len(cut)) == (0, "", times)
    assert json.loads(shown.out)["outcomes"][0]["directive"]["status"] == "complete"


def away(*_: object) -> None:
    raise UnavailableError("the database does not answer")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_what_is_stored_is_told_though_its_end_could_not_be_waited_for(
    live: Remit, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.setattr(waiting, "_look", away)
    monkeypatch.setattr(waiting, "_FIRST_SECONDS", 0.1)
    shown = live(*propose_arguments(), "--wait", *options)
    assert shown.code == 1
    message = (
        "this is stored and goes on, but its end could not be waited for: "
        "the database does not answer"
    )
    if options:
        error = json.loads(shown.err)["error"]
        assert (error["message"], error["retryable"]) == (message, False)
        assert json.loads(shown.out)["outcomes"][0]["directive"]["status"] == "approved"
    else:
        assert shown.err == f"remit: {message}\n"
        assert "approved" in shown.out
