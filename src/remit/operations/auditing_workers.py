"""Audit of workers: each was certified, and each version of a module stands on one that has it."""

from collections.abc import Iterator

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.verification import Finding
from remit.errors import RemitError
from remit.execution.catalog import announcements
from remit.execution.worker_repository import stream_workers
from remit.execution.workers import verify_certificate
from remit.signing.keys import Keyring
from remit.wording import quoted


def worker_findings(connection: sa.Connection, keys: Keyring) -> Iterator[Finding]:
    """Yield what is wrong with workers and with what they announced."""
    announced = announcements(connection)
    wanted = {by for _, _, by, _ in announced if by is not None}
    modules = {}
    told = set()
    for row in stream_workers(connection):
        try:
            verify_certificate(row.envelope, row.said, keys)
        except RemitError as error:
            words = f"the worker {row.id} does not verify: {error.message}"
            yield Finding(INSTALLATION, None, "unverifiable", words)
            told.add(row.id)
            continue
        if row.id in wanted:
            modules[row.id] = row.modules
    for name, digest, by, when in announced:
        if by is None and keys.installation is not None and when < keys.installation.since:
            continue  # announced before workers had rows
        if by in told:
            continue  # said of the worker
        if by is None or modules.get(by, {}).get(name) != digest:
            words = (
                f"the module {quoted(name)} of digest {quoted(digest)} was announced by no worker "
                "that was certified to have it"
            )
            yield Finding(INSTALLATION, None, "unverifiable", words)
