"""A database that is away is said in one line, and nothing is half-written."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.approval.types import Ballot
from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.directives.repository import DirectiveFilter
from remit.errors import UnavailableError
from remit.identity.tokens import new_token
from remit.operations.evidence.records import read_directives, read_record, resolve_id
from remit.operations.gate import proposals
from remit.operations.gate.approvals import settle, vote
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import (
    create_token,
    read_principals,
)
from remit.operations.identities.revocation import revoke_token
from remit.operations.runs.beginning import begin_run, start_run
from remit.operations.runs.cancellation import cancel
from remit.operations.runs.workers import announce
from remit.stack.layout import DataDir
from remit.stack.postgres import EmbeddedPostgres
from tests.support.contents import AUTHORITY, LONG, SHORT, counts, directive
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, OPERATOR

SOME_ID = uuid4()
BALLOT = Ballot("approve", None, "sha256:0")
Verb = Callable[[sa.Engine], object]

VERBS: dict[str, Verb] = {
    "propose": lambda engine: proposals.propose(engine, [directive()], AUTHORITY, by=AGENT),
    "submit": lambda engine: proposals.submit(engine, SOME_ID, AUTHORITY, by=OPERATOR),
    "vote": lambda engine: vote(engine, SOME_ID, BALLOT, AUTHORITY, by=OPERATOR),
    "settle": lambda engine: settle(engine, SOME_ID),
    "cancel": lambda engine: cancel(engine, SOME_ID, by=OPERATOR, reason=None),
    "start": lambda engine: start_run(engine, SOME_ID, lambda _: SHORT, AUTHORITY),
    "begin": lambda engine: begin_run(engine, SOME_ID, lambda _: LONG, AUTHORITY),
    "authenticate": lambda engine: authenticate(engine, str(new_token()), KEYS),
    "create token": lambda engine: create_token(
        engine, OPERATOR, valid_for=timedelta(days=1), by=ADMIN, keys=KEYS
    ),
    "revoke token": lambda engine: revoke_token(engine, SOME_ID, by=ADMIN, keys=KEYS),
    "list principals": lambda engine: read_principals(engine, by=ADMIN),
    "announce": lambda engine: announce(engine, [], KEYS),
    "show": lambda engine: read_record(engine, SOME_ID),
    "list": lambda engine: read_directives(engine, DirectiveFilter()),
    "resolve": lambda engine: resolve_id(engine, "abcd"),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
def test_every_verb_says_in_one_line_that_the_database_does_not_answer(verb: Verb) -> None:
    engine = create_database_engine("postgresql://remit:secret@127.0.0.1:1/remit")
    with pytest.raises(UnavailableError) as caught:
        verb(engine)
    [line] = str(caught.value).splitlines()
    assert line.startswith("the database at 127.0.0.1:1/remit does not answer (")
    assert line.endswith("); start it, or correct DATABASE_URL")
    assert "secret" not in line
    assert caught.value.retryable


@pytest.fixture
def own_data() -> Iterator[DataDir]:
    """Return a data directory for a Postgres of this test's own."""
    with tempfile.TemporaryDirectory(prefix="remit-tests-") as folder:
        data = DataDir(Path(folder) / "data")
        data.prepare()
        yield data


def test_a_database_that_goes_away_in_between_is_used_again_when_it_is_back(
    own_data: DataDir,
) -> None:
    server = EmbeddedPostgres(own_data)
    url = server.start()
    engine = create_database_engine(url)
    try:
        migrate.upgrade(server.owner_database_url)
        content = directive(idempotency_key="once")
        proposals.propose(engine, [content], AUTHORITY, by=AGENT)
        server.stop()
        with pytest.raises(UnavailableError, match="does not answer"):
            proposals.propose(engine, [content], AUTHORITY, by=AGENT)
        server = EmbeddedPostgres(own_data)
        assert server.start() == url
        [outcome] = proposals.propose(engine, [content], AUTHORITY, by=AGENT)
        assert not outcome.created
        assert counts(engine)["directives"] == 1
    finally:
        engine.dispose()
        server.stop()
