"""All SQL that finds what the log tells of people by the token that was shown for it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.db.evidence_tables import events


def principals_touched(connection: sa.Connection, since: Mapping[UUID, datetime]) -> list[str]:
    """Return whom somebody made known, changed or shut out with any of some tokens, by name.

    Args:
        connection: the transaction's.
        since: from when on what was done with each token is asked for.
    """
    shown = events.c.data["with"].astext
    statement = sa.select(shown, events.c.occurred_at, events.c.data["name"].astext).where(
        events.c.directive_id == INSTALLATION,
        events.c.type.in_(("principal.created", "principal.changed", "principal.disabled")),
        shown.in_([str(one) for one in since]),
    )
    rows = connection.execute(statement)
    return sorted({name for token, when, name in rows if when >= since[UUID(token)]})
