"""Every panel of the dashboard; metrics are named as in `remit.telemetry.metric_definitions`."""

from collections.abc import Sequence

from scripts.grafana_queries import WORKERS, Panel, Query, rate, reading, risen, spread

ROWS: Sequence[tuple[str, Sequence[Panel]]] = (
    (
        "Directives",
        (
            Panel(
                "Under way now",
                "Directives that are to leave their status again, as the database has them.",
                "short",
                (reading("directives_waiting", "status"),),
                kind="stat",
            ),
            Panel(
                "Waiting longest",
                "How long the first directive of each status has had it. Approved ones wait for "
                "seconds at most, executing ones as long as their modules take.",
                "s",
                (reading("oldest_waiting_seconds", "status"),),
            ),
            Panel(
                "What needs a person",
                "Approvals in their last hour or last quarter, proposed directives that nobody was "
                "asked about, those of which nobody knows whether they were carried out (settle "
                "them with `remit reconcile`), a policy that cannot be used, so that nothing "
                "starts, and chains of the audit log that are broken. All are 0 on a good day; a "
                "broken chain is never an accident of Remit's: run `remit audit verify`.",
                "short",
                (
                    reading("approvals_expiring_soon", name="approvals expiring"),
                    reading("directives_unattended", name="unattended"),
                    reading("directives_in_doubt", name="in doubt"),
                    reading("policy_unusable", name="policy unusable"),
                    reading("audit_chain_broken", name="broken chains"),
                ),
                kind="stat",
                alarming=True,
            ),
            Panel(
                "Directives by status",
                "How many directives came to each status in a second, in the processes that are "
                "scraped.",
                "ops",
                (rate("directives_total", "status"),),
            ),
            Panel(
                "Queue lag",
                "From approved to started. Some 0.1 s when the workers keep up; it rises when they "
                "are too few, and by a sweep when a start was lost.",
                "s",
                spread("queue_lag_seconds"),
            ),
            Panel(
                "Workers",
                "Workers whose lease is good. One that was killed counts for a quarter of a minute "
                "more; with none, nothing that is approved starts.",
                "short",
                (reading("workers_living", name="workers"),),
            ),
            Panel(
                "Approval wait",
                "From the request for approval to its outcome: how long people take.",
                "s",
                spread("approval_wait_seconds"),
            ),
        ),
    ),
    (
        "The gate",
        (
            Panel(
                "Verdicts",
                "Decisions of the gate in a second.",
                "ops",
                (rate("policy_evaluations_total", "verdict"),),
                stacked=True,
            ),
            Panel(
                "Why the gate said no, or asked",
                "Policies that blocked a directive, or asked for a person, within the time shown. "
                "A directive that several policies object to counts for each of them; "
                "`remit explain ID` has the reasons of one, in words.",
                "short",
                (risen("policy_results_total", "policy", "verdict"),),
                kind="stat",
            ),
            Panel(
                "Time for a decision",
                "How long one decision of the gate takes, its transaction included.",
                "s",
                spread("policy_evaluation_duration_seconds"),
            ),
            Panel(
                "Grants voided, by reason",
                "Grants that no run may use any more, within the time shown. One that is "
                "approval_unverifiable was signed by no key that is trusted: look into it.",
                "short",
                (risen("grants_voided_total", "reason"),),
                kind="stat",
            ),
        ),
    ),
    (
        "Execution",
        (
            Panel(
                "Execution duration, by type",
                "From the start of a run to its end.",
                "s",
                spread("execution_duration_seconds", "directive_type"),
            ),
            Panel(
                "Failures, by type",
                "Runs that did not succeed in a second, by why.",
                "ops",
                (rate("execution_failures_total", "failure_type"),),
                stacked=True,
            ),
            Panel(
                "Modules",
                "Calls of modules that ended in a second, retries included.",
                "ops",
                (rate("module_executions_total", "module_name", "status"),),
            ),
        ),
    ),
    (
        "Money, models and memory",
        (
            Panel(
                "Budget",
                "Dollars that were set aside for directives and that they turned out to have cost, "
                "within the time shown.",
                "currencyUSD",
                (
                    risen("budget_reserved_dollars_total", name="reserved"),
                    risen("budget_settled_dollars_total", name="settled"),
                ),
                kind="stat",
            ),
            Panel(
                "Cost of models",
                "Estimated dollars within the time shown, where a price is known.",
                "currencyUSD",
                (
                    risen("llm_cost_dollars_total", name="language models"),
                    risen("embedding_cost_dollars_total", name="embeddings"),
                ),
                kind="stat",
            ),
            Panel(
                "Calls of language models",
                "Calls in a second, by provider and by how they ended.",
                "ops",
                (rate("llm_calls_total", "provider", "status"),),
            ),
            Panel(
                "Tokens",
                "Tokens that language models took in and gave, in a second.",
                "ops",
                (rate("llm_tokens_total", "kind"),),
            ),
            Panel(
                "Texts embedded",
                "Texts that were turned into vectors in a second, by model.",
                "ops",
                (rate("embedding_texts_total", "model"),),
            ),
            Panel(
                "Reads of memory",
                "Questions that memory was asked in a second, and whether it answered.",
                "ops",
                (rate("memory_reads_total", "query", "outcome"),),
            ),
            Panel(
                "Rows that cannot be read",
                "How often a row was met that holds what no reader can, in a second, by table.",
                "ops",
                (rate("rows_unreadable_total", "table"),),
            ),
        ),
    ),
    (
        "Workers",
        (
            Panel(
                "Workers up",
                "Whether Prometheus reaches each worker: 1 if it does.",
                "short",
                (Query(f"up{{{WORKERS}}}", "{{instance}}"),),
                kind="stat",
            ),
            Panel(
                "Task slots left",
                "Tasks that a worker could take besides those it has. At 0 it is full: directives "
                "wait until a slot is free, and another worker would help.",
                "short",
                (
                    Query(
                        "min by (task_queue, worker_type) "
                        f"(temporal_worker_task_slots_available{{{WORKERS}}})",
                        "{{task_queue}} {{worker_type}}",
                    ),
                ),
            ),
            Panel(
                "Task slots used",
                "Tasks that the workers have.",
                "short",
                (
                    Query(
                        "sum by (task_queue, worker_type) "
                        f"(temporal_worker_task_slots_used{{{WORKERS}}})",
                        "{{task_queue}} {{worker_type}}",
                    ),
                ),
                stacked=True,
            ),
            Panel(
                "Workflow tasks: from scheduled to started",
                "How long a step of a workflow waits for a worker.",
                "s",
                spread("temporal_workflow_task_schedule_to_start_latency_seconds", "task_queue"),
            ),
            Panel(
                "Activities: from scheduled to started",
                "How long a long module waits for a worker.",
                "s",
                spread("temporal_activity_schedule_to_start_latency_seconds", "task_queue"),
            ),
            Panel(
                "Telemetry lost",
                "Spans, samples and log lines that were dropped in a second so that the work went "
                "on, by why.",
                "ops",
                (rate("telemetry_lost_total", "reason"),),
            ),
        ),
    ),
)
"""Every panel, under the heading that it has on the dashboard."""
