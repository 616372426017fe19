"""What makes a grant void. Pure: the worker asks this in the transaction that would consume it."""

from datetime import datetime

from remit.approval.types import Grant
from remit.vocabulary import VoidReason


def void_reason(
    grant: Grant | None,
    *,
    action_digest: str,
    module: str,
    module_digest: str,
    policy_digest: str,
    now: datetime,
) -> VoidReason | None:
    """Return why `grant` may not start a run; None when it may.

    Args:
        grant: the latest grant of the directive; None when it has none.
        action_digest: digest of the directive's content, computed afresh.
        module: the module that would run.
        module_digest: digest of that module as this worker has it; empty when it has none.
        policy_digest: digest of the policy in force.
        now: the database's clock.
    """
    if grant is None or len(set(grant.votes)) < grant.required_approvals:
        return "approval_unverifiable"
    if grant.voided_at is not None:
        return grant.void_reason or "approval_unverifiable"
    bound = (grant.action_digest, grant.module, grant.module_digest)
    # One that was issued before any worker had announced anything binds to no module.
    if bound != (action_digest, module, module_digest) or not grant.module_digest:
        return "action_changed"
    if grant.policy_digest != policy_digest:
        return "policy_changed"
    return "approval_expired" if now >= grant.expires_at else None
