"""What operations count of what they did.

Some of it is counted before its commit, which may fail: only the database says what is so.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from remit.approval.types import Grant
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.types import ModuleOutput
from remit.policy.types import PolicyResult, combine
from remit.telemetry import metrics
from remit.telemetry.logging import get_logger
from remit.vocabulary import DirectiveStatus, FailureType, PolicyVerdict, VoidReason


def count_directives(directives: Iterable[DirectiveRead]) -> None:
    """Count directives by the status that they came to."""
    for directive in directives:
        metrics.count_directive(directive.status)


def count_void(directive: DirectiveRead, grant: Grant | None, reason: VoidReason) -> None:
    """Count a grant that was voided, if there was one, and the status its directive came to."""
    if grant is not None:
        metrics.count_grant_voided(reason)
    metrics.count_directive(directive.status)


def count_policy_results(results: Iterable[PolicyResult]) -> None:
    """Count each policy that blocked or asked: once, however many of its rules did."""
    found: dict[str, list[PolicyResult]] = {}
    for result in results:
        found.setdefault(result.policy, []).append(result)
    for policy, said in found.items():
        verdict = combine(said)
        if verdict is not PolicyVerdict.ALLOW:
            metrics.count_policy_result(policy, verdict)


def count_reserved(grant: Grant, reserved: Sequence[JsonObject]) -> None:
    """Count what was set aside for one grant: once, under however many limits."""
    if grant.budget is not None and reserved:
        metrics.add_budget_reserved(float(grant.budget))


def count_settled(known: Iterable[Decimal]) -> None:
    """Count what runs are known to have spent, in US dollars; what nobody knows is left out."""
    for amount in known:
        metrics.add_budget_settled(float(amount))


def report_in_doubt(directive_id: UUID, said: str) -> None:
    """Count a directive of which nobody knows whether it was carried out, and log it."""
    metrics.count_execution_failure("in_doubt")
    get_logger(__name__).error("directive_in_doubt", directive_id=str(directive_id), because=said)


def count_end(
    run: ExecutionRunRead,
    called: ModuleOutput | None,
    status: DirectiveStatus,
    reason: FailureType | None,
) -> None:
    """Count how a run ended, for its directive and for its module."""
    metrics.count_directive(status)
    if called is not None:
        metrics.count_module_execution(run.module, called.status)
    if reason is not None:
        metrics.count_execution_failure(reason)
