"""What was signed of a row, read from its envelope and held against the row. Pure.

Some of what a statement says stands in no column of its row. It is taken from the statement, once
that is proved to be signed, for the bundle's installation; all that the row does say must be the
same.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from pydantic import JsonValue

from remit.audit.bundle_facts import same
from remit.audit.bundle_records import Worker
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.execution.workers import certificate, verify_certificate, worker_keyring
from remit.signing.dsse import envelope_from_json
from remit.signing.keys import Keyring
from remit.signing.statements import Kind, canonical, moment


def said(kind: Kind, envelope: JsonObject | None, keys: Keyring) -> JsonObject:
    """Return what one of the keys signed, for the installation that they are used for.

    Raises:
        UnverifiableError: none did, or for another one.
    """
    if envelope is None:
        raise UnverifiableError("it was never signed")
    payload = keys.verify(envelope_from_json(envelope), payload_type=kind.payload_type)
    try:
        stated = json.loads(payload)
        is_plain = isinstance(stated, dict) and canonical(stated) == payload
    except (ValueError, RecursionError):
        is_plain = False
    if not is_plain:
        raise UnverifiableError("what was signed is no statement of Remit's")
    own = None if keys.installation is None else str(keys.installation.id)
    if stated.pop("installation", None) != own:
        raise UnverifiableError("it was signed for another installation")
    found: JsonObject = stated
    return found


def unlike(stated: JsonObject, row: Mapping[str, JsonValue]) -> Iterator[str]:
    """Yield each thing that was signed otherwise than the row says it."""
    for name, value in row.items():
        if name not in stated or not same(stated[name], value):
            yield name


def claims(envelope: JsonObject | None) -> JsonObject:
    """Return what an envelope claims; nothing when it claims nothing that can be read.

    It proves nothing: :func:`said` does.
    """
    try:
        stated = json.loads(envelope_from_json(envelope).payload)
    except (UnverifiableError, ValueError, RecursionError):
        return {}
    return stated if isinstance(stated, dict) else {}


def kind_of(envelope: JsonObject | None) -> str | None:
    """Return the payload type that an envelope claims; None: it is none."""
    try:
        return envelope_from_json(envelope).payload_type
    except UnverifiableError:
        return None


def worker_keys(worker: Worker, keys: Keyring) -> Keyring:
    """Return what verifies the word of a worker, once its certificate is proved.

    Raises:
        UnverifiableError: the installation did not certify this key.
    """
    stated = certificate(worker.id, worker.kid, worker.public_key, worker.modules)
    verify_certificate(worker.envelope, stated, keys)
    return worker_keyring(worker.kid, worker.public_key, keys)


def stated_moment(when: datetime | None) -> str | None:
    """Return a time as statements write it; None for none."""
    return None if when is None else moment(when)
