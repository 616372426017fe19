"""All SQL of what language models cost runs, read from the evidence of their calls."""

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from remit.budget.costs import ModelCosts


def model_costs(connection: sa.Connection, run_ids: Collection[UUID]) -> dict[UUID, ModelCosts]:
    """Return what models cost runs; those that asked none are left out.

    Without runs nothing is asked of the database.
    """
    if not run_ids:
        return {}
    rows = connection.execute(_COSTS, {"runs": list(run_ids)})
    return {row.run_id: ModelCosts(Decimal(row.known), row.unknown) for row in rows}


def final_model_costs(
    connection: sa.Connection, run_ids: Collection[UUID]
) -> dict[UUID, ModelCosts]:
    """Return what models cost runs that end in this transaction: no call joins them any more.

    It holds their directives' rows, and so waits for a call that is being recorded; one that comes
    later finds that its directive does not execute.
    """
    if not run_ids:
        return {}
    # A statement of its own: the sums must see what was committed while this one waited.
    connection.execute(_HOLD, {"runs": list(run_ids)})
    return model_costs(connection, run_ids)


_HOLD = sa.text("""
    SELECT directive.id FROM directives AS directive
    JOIN execution_runs AS run ON run.directive_id = directive.id
    WHERE run.id = ANY(CAST(:runs AS uuid[]))
    ORDER BY directive.id
    FOR NO KEY UPDATE OF directive
""")

# By the directive, which has an index. A cost of another form was not written by Remit: unknown.
_COSTS = sa.text("""
    SELECT used.run_id, coalesce(sum(one.cost), 0) AS known, bool_or(one.cost IS NULL) AS unknown
    FROM artifacts AS used
    CROSS JOIN LATERAL (
        SELECT CASE WHEN used.metadata ->> 'estimated_cost_usd' ~ '^[0-9]{1,9}(\\.[0-9]{1,12})?$'
            THEN CAST(used.metadata ->> 'estimated_cost_usd' AS numeric) END AS cost
    ) AS one
    WHERE used.type = 'llm_usage' AND used.run_id = ANY(CAST(:runs AS uuid[]))
        AND used.directive_id IN (
            SELECT directive_id FROM execution_runs WHERE id = ANY(CAST(:runs AS uuid[]))
        )
    GROUP BY used.run_id
""")
