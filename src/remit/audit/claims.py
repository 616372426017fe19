"""What must hold between rows and events, and how one such claim is written. No I/O here.

`remit.audit.claims_repository`, `remit.audit.evidence_claims` and `remit.audit.execution_claims`
hold the claims.
"""

from dataclasses import dataclass
from uuid import UUID

from remit.vocabulary import ClaimFault


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that must hold between the rows and the log.

    Attributes:
        fault: what it is when it does not hold.
        words: the same for a person; `{what}` stands for what the statement names.
        sql: a statement of three columns, a row for each thing that is wrong: the directive or the
            nil UUID, the event's position or null, and a text that names it.
    """

    fault: ClaimFault
    words: str
    sql: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A claim that does not hold.

    Attributes:
        claim: the claim.
        directive_id: the directive it is about; the nil UUID for the installation.
        seq: the event it is about; None: it is about a row.
        what: which row.
    """

    claim: Claim
    directive_id: UUID
    seq: int | None
    what: str

    @property
    def words(self) -> str:
        """What is wrong, for a person."""
        return self.claim.words.format(what=self.what)


NIL = "'00000000-0000-0000-0000-000000000000'::uuid"


def named(field: str, condition: str) -> str:
    """Return a statement of what events name under a field: directive, position, key, value, actor.

    Arrays and texts that somebody forged in the place of an object name nothing.

    Args:
        field: a field of the data of an event.
        condition: which events, as SQL about `event`.
    """
    return f"""
        SELECT event.directive_id, event.seq, named.key, named.value, event.actor
        FROM events AS event, jsonb_each_text(
            CASE jsonb_typeof(event.data -> '{field}') WHEN 'object'
            THEN event.data -> '{field}' END
        ) AS named
        WHERE {condition}
    """  # noqa: S608 - constants of the modules that hold claims


def counted(
    fault_of_rows: str, fault_of_events: str, rows: str, events: str
) -> tuple[Claim, Claim]:
    """Return that there are as many rows as events, for each directive and key.

    Args:
        fault_of_rows: words for rows that are more than the events.
        fault_of_events: words for events that are more than the rows.
        rows: a statement of `about` and `key`, a row for each row.
        events: the same for each event.
    """
    sql = f"""
        SELECT COALESCE(kept.about, told.about), NULL::integer,
            COALESCE(kept.key, told.key) || ', ' || COALESCE(kept.number, 0) || ' of rows and '
                || COALESCE(told.number, 0) || ' of events'
        FROM (SELECT about, key, count(*) AS number FROM ({rows}) AS row GROUP BY 1, 2) AS kept
        FULL JOIN (SELECT about, key, count(*) AS number FROM ({events}) AS event GROUP BY 1, 2)
            AS told ON told.about = kept.about AND told.key = kept.key
        WHERE COALESCE(kept.number, 0) {{}} COALESCE(told.number, 0)
    """  # noqa: S608 - constants of this module, here and below
    return (
        Claim("untold", fault_of_rows, sql.format(">")),
        Claim("unfounded", fault_of_events, sql.format("<")),
    )
