"""Forged consent: rows that somebody writes who may write to the database and has no key.

Each forgery does all of it in one transaction, with the events that belong to it, so that nothing
but the forged row itself is wrong. `remit_app` may try it, or the superuser with no trigger left.
"""

import base64
import contextlib
import copy
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.approval.statements import GRANT, grant_statement, sign_grant
from remit.approval.types import ApprovalRequest, Grant
from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.operations.evidence.records import Record, read_record
from tests.adversarial import world as w
from tests.adversarial.attacking import forgery
from tests.adversarial.world import Connection
from tests.support.keys import new_keys

OWN_KEYS = new_keys()
"""The attacker's keys."""


@dataclass(frozen=True)
class Plot:
    """What an attacker sees who can read every table.

    Attributes:
        victim: a directive that waits for a person.
        request: the request that it waits on.
        donor: the record of another directive of the same content, which a person approved.
    """

    victim: DirectiveRead
    request: ApprovalRequest
    donor: Record

    @property
    def gift(self) -> Grant:
        """The donor's grant, which Remit signed."""
        assert self.donor.grant is not None
        return self.donor.grant

    @property
    def signed_vote(self) -> JsonObject:
        """The donor's vote, which Remit signed."""
        envelope = self.donor.votes[0].envelope
        assert envelope is not None
        return envelope

    def wanted(self, **changes: Any) -> Grant:
        """Return the grant that the attacker wishes for, not signed."""
        wish = replace(
            self.gift,
            id=uuid4(),
            directive_id=self.victim.id,
            request_id=self.request.id,
            action_digest=str(self.victim.action_digest),
            expires_at=self.gift.expires_at + timedelta(days=365),
            envelope=None,
        )
        return replace(wish, **changes)


Forge = Callable[[Connection, Plot], None]


@contextlib.contextmanager
def as_service(engine: sa.Engine) -> Iterator[Connection]:
    """Open a transaction with the services' own role; every refusal is psycopg's error."""
    try:
        with engine.begin() as connection:
            raw: Any = connection.connection.dbapi_connection
            assert raw.info.user == "remit_app"
            yield raw
    except sa.exc.DBAPIError as error:
        raise psycopg.DatabaseError(str(error.orig)) from error


@contextlib.contextmanager
def as_best_they_can(engine: sa.Engine) -> Iterator[Connection]:
    """The same; what the database refuses is as well, since the forgery then does not exist."""
    with contextlib.suppress(psycopg.Error), as_service(engine) as connection:
        yield connection


WRITERS = {"the services' role": as_best_they_can, "past every rule": forgery}
"""Who may forge a row, and how they open a transaction."""


def plot(engine: sa.Engine, victim: DirectiveRead, donor: UUID) -> Plot:
    """Return what there is to forge with."""
    return Plot(victim, request_of(engine, victim), read_record(engine, donor))


def request_of(engine: sa.Engine, victim: DirectiveRead) -> ApprovalRequest:
    """Return the request that a directive waits on."""
    request = read_record(engine, victim.id).request
    assert request is not None
    return request


def put_person(c: Connection, name: str, *roles: str) -> None:
    """Write a person."""
    row = {"name": name, "kind": "human", "roles": Jsonb(list(roles or ("approver",)))}
    w.insert(c, "principals", row | {"groups": Jsonb([]), "created_by": "admin"})


def put_grant(c: Connection, grant: Grant) -> None:
    """Write a grant."""
    row = asdict(grant) | {"votes": Jsonb(list(grant.votes))}
    w.insert(c, "grants", row)


def approve(c: Connection, seen: Plot, grant: Grant) -> None:
    """Forge an approval: vote, request, grant, status and event."""
    if grant.request_id is None:
        w.resolve(c, seen.request.id, "canceled")
    else:
        w.vote(c, seen.request.id, "operator", action_digest=seen.request.action_digest)
        w.resolve(c, seen.request.id, "approved")
    put_grant(c, grant)
    w.move(c, seen.victim.id, "approved")


def unsigned(c: Connection, seen: Plot) -> None:
    approve(c, seen, seen.wanted())


def unsigned_by_policy(c: Connection, seen: Plot) -> None:
    approve(c, seen, seen.wanted(request_id=None, votes=(), required_approvals=0))


def signed_by_another_key(c: Connection, seen: Plot) -> None:
    approve(c, seen, sign_grant(seen.wanted(), OWN_KEYS))


def under_a_trusted_name(c: Connection, seen: Plot) -> None:
    """Signed by the attacker's key, under the name of Remit's."""
    grant = sign_grant(seen.wanted(), OWN_KEYS)
    approve(c, seen, replace(grant, envelope=_with(grant.envelope, keyid=_kid(seen))))


def without_a_key_name(c: Connection, seen: Plot) -> None:
    grant = sign_grant(seen.wanted(), OWN_KEYS)
    approve(c, seen, replace(grant, envelope=_with(grant.envelope, keyid=None)))


