"""Grants that nobody gave, as good as somebody who writes to the database can make them."""

import json
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.approval.statements import sign_grant
from remit.approval.types import Grant
from remit.directives.models import DirectiveRead
from remit.operations.evidence.records import read_record
from tests.support.contents import cast, proposed, waiting, write
from tests.support.keys import new_keys

OTHER_KEYS = new_keys()
"""Keys that nobody here trusts."""


def approved(engine: sa.Engine) -> DirectiveRead:
    """Return a directive with a budget that a person approved."""
    found = waiting(engine, budget="$10")
    return cast(engine, found).directive


def grant_of(engine: sa.Engine, found: DirectiveRead) -> Grant:
    """Return the grant of a directive."""
    grant = read_record(engine, found.id).grant
    assert grant is not None
    return grant


def plant(engine: sa.Engine, grant: Grant) -> None:
    """Write the row of a grant that Remit did not issue."""
    names = [name for name in Grant.__slots__ if name not in {"voided_at", "void_reason"}]
    values = {name: getattr(grant, name) for name in names}
    values["votes"] = json.dumps(grant.votes)
    values["envelope"] = None if grant.envelope is None else json.dumps(grant.envelope)
    columns, places = ", ".join(names), ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO grants ({columns}) VALUES ({places})"  # noqa: S608 - a grant's fields
    write(engine, statement, **values)


def forged_for(found: DirectiveRead, engine: sa.Engine) -> Grant:
    """Return a grant for a directive that nobody approved, as good as a forger can make it."""
    model = grant_of(engine, proposed(engine))
    digest = str(found.action_digest)
    return replace(model, id=uuid4(), directive_id=found.id, action_digest=digest)


def unsigned(grant: Grant) -> Grant:
    """Leave the signature out."""
    return replace(grant, envelope=None)


def signed_by_another(grant: Grant) -> Grant:
    """Sign with a key of one's own."""
    return sign_grant(grant, OTHER_KEYS)


def with_a_real_envelope(grant: Grant) -> Grant:
    """Keep the envelope of the grant that this one was copied from."""
    return grant


def plant_run(engine: sa.Engine, found: DirectiveRead, grant_id: UUID) -> None:
    """Make it look as if a directive's run had begun."""
    write(engine, "UPDATE directives SET status = 'executing' WHERE id = :id", id=found.id)
    write(
        engine,
        "INSERT INTO execution_runs"
        " (id, directive_id, grant_id, module, module_version, idempotency_key, status, attempts)"
        " VALUES (gen_random_uuid(), :id, :grant, :module, '1', :key, 'pending', 0)",
        id=found.id,
        module=found.type,
        grant=grant_id,
        key=f"{found.id}:{grant_id}",
    )


Forge = Callable[[Grant], Grant]
FORGERIES = [unsigned, signed_by_another, with_a_real_envelope]
