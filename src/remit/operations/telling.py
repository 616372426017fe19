"""What operations tell telemetry of what they did. Nothing here changes anything.

Some of it is told when it is written and not yet committed: a commit that fails is told all the
same. Metrics count what was done here; the database says what is so.
"""

from collections.abc import Iterable

from remit.directives.models import DirectiveRead
from remit.execution.models import ExecutionRunRead
from remit.execution.modules.types import ModuleOutput
from remit.telemetry import metrics


def tell_arrivals(directives: Iterable[DirectiveRead]) -> None:
    """Count directives by the status that they came to."""
    for directive in directives:
        metrics.count_directive(directive.status)


def tell_void(directive: DirectiveRead, reason: str) -> None:
    """Count a grant that was voided, and the status that its directive came to."""
    metrics.count_grant_voided(reason)
    metrics.count_directive(directive.status)


def tell_end(run: ExecutionRunRead, output: ModuleOutput, status: str, reason: str | None) -> None:
    """Count how a run ended, for its module and for its directive."""
    metrics.count_directive(status)
    metrics.count_module_execution(run.module, output.status.value)
    if reason is not None:
        metrics.count_execution_failure(reason)
    if output.cost is not None:
        metrics.add_budget_settled(float(output.cost))