def with_an_empty_key_name(c: Connection, seen: Plot) -> None:
    grant = sign_grant(seen.wanted(), OWN_KEYS)
    approve(c, seen, replace(grant, envelope=_with(grant.envelope, keyid="")))


def without_a_signature(c: Connection, seen: Plot) -> None:
    envelope = copy.deepcopy(sign_grant(seen.wanted(), OWN_KEYS).envelope)
    assert envelope is not None
    approve(c, seen, seen.wanted(envelope=envelope | {"signatures": []}))


def copied(c: Connection, seen: Plot) -> None:
    """The donor's grant with the victim's names in its row."""
    approve(c, seen, seen.wanted(envelope=seen.gift.envelope))


def copied_unchanged(c: Connection, seen: Plot) -> None:
    """The donor's grant as it is, but for the columns that tie it to its directive."""
    grant = replace(seen.gift, id=uuid4(), directive_id=seen.victim.id, request_id=seen.request.id)
    approve(c, seen, grant)


def statement_of_its_own_under_a_copied_signature(c: Connection, seen: Plot) -> None:
    wish = seen.wanted()
    payload = base64.b64encode(canonical_json(grant_statement(wish))).decode()
    assert seen.gift.envelope is not None
    approve(c, seen, replace(wish, envelope=seen.gift.envelope | {"payload": payload}))


def vote_in_place_of_a_grant(c: Connection, seen: Plot) -> None:
    approve(c, seen, seen.wanted(envelope=seen.signed_vote))


def vote_called_a_grant(c: Connection, seen: Plot) -> None:
    approve(c, seen, seen.wanted(envelope=seen.signed_vote | {"payloadType": GRANT.payload_type}))


def junk_in_place_of_an_envelope(c: Connection, seen: Plot) -> None:
    approve(c, seen, seen.wanted(envelope={"signatures": [{"sig": "AA=="}], "payload": True}))


def needing_nobody(c: Connection, seen: Plot) -> None:
    """By people, of whom none was needed and none voted."""
    approve(c, seen, seen.wanted(required_approvals=0, votes=()))


GRANTS: dict[str, Forge] = {
    forge.__name__: forge
    for forge in (
        unsigned,
        unsigned_by_policy,
        signed_by_another_key,
        under_a_trusted_name,
        without_a_key_name,
        with_an_empty_key_name,
        without_a_signature,
        copied,
        copied_unchanged,
        statement_of_its_own_under_a_copied_signature,
        vote_in_place_of_a_grant,
        vote_called_a_grant,
        junk_in_place_of_an_envelope,
        needing_nobody,
    )
}
"""Every way to forge a grant."""


def begin(c: Connection, seen: Plot, grant_id: UUID, **run: Any) -> None:
    """Forge the start of an approved directive: status, event and run."""
    w.move(c, seen.victim.id, "executing")
    w.begin(c, seen.victim.id, grant_id, **{"module": seen.victim.type, "attempts": 0} | run)


def run_of_an_unsigned_grant(c: Connection, seen: Plot) -> None:
    grant = seen.wanted()
    approve(c, seen, grant)
    begin(c, seen, grant.id)


def running_on_an_unsigned_grant(c: Connection, seen: Plot) -> None:
    grant = seen.wanted()
    approve(c, seen, grant)
    begin(c, seen, grant.id, status="running", attempts=1)


def run_of_a_copied_grant(c: Connection, seen: Plot) -> None:
    grant = seen.wanted(envelope=seen.gift.envelope)
    approve(c, seen, grant)
    begin(c, seen, grant.id)


def run_of_the_donors_grant(c: Connection, seen: Plot) -> None:
    w.resolve(c, seen.request.id, "approved")
    w.move(c, seen.victim.id, "approved")
    begin(c, seen, seen.gift.id)


RUNS: dict[str, Forge] = {
    forge.__name__: forge
    for forge in (
        run_of_an_unsigned_grant,
        running_on_an_unsigned_grant,
        run_of_a_copied_grant,
        run_of_the_donors_grant,
    )
}
"""Every way to forge a run."""


def approved_without_a_grant(c: Connection, seen: Plot) -> None:
    w.resolve(c, seen.request.id, "approved")
    w.move(c, seen.victim.id, "approved")


def executing_without_a_run(c: Connection, seen: Plot) -> None:
    approved_without_a_grant(c, seen)
    w.move(c, seen.victim.id, "executing")


STATUSES = {one.__name__: one for one in (approved_without_a_grant, executing_without_a_run)}
"""Every way to forge nothing but a status."""


def _kid(seen: Plot) -> str:
    envelope: Any = seen.gift.envelope
    return str(envelope["signatures"][0]["keyid"])


def _with(envelope: JsonObject | None, *, keyid: str | None) -> JsonObject:
    """Return an envelope whose signature names another key, or none."""
    changed: Any = copy.deepcopy(envelope)
    changed["signatures"][0]["keyid"] = keyid
    if keyid is None:
        del changed["signatures"][0]["keyid"]
    return dict(changed)
