"""Hand out everything that is known of one directive, as one signed file.

`remit evidence export` calls this. It reads one moment of the database and writes nothing to it.
"""

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa

from remit.approval.repository import list_grants, list_requests, list_votes
from remit.artifacts.repository import list_artifacts
from remit.audit.bundle import repository
from remit.audit.bundle.facts import people_named, tokens_named
from remit.audit.bundle.file import sign_bundle
from remit.audit.bundle.types import Asked, BudgetEntry, Bundle
from remit.audit.chain import carried
from remit.audit.checkpoint import Inclusion, prove_inclusion, read_signed_checkpoint
from remit.audit.repository import list_events
from remit.budget.ledger import list_entries
from remit.db.session import database_time, snapshot
from remit.directives.repository import get_directive
from remit.errors import ConflictError, UnreadableError
from remit.execution.repository import list_runs
from remit.identity.repository import read_installation
from remit.identity.rules import require
from remit.identity.types import Principal
from remit.signing.keys import Keyring


def export_bundle(
    engine: sa.Engine,
    directive_id: UUID,
    keys: Keyring,
    *,
    by: Principal,
    checkpoint: bytes | None = None,
) -> bytes:
    """Return the bundle of one directive: a file for `remit evidence verify`.

    What was tampered with is carried as it is, and does not verify.

    `checkpoint` is the file of a checkpoint, whose proof that it covers the directive's log the
    bundle carries; None: it carries none.

    Raises:
        ForbiddenError: whoever asks may not audit.
        UnverifiableError: `checkpoint` is none that `keys` verify.
        NotFoundError: there is no such directive.
        ConflictError: its evidence is too large, or a row holds what Remit never writes there and
            no bundle can carry; or the checkpoint has no row of the directive, or no header.
        MisconfiguredError: there is no key to sign with.
        UnavailableError: the database does not answer.
    """
    require(by, "audit")
    proof = None if checkpoint is None else _proof(checkpoint, directive_id, keys)
    with snapshot(engine) as connection:
        try:
            bundle = _read(connection, directive_id, by.name)
        except (TypeError, ValueError, RecursionError, UnreadableError) as error:
            raise ConflictError(
                f"directive {directive_id} has a row that holds what Remit never writes, and that "
                "no bundle can carry; `remit audit verify` names what was tampered with"
            ) from error
    return sign_bundle(replace(bundle, inclusion=proof), keys)


def _proof(data: bytes, directive_id: UUID, keys: Keyring) -> Inclusion:
    """Return the proof that a checkpoint covers a directive's log."""
    checkpoint, header = read_signed_checkpoint(data, keys)
    if header is None:
        raise ConflictError(
            "the checkpoint was taken before checkpoints had a header that a bundle can carry: "
            "take another one with `remit audit checkpoint --previous FILE`",
            field="checkpoint",
        )
    proof = prove_inclusion(checkpoint, header, directive_id)
    if proof is None:
        raise ConflictError(
            f"the checkpoint has no row of directive {directive_id}, which is younger: take "
            "another one with `remit audit checkpoint --previous FILE`",
            field="checkpoint",
        )
    return proof


def _read(connection: sa.Connection, directive_id: UUID, exported_by: str) -> Bundle:
    artifacts = list_artifacts(connection, directive_id)
    attempts = repository.list_attempts(connection, directive_id)
    workers = repository.list_workers(connection, [one.worker_id for one in attempts])
    found = Bundle(
        exported_at=database_time(connection),
        exported_by=exported_by,
        directive=get_directive(connection, directive_id),
        requests=tuple(
            Asked(request, tuple(list_votes(connection, request.id)))
            for request in list_requests(connection, directive_id)
        ),
        grants=tuple(list_grants(connection, directive_id)),
        runs=tuple(list_runs(connection, directive_id)),
        budget=tuple(BudgetEntry(**row) for row in list_entries(connection, directive_id)),
        artifacts=tuple(replace(one, metadata=carried(one.metadata)) for one in artifacts),
        events=tuple(list_events(connection, directive_id)),
        installation=read_installation(connection),
        issued=repository.issue_statement(connection, directive_id),
        workers=tuple(workers),
        attempts=tuple(attempts),
        ends=tuple(repository.list_end_statements(connection, directive_id)),
        filings=tuple(repository.list_filing_statements(connection, directive_id)),
    )
    tokens = repository.list_token_lines(connection, tokens_named(found))
    found = replace(found, tokens=tuple(tokens))
    return replace(found, people=tuple(repository.list_people(connection, people_named(found))))
