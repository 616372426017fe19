"""Databases without a schema."""

from collections.abc import Callable
from itertools import count

import pytest

from remit.stack.postgres import EmbeddedPostgres
from tests.support.servers import MakeDatabase, as_login, make_blank

BlankDatabase = Callable[[], str]
"""Makes a database that holds nothing but the vector extension; returns its owner's address."""


@pytest.fixture(scope="session")
def blank_database(postgres_server: EmbeddedPostgres) -> BlankDatabase:
    numbers = count(1)

    def make() -> str:
        return make_blank(postgres_server, f"blank_{next(numbers)}")

    return make


@pytest.fixture(scope="session")
def make_owned(make_database: MakeDatabase) -> MakeDatabase:
    """Return a function that makes a migrated database and returns its owner's address."""
    return lambda: as_login(make_database(), "remit_owner")
