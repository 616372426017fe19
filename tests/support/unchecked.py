"""Takes away the checks that keep out what no reader can hold, as the database's owner could."""

import sqlalchemy as sa

from remit.stack.postgres import SUPERUSER

DROP = """
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT conrelid::regclass AS place, conname FROM pg_constraint
        WHERE contype = 'c' AND connamespace = 'public'::regnamespace
            AND conname ~ '_(readable|known|reason_when_stopped|end_is_stamped)$'
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.place, found.conname);
    END LOOP;
END
$$
"""
"""A statement that takes every such check away, and those of the words that columns may hold."""


def unchecked(engine: sa.Engine) -> sa.Engine:
    """Take the checks away in an engine's database, for good; return the engine."""
    owner = sa.create_engine(engine.url.set(username=SUPERUSER), poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.exec_driver_sql(DROP, execution_options={"no_parameters": True})
    owner.dispose()
    return engine
