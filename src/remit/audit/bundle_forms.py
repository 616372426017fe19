"""The formats of bundles: which fields each carries of each thing. Pure.

A format never changes once bundles of it are about. So it is written down here by name, whatever
other fields the types get later; a test says so when a type has a field that no format carries.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.bundle_records import (
    Asked,
    Attempt,
    BudgetEntry,
    Evidence,
    Format,
    Person,
    Statement,
    Token,
    Worker,
)
from remit.audit.chain import Event
from remit.audit.checkpoint import Head
from remit.audit.inclusion import Inclusion
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.signing.keys import Installation

FIRST: Final = "remit.evidence/1"
CURRENT: Final = "remit.evidence/2"
"""The format in which bundles are written."""

PAYLOAD_TYPES: Mapping[Format, str] = {
    FIRST: "application/vnd.remit.evidence+json",
    CURRENT: "application/vnd.remit.evidence.v2+json",
}
"""DSSE payload type of a bundle, by its format."""

Form = Mapping[type, tuple[str, ...]]
"""The fields of each thing that a format carries."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ROWS: Mapping[type, tuple[str, ...]] = {
    DirectiveRead: _names(
        "role type payload issued_by objective scope constraints success_metrics budget timebox "
        "id status status_reason action_digest idempotency_key created_at updated_at"
    ),
    Asked: _names("request votes"),
    ApprovalRequest: _names(
        "id directive_id action_digest policy_version policy_digest status required_approvals "
        "allow_self_approval rejection_ends approver_groups rules requested_at expires_at "
        "resolved_at"
    ),
    ExecutionRunRead: _names(
        "id directive_id grant_id module module_version status idempotency_key attempts result "
        "error_type error_message created_at started_at ended_at"
    ),
    BudgetEntry: _names("account period_start grant_id kind amount ceiling created_at"),
    Artifact: _names("id type uri directive_id run_id metadata digest size_bytes created_at"),
    Event: _names("directive_id seq type actor occurred_at data prev_hash hash"),
}
_VOTE = _names("voter decision reason action_digest cast_at envelope")
_GRANT = _names(
    "id directive_id request_id action_digest policy_version policy_digest module module_version "
    "module_digest required_approvals votes budget issued_at expires_at voided_at void_reason "
    "envelope"
)
_EVIDENCE = _names(
    "exported_at exported_by directive requests grants runs budget artifacts events format"
)

FORMS: Mapping[Format, Form] = {
    FIRST: {**_ROWS, Vote: _VOTE, Grant: _GRANT, Evidence: _EVIDENCE},
    CURRENT: {
        **_ROWS,
        Vote: (*_VOTE, "token_id", "standing"),
        Grant: (*_GRANT, "heard"),
        Evidence: (
            *_EVIDENCE,
            *_names("installation issued people tokens workers attempts ends filings inclusion"),
        ),
        Installation: _names("id since"),
        Person: _names(
            "name kind roles groups acts_for created_by created_at disabled_at revision envelope"
        ),
        Token: _names(
            "id principal hash scopes created_by created_at expires_at revoked_at created_with "
            "redeemed revoked_since envelope revocation"
        ),
        Worker: _names("id kid public_key modules envelope started_at"),
        Attempt: _names("run_id attempt worker_id started_at ended_at outcome cost envelope"),
        Statement: _names("about envelope"),
        Inclusion: _names("header head position path"),
        Head: _names("directive_id seq hash"),
    },
}
"""Every format, in the order in which they came."""


def uncarried(form: Form) -> Iterable[str]:
    """Yield each field of a type that a format does not carry, as "Type.field"."""
    for kind, carried in form.items():
        known = kind.model_fields if issubclass(kind, BaseModel) else kind.__slots__  # type: ignore[attr-defined]
        yield from (f"{kind.__name__}.{name}" for name in known if name not in carried)
