"""A world in a database of this module's own, and a connection for each login."""

from collections.abc import Callable, Iterator, Mapping

import psycopg
import pytest
import sqlalchemy as sa

from tests.adversarial.attacking import armed
from tests.adversarial.keeping import Kept
from tests.adversarial.world import Connection, World, build_world

ROLES = ("remit_app", "remit_reader", "remit_module", "remit_owner")
"""Who attacks."""


@pytest.fixture(scope="module")
def logins(role_url: Callable[[str], str]) -> Iterator[Mapping[str, Connection]]:
    """Return one connection for each role, and one for the superuser; a test rolls back."""
    names = (*ROLES, "postgres")
    opened = {name: psycopg.connect(role_url(name).replace("+psycopg", "")) for name in names}
    yield opened
    for connection in opened.values():
        connection.close()


@pytest.fixture(scope="module")
def world(logins: Mapping[str, Connection]) -> World:
    """Return something in every status, made by statements of the services' own role."""
    app = logins["remit_app"]
    made = build_world(app)
    app.commit()
    return made


@pytest.fixture
def scratch(empty_engine: sa.Engine) -> sa.Engine:
    """Return a database whose defences a test may take out."""
    armed(empty_engine)
    return empty_engine


@pytest.fixture(scope="module")
def filed(engine: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Return three attachments in a database that checks nothing of contents any more."""
    return Kept.make(engine, tmp_path_factory.mktemp("store") / "objects")


@pytest.fixture
def kept(filed: Kept) -> Iterator[Kept]:
    """Return them as they were filed."""
    yield filed
    filed.restore()


@pytest.fixture(autouse=True)
def _clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave no test's transaction open for the next one."""
    asked = "logins" in request.fixturenames
    logins: Mapping[str, Connection] = request.getfixturevalue("logins") if asked else {}
    yield
    for connection in logins.values():
        connection.rollback()
