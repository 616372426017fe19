"""Writes and reads the file of a bundle. Pure.

A bundle is a DSSE envelope over canonical JSON, in one of two formats. It has one form, byte for
byte: a file that says the same in another way is refused, so no byte of it can change unseen. What
it says is not judged here: `remit.audit.bundle.checks` does that.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue, TypeAdapter, ValidationError

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.bundle.types import (
    Asked,
    BudgetEntry,
    Bundle,
    Format,
    Person,
    SignedBundle,
    Statement,
    Token,
)
from remit.audit.chain import Event, carried, read_number
from remit.audit.checkpoint import Head, Inclusion, stamp
from remit.audit.run_ends import Attempt, Worker
from remit.base.canonical import canonical_json
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, InvalidInputError, UnverifiableError
from remit.execution.models import ExecutionRunRead
from remit.signing.dsse import Envelope, envelope_from_json, envelope_to_json
from remit.signing.keys import Installation, Keyring

MAX_BUNDLE_BYTES = 64 * 1024 * 1024
"""Largest bundle that is written or read."""

FIRST: Final = "remit.evidence/1"
CURRENT: Final = "remit.evidence/2"
"""The format in which bundles are written."""

PAYLOAD_TYPES: Mapping[Format, str] = {
    FIRST: "application/vnd.remit.evidence+json",
    CURRENT: "application/vnd.remit.evidence.v2+json",
}
"""DSSE payload type of a bundle, by its format."""

# A format never changes once bundles of it are about. So its fields are written down by name,
# whatever other fields the types get later; a test finds a field that no format carries.
_ROWS: Mapping[type, str] = {
    DirectiveRead: "role type payload issued_by objective scope constraints success_metrics budget"
    " timebox id status status_reason action_digest idempotency_key created_at updated_at",
    Asked: "request votes",
    ApprovalRequest: "id directive_id action_digest policy_version policy_digest status"
    " required_approvals allow_self_approval rejection_ends approver_groups rules requested_at"
    " expires_at resolved_at",
    ExecutionRunRead: "id directive_id grant_id module module_version status idempotency_key"
    " attempts result error_type error_message created_at started_at ended_at",
    BudgetEntry: "account period_start grant_id kind amount ceiling created_at",
    Artifact: "id type uri directive_id run_id metadata digest size_bytes created_at",
    Event: "directive_id seq type actor occurred_at data prev_hash hash",
    Vote: "voter decision reason action_digest cast_at envelope",
    Grant: "id directive_id request_id action_digest policy_version policy_digest module"
    " module_version module_digest required_approvals votes budget issued_at expires_at voided_at"
    " void_reason envelope",
    Bundle: "exported_at exported_by directive requests grants runs budget artifacts events format",
}
_SINCE_SECOND: Mapping[type, str] = {
    Vote: "token_id standing",
    Grant: "heard",
    Bundle: "installation issued people tokens workers attempts ends filings inclusion",
    Installation: "id since",
    Person: "name kind roles groups acts_for created_by created_at disabled_at revision envelope",
    Token: "id principal hash scopes created_by created_at expires_at revoked_at created_with"
    " redeemed revoked_since envelope revocation",
    Worker: "id kid public_key modules envelope started_at",
    Attempt: "run_id attempt worker_id started_at ended_at outcome cost envelope",
    Statement: "about envelope",
    Inclusion: "header head position path",
    Head: "directive_id seq hash",
}


def _fields(*parts: Mapping[type, str]) -> Mapping[type, tuple[str, ...]]:
    kinds = {kind for part in parts for kind in part}
    return {kind: tuple(" ".join(part.get(kind, "") for part in parts).split()) for kind in kinds}


FORMS: Mapping[Format, Mapping[type, tuple[str, ...]]] = {
    FIRST: _fields(_ROWS),
    CURRENT: _fields(_ROWS, _SINCE_SECOND),
}
"""The fields of each thing that a format carries."""


def sign_bundle(bundle: Bundle, keys: Keyring) -> bytes:
    """Return the file: one DSSE envelope as canonical JSON, and a line break.

    Raises:
        MisconfiguredError: there is no key to sign with.
        ConflictError: no reader would take it: it is too large, or a row of the database holds
            what Remit never writes there.
    """
    payload = encode(bundle)
    try:
        _decoded(payload)
    except UnverifiableError as error:
        raise ConflictError(f"no bundle can carry what the database holds: {error}") from error
    data = _file(keys.sign(PAYLOAD_TYPES[bundle.format], payload))
    if len(data) > MAX_BUNDLE_BYTES:
        raise ConflictError(
            f"the evidence makes a bundle of {len(data)} bytes; at most {MAX_BUNDLE_BYTES} fit"
        )
    return data


def read_bundle(data: bytes, keys: Keyring) -> SignedBundle:
    """Return the bundle that :func:`sign_bundle` wrote, once its signature is proved.

    Raises:
        UnverifiableError: it is no bundle, was changed, is too large, or none of the keys signed
            it.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise UnverifiableError(f"a bundle has at most {MAX_BUNDLE_BYTES} bytes; this has more")
    envelope = envelope_from_json(_parsed(data))
    is_known = envelope.payload_type in PAYLOAD_TYPES.values()
    wanted = envelope.payload_type if is_known else PAYLOAD_TYPES[CURRENT]
    payload = keys.verify(envelope, payload_type=wanted)
    if _file(envelope) != data:
        raise UnverifiableError("the file is not as Remit writes one: it was changed")
    bundle = _decoded(payload)
    if PAYLOAD_TYPES[bundle.format] != envelope.payload_type:
        raise UnverifiableError("the content is of another format than was signed")
    return SignedBundle(bundle, envelope)


def encode(bundle: Bundle) -> bytes:
    """Return what is signed: the bundle as canonical JSON.

    Raises:
        ConflictError: some text in it has no canonical form.
    """
    try:
        return canonical_json(_plain(bundle, FORMS[bundle.format]))
    except InvalidInputError as error:
        raise ConflictError(f"no bundle can carry what the database holds: {error}") from error


def _file(envelope: Envelope) -> bytes:
    return canonical_json(envelope_to_json(envelope)) + b"\n"


def _parsed(data: bytes) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(data, parse_int=read_number)
    except (ValueError, RecursionError) as error:
        raise UnverifiableError("the file is no bundle, or was changed: it is not JSON") from error
    return parsed


_BUNDLE = TypeAdapter(Bundle)


def _decoded(payload: bytes) -> Bundle:
    """Return what a payload says, if it says it as :func:`encode` does."""
    try:
        bundle = _BUNDLE.validate_python(_parsed(payload))
        if bundle.has_statements and bundle.installation is None:
            raise UnverifiableError("the content does not say of which installation it is")
        written = encode(bundle)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UnverifiableError(f"the content is not that of a bundle, at {where}") from error
    except (ConflictError, OverflowError) as error:
        raise UnverifiableError("the content is not that of a bundle") from error
    # What is written again must be what was read: nothing unknown or doubled is overlooked.
    if written != payload:
        raise UnverifiableError("the content is not as Remit writes it")
    return bundle


def _plain(value: object, fields: Mapping[type, tuple[str, ...]]) -> Any:  # noqa: ANN401 - JSON, whose shape the value decides
    names = fields.get(type(value))
    if names is not None:
        return {name: _plain(getattr(value, name), fields) for name in names}
    if isinstance(value, tuple):
        return [_plain(each, fields) for each in value]
    if isinstance(value, dict):
        return carried(value)
    if isinstance(value, datetime):
        return stamp(value)
    return str(value) if isinstance(value, UUID | Decimal) else value
