"""Whether a grant covers a run: the rule that every start and every later attempt asks. Pure."""

from datetime import datetime

from remit.approval.statements import verify_grant
from remit.approval.types import Grant
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.errors import InvalidInputError, UnverifiableError
from remit.execution.models import ExecutionRunRead
from remit.signing.keys import Keyring
from remit.vocabulary import VoidReason


def void_reason(
    grant: Grant | None,
    directive: DirectiveRead,
    *,
    keys: Keyring,
    module_digest: str | None,
    policy_digest: str,
    now: datetime | None,
    run: ExecutionRunRead | None = None,
) -> VoidReason | None:
    """Return why a grant does not cover a run of a directive as it is now; None when it does.

    `module_digest` is of the module that this worker has, None without one; `now`, the database's
    clock. One more attempt is judged with its `run`, and without `now`: the start judged expiry.
    """
    if (
        # (1) A trusted key signed the grant's whole row, for this directive.
        grant is None
        or not _is_signed(grant, directive, keys)
        # (2) As many people approved as policy asked for.
        or len(set(grant.votes)) < grant.required_approvals
        # (3) The run, whose row alone proves nothing, is the one effect that the grant allows.
        or (run and (run.module, run.idempotency_key) != (grant.module, effect_key(grant)))
    ):
        return "approval_unverifiable"
    # (4) Nobody has voided it; a run can have consumed none that was void.
    if grant.voided_at is not None:
        return (None if run else grant.void_reason) or "approval_unverifiable"
    if (
        # (5) The content is what was approved: its digest is made anew.
        grant.action_digest != _digest_now(directive)
        # (6) The module has the version that was granted, and there was one to grant.
        or (grant.module, grant.module_digest) != (directive.type, module_digest or None)
    ):
        return "action_changed"
    # (7) The policy that decided is in force.
    if grant.policy_digest != policy_digest:
        return "policy_changed"
    # (8) Its time is not over.
    return "approval_expired" if now is not None and now >= grant.expires_at else None


def effect_key(grant: Grant) -> str:
    """Return the idempotency key of the one effect that a grant allows."""
    return f"{grant.directive_id}:{grant.id}"


def _is_signed(grant: Grant, directive: DirectiveRead, keys: Keyring) -> bool:
    try:
        verify_grant(grant, keys)
    except UnverifiableError:
        return False
    return grant.directive_id == directive.id


def _digest_now(directive: DirectiveRead) -> str:
    """Return the digest of the content as it is; empty when it is such that none can be made."""
    try:
        return action_digest(intent_of(directive))
    except InvalidInputError:
        return ""
