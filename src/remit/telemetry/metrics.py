"""Counters, gauges and histograms. Each function writes one sample and returns nothing.

Called by operations and activities for what they did, in part when it is written and not yet
committed: a commit that fails is counted all the same. Names, labels and buckets stand in
`metric_definitions`.
"""

from typing import Literal

from remit.telemetry.state import STATE, count_failures
from remit.vocabulary import (
    DirectiveStatus,
    FailureType,
    LLMErrorType,
    ModuleStatus,
    PolicyVerdict,
    ReadOutcome,
    TableName,
    VoidReason,
)


def count_directive(status: DirectiveStatus, count: int = 1) -> None:
    """Count directives that came to a status."""
    _write("directives_total", count, status=status)


def count_execution_failure(failure_type: FailureType) -> None:
    """Count a run that did not succeed."""
    _write("execution_failures_total", 1, failure_type=failure_type)


def record_policy_evaluation(verdict: PolicyVerdict, seconds: float) -> None:
    """Count a decision of the gate, and how long it took."""
    _write("policy_evaluations_total", 1, verdict=verdict)
    _write("policy_evaluation_duration_seconds", seconds)


def count_policy_result(policy: str, verdict: PolicyVerdict) -> None:
    """Count a policy that blocked a directive, or asked for a person."""
    _write("policy_results_total", 1, policy=policy, verdict=verdict)


def count_module_execution(module_name: str, status: ModuleStatus) -> None:
    """Count a call of a module that ended and counted for its run."""
    _write("module_executions_total", 1, module_name=module_name, status=status)


def record_execution(directive_type: str, seconds: float) -> None:
    """Record how long a run took, from its start to its end."""
    _write("execution_duration_seconds", seconds, directive_type=directive_type)


def count_unreadable_rows(table: TableName, count: int) -> None:
    """Count rows that were passed over because nobody can read them."""
    _write("rows_unreadable_total", count, table=table)


def record_approval_wait(seconds: float) -> None:
    """Record how long people took, from the request to its outcome."""
    _write("approval_wait_seconds", seconds)


def record_queue_lag(seconds: float) -> None:
    """Record how long an approved directive waited to be started."""
    _write("queue_lag_seconds", seconds)


def count_grant_voided(reason: VoidReason) -> None:
    """Count a grant that no run may use any more."""
    _write("grants_voided_total", 1, reason=reason)


def add_budget_reserved(dollars: float) -> None:
    """Add dollars that were set aside for a directive."""
    _write("budget_reserved_dollars_total", dollars)


def add_budget_settled(dollars: float) -> None:
    """Add dollars that a run with a budget is known to have cost, its models included.

    A cost that nobody knows adds nothing here, though the ledger then settles the whole promise.
    """
    _write("budget_settled_dollars_total", dollars)


def count_llm_call(provider: str, status: Literal["success"] | LLMErrorType) -> None:
    """Count a call of a language model."""
    _write("llm_calls_total", 1, provider=provider, status=status)


def add_llm_usage(*, input_tokens: int, output_tokens: int, dollars: float | None) -> None:
    """Add what a call of a language model used; `dollars` is None where no price is known."""
    _write("llm_tokens_total", input_tokens, kind="input")
    _write("llm_tokens_total", output_tokens, kind="output")
    if dollars is not None:
        _write("llm_cost_dollars_total", dollars)


def add_embedding_usage(model: str, *, texts: int, dollars: float | None) -> None:
    """Add what an embedding used; `dollars` is None where no price is known."""
    _write("embedding_texts_total", texts, model=model)
    if dollars is not None:
        _write("embedding_cost_dollars_total", dollars)


def count_memory_read(query: str, outcome: ReadOutcome) -> None:
    """Count a read of memory."""
    _write("memory_reads_total", 1, query=query, outcome=outcome)


def set_gauge(name: str, value: float, **labels: str) -> None:
    """Set a gauge; `remit.operations.evidence.overview` names those there are."""
    _write(name, value, **labels)


def _write(name: str, amount: float, **labels: str) -> None:
    meter = STATE.meter
    if meter is not None:
        with count_failures():
            meter.write(name, amount, labels)
