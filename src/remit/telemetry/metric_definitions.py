"""Every metric, on one page, with its labels and what bounds their values. Pure.

Names end as Prometheus asks: `_total` for a counter, the base unit before it. The values of labels
are those of `remit.vocabulary`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Literal

from remit.redaction.masking import redact_text
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

OTHER = "other"
"""What stands for every value that is not known: any value would let a metric grow without end."""

MANY_NAMES = 64
"""How many different names one label may have in one process."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}", re.ASCII)

FAILURE_TYPES = words_of(FailureType)
VOID_REASONS = words_of(VoidReason)
CALL_STATUSES = ("success", *words_of(LLMErrorType))

_STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_RUN_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_PEOPLE_SECONDS = (1.0, 10.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 43200.0, 86400.0, 604800.0)


class ClosedList:
    """Label values that are all known beforehand."""

    def __init__(self, values: Iterable[str]) -> None:
        self._values = frozenset(values)

    def bound(self, value: str) -> str:
        """Return the value if it is on the list, else `other`."""
        return value if value in self._values else OTHER


class FirstNames:
    """Names that an installation chooses, as those of its modules: the first ones to come."""

    def __init__(self, many: int = MANY_NAMES) -> None:
        self._many = many
        self._lock = Lock()
        self._seen: frozenset[str] = frozenset()

    def bound(self, value: str) -> str:
        """Return the value if it has the form of a name and there is room for it, else `other`."""
        if value in self._seen:
            return value
        if not _NAME.fullmatch(value) or redact_text(value) != value:
            return OTHER
        with self._lock:
            if len(self._seen) >= self._many:
                return value if value in self._seen else OTHER
            self._seen |= {value}
        return value


LabelBound = Callable[[], ClosedList | FirstNames]
"""Makes what bounds a label's values, anew for each process."""


@dataclass(frozen=True)
class Metric:
    """One metric, the same for Prometheus and for a collector.

    Attributes:
        kind: `counter` only rises; `gauge` is as last set; `histogram` counts by size.
        unit: its UCUM code; empty for a count.
        buckets: upper bounds of a histogram, in its unit.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    description: str
    labels: Mapping[str, LabelBound] = field(default_factory=dict)
    unit: str = ""
    buckets: tuple[float, ...] = ()


def _one_of(words: Iterable[str]) -> LabelBound:
    return partial(ClosedList, words)


def _gauge(name: str, description: str, **labels: LabelBound) -> Metric:
    return Metric(name, "gauge", description, labels)


def _counter(name: str, description: str, **labels: LabelBound) -> Metric:
    return Metric(name, "counter", description, labels)


def _seconds(
    name: str, description: str, buckets: tuple[float, ...], **labels: LabelBound
) -> Metric:
    return Metric(name, "histogram", description, labels, "s", buckets)


_STATUS = _one_of(words_of(DirectiveStatus))
_VERDICT = _one_of(PolicyVerdict)

DEFINITIONS: tuple[Metric, ...] = (
    _counter("directives_total", "Directives that came to a status.", status=_STATUS),
    _counter(
        "execution_failures_total",
        "Runs that did not succeed, by why.",
        failure_type=_one_of(FAILURE_TYPES),
    ),
    _counter("policy_evaluations_total", "Decisions of the gate.", verdict=_VERDICT),
    _counter(
        "policy_results_total",
        "What single policies said other than allow, by policy.",
        policy=_one_of(words_of(PolicyName)),
        verdict=_VERDICT,
    ),
    _counter(
        "module_executions_total",
        "Calls of a module that ended.",
        module_name=FirstNames,
        status=_one_of(ModuleStatus),
    ),
    _seconds(
        "execution_duration_seconds",
        "From the start of a run to its end.",
        _RUN_SECONDS,
        directive_type=FirstNames,
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
        "grants_voided_total", "Grants that no run may use any more.", reason=_one_of(VOID_REASONS)
    ),
    _counter("budget_reserved_dollars_total", "Dollars set aside for directives."),
    _counter(
        "budget_settled_dollars_total", "Dollars that runs are known to have cost of their budgets."
    ),
    _counter(
        "llm_calls_total",
        "Calls of a language model.",
        provider=_one_of({"noop", "anthropic", "openai", "local", "braintrust"}),
        status=_one_of(CALL_STATUSES),
    ),
    _counter("llm_cost_dollars_total", "Estimated cost of language models, where it is known."),
    _counter(
        "llm_tokens_total",
        "Tokens that language models took in and gave.",
        kind=_one_of({"input", "output"}),
    ),
    _counter("embedding_cost_dollars_total", "Estimated cost of embeddings, where it is known."),
    _counter("embedding_texts_total", "Texts that were turned into vectors.", model=FirstNames),
    _gauge("directives_waiting", "Directives under way now, by status.", status=_STATUS),
    _gauge(
        "oldest_waiting_seconds",
        "How long the first of them has had its status; 0 for none.",
        status=_STATUS,
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
        reason=_one_of(words_of(PolicyFault)),
    ),
    _gauge(
        "overview_timestamp_seconds",
        "When the gauges about the database were read, in Unix time.",
    ),
    _counter(
        "rows_unreadable_total",
        "Rows of the database that hold what no reader can, each time that one was met.",
        table=_one_of(words_of(TableName)),
    ),
    _counter(
        "memory_reads_total",
        "Reads of memory.",
        query=FirstNames,
        outcome=_one_of(words_of(ReadOutcome)),
    ),
)
"""Every metric. `telemetry_lost_total` by reason comes along by itself."""
