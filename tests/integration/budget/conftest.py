"""A connection for what only a forger, or an older period, could bring about."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from remit.db.engine import create_database_engine


@pytest.fixture(scope="module")
def superuser(superuser_url: str) -> Iterator[sa.Engine]:
    """Return an engine on this module's database that no right is refused to."""
    engine = create_database_engine(superuser_url, application_name="superuser", pool_size=20)
    yield engine
    engine.dispose()
