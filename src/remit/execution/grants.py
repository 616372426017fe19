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
    module_digest: str,
    policy_digest: str,
    now: datetime | None,
    run: ExecutionRunRead | None = None,
) -> VoidReason | None:
    """Return why a grant does not cover a run of a directive; None when it does.

    Args:
        grant: the latest grant of the directive, or the one that `run` consumed; None: none.
        directive: the directive, freshly read.
        keys: what verifies grants.
        module_digest: of the module as this worker has it; empty when it has none.
        policy_digest: of the policy in force.
        now: the database's clock; None for a run that has consumed the grant, whose expiry was
            judged then, by the database too.
        run: that run, to judge one more attempt. That its row names the grant proves nothing.
    """
    reason: VoidReason | None = None
    # (1) A trusted key signed the grant's whole row, for this directive.
    if grant is None or not _is_signed(grant, directive, keys):  # noqa: SIM114 - one rule at a time
        reason = "approval_unverifiable"
    # (2) As many people approved as policy asked for.
    elif len(set(grant.votes)) < grant.required_approvals:
        reason = "approval_unverifiable"
    # (3) Nobody has voided it; a run can have consumed none that was void.
    elif grant.voided_at is not None:
        reason = (None if run else grant.void_reason) or "approval_unverifiable"
    # (4) The run, if there is one, is the one effect that the grant allows.
    elif run and (run.module, run.idempotency_key) != (grant.module, effect_key(grant)):
        reason = "approval_unverifiable"
    # (5) The content is what was approved: its digest is made anew.
    elif grant.action_digest != _digest_now(directive):  # noqa: SIM114 - one rule at a time
        reason = "action_changed"
    # (6) The module is the one that was granted, in its version. A grant from before any worker
    # had announced a module binds to none, and starts none.
    elif (grant.module, grant.module_digest) != (directive.type, module_digest or None):
        reason = "action_changed"
    # (7) The policy that decided is in force.
    elif grant.policy_digest != policy_digest:
        reason = "policy_changed"
    # (8) Its time is not over.
    elif now is not None and now >= grant.expires_at:
        reason = "approval_expired"
    return reason


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
