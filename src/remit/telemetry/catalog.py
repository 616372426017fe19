"""Every metric, on one page.

Names end as Prometheus asks: `_total` for a counter, the base unit before it. The values of its
labels are those of `remit.vocabulary`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from remit.telemetry.words import Names, Words
from remit.vocabulary import (
    DirectiveStatus,
    FailureType,
    LLMErrorType,
    ModuleStatus,
    PolicyFault,
    PolicyName,
    PolicyVerdict,
    ReadOutcome,
    TableName,
    VoidReason,
    words_of,
)

Bounded = Words | Names

DIRECTIVE_STATUSES = words_of(DirectiveStatus)
VERDICTS = tuple(PolicyVerdict)
POLICIES = words_of(PolicyName)
FAILURE_TYPES = words_of(FailureType)
MODULE_STATUSES = tuple(ModuleStatus)
VOID_REASONS = words_of(VoidReason)
POLICY_FAULTS = words_of(PolicyFault)
TOKEN_KINDS = frozenset({"input", "output"})
CALL_STATUSES = ("success", *words_of(LLMErrorType))
PROVIDERS = frozenset({"noop", "anthropic", "openai", "local", "braintrust"})
TABLES = words_of(TableName)
READ_OUTCOMES = words_of(ReadOutcome)

_STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_RUN_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_PEOPLE_SECONDS = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0, 604800.0)


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: its name, the same for Prometheus and for a collector.
        kind: `counter` only rises; `gauge` is as last set; `histogram` counts by size.
        description: what it measures.
        labels: each label, with what makes the bounds of its values anew for each process.
        unit: UCUM code of its unit; empty for a count.
        buckets: upper bounds of a histogram, in its unit.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    description: str
    labels: Mapping[str, Callable[[], Bounded]] = field(default_factory=dict)
    unit: str = ""
    buckets: tuple[float, ...] = ()


def _words(words: Iterable[str]) -> Callable[[], Bounded]:
    return lambda: Words(words)


def _gauge(name: str, description: str, **labels: Callable[[], Bounded]) -> Metric:
    return Metric(name, "gauge", description, labels)


def _counter(
    name: str, description: str, unit: str = "", **labels: Callable[[], Bounded]
) -> Metric:
    return Metric(name, "counter", description, labels, unit)


def _seconds(
    name: str, description: str, buckets: tuple[float, ...], **labels: Callable[[], Bounded]
) -> Metric:
    return Metric(name, "histogram", description, labels, "s", buckets)


CATALOG: tuple[Metric, ...] = (
    _counter(
        "directives_total", "Directives that came to a status.", status=_words(DIRECTIVE_STATUSES)
    ),
    _counter(
        "execution_failures_total",
        "Runs that did not succeed, by why.",
        failure_type=_words(FAILURE_TYPES),
    ),
    _counter("policy_evaluations_total", "Decisions of the gate.", verdict=_words(VERDICTS)),
    _counter(
        "policy_results_total",
        "What single policies said other than allow, by policy.",
        policy=_words(POLICIES),
        verdict=_words(VERDICTS),
    ),
    _counter(
        "module_executions_total",
        "Calls of a module that ended.",
        module_name=Names,
        status=_words(MODULE_STATUSES),
    ),
    _seconds(
        "execution_duration_seconds",
        "From the start of a run to its end.",
        _RUN_SECONDS,
        directive_type=Names,
    ),
    _seconds(
        "policy_evaluation_duration_seconds",
        "How long one decision of the gate took.",
        _STEP_SECONDS,
    ),
    _seconds(
        "approval_wait_seconds", "From the request for approval to its outcome.", _PEOPLE_SECONDS
    ),
    _seconds("queue_lag_seconds", "From approved to started.", _RUN_SECONDS),
    _counter(
        "grants_voided_total", "Grants that no run may use any more.", reason=_words(VOID_REASONS)
    ),
    _counter("budget_reserved_dollars_total", "Dollars set aside for directives."),
    _counter(
        "budget_settled_dollars_total", "Dollars that runs are known to have cost of their budgets."
    ),
    _counter(
        "llm_calls_total",
        "Calls of a language model.",
        provider=_words(PROVIDERS),
        status=_words(CALL_STATUSES),
    ),
    _counter("llm_cost_dollars_total", "Estimated cost of language models, where it is known."),
    _counter(
        "llm_tokens_total",
        "Tokens that language models took in and gave.",
        kind=_words(TOKEN_KINDS),
    ),
    _counter("embedding_cost_dollars_total", "Estimated cost of embeddings, where it is known."),
    _counter("embedding_texts_total", "Texts that were turned into vectors.", model=Names),
    _gauge(
        "directives_waiting",
        "Directives under way now, by status.",
        status=_words(DIRECTIVE_STATUSES),
    ),
    _gauge(
        "oldest_waiting_seconds",
        "How long the first of them has had its status; 0 for none.",
        status=_words(DIRECTIVE_STATUSES),
    ),
    _gauge("directives_unattended", "Proposed directives with no gate's decision and no request."),
    _gauge(
        "approvals_expiring_soon",
        "Pending approval requests in their last hour, or last quarter.",
    ),
    _gauge("workers_living", "Workers whose lease is good."),
    _gauge(
        "directives_in_doubt", "Directives of which nobody knows whether they were carried out."
    ),
    _gauge("audit_chain_broken", "Chains of the audit log that the watch has found broken."),
    _gauge(
        "policy_unusable",
        "1 while a worker decides and starts nothing, by what its policy lacks.",
        reason=_words(POLICY_FAULTS),
    ),
    _gauge(
        "overview_timestamp_seconds",
        "When the gauges about the database were read, in Unix time.",
    ),
    _counter(
        "rows_unreadable_total",
        "Rows of the database that hold what no reader can, each time that one was met.",
        table=_words(TABLES),
    ),
    _counter("memory_reads_total", "Reads of memory.", query=Names, outcome=_words(READ_OUTCOMES)),
)
"""Every metric. `telemetry_lost_total` by reason comes along by itself."""
