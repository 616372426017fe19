"""A module whose effects can be counted, to show that one effect stays one.

The tour gives it to its worker as `remit.tour.ledger:LedgerModule`. Its two tables are its own, in
the schema of the modules: it makes them through the engine that it is handed, as any module's
author would. The tour reads them as a service.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.schema import CreateTable

from remit.execution.modules.base import BaseExecutionModule, EmitArtifact
from remit.execution.modules.types import ModuleInput, ModuleOutput
from remit.vocabulary import ModuleKind

MAX_HOLD_SECONDS = 300.0
"""Longest time that the module may be told to hold."""

_NAP_SECONDS = 0.05

_metadata = sa.MetaData(schema="module_data")

tour_ledger = sa.Table(
    "tour_ledger",
    _metadata,
    sa.Column("idempotency_key", sa.Text, primary_key=True),
    sa.Column("directive_id", sa.Uuid, nullable=False, index=True),
    sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
)

tour_ledger_attempts = sa.Table(
    "tour_ledger_attempts",
    _metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    sa.Column("directive_id", sa.Uuid, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("worker_pid", sa.Integer, nullable=False),
    sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
)


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ledger holds for one directive: its attempts' workers in order, and effects."""

    worker_pids: tuple[int, ...]
    effects: int


class LedgerModule(BaseExecutionModule):
    """Writes one row into a ledger of its own, then holds: payload {"hold_seconds": number}.

    An attempt that finds the row of its key writes no other and does not hold again.
    """

    name = "ledger"
    kind: ClassVar[ModuleKind] = "long"
    default_timeout: ClassVar[timedelta] = timedelta(seconds=MAX_HOLD_SECONDS + 10)

    def execute(
        self, module_input: ModuleInput, engine: sa.Engine, emit_artifact: EmitArtifact
    ) -> ModuleOutput:
        """Record the attempt, take effect unless an earlier one did, hold, report."""
        hold = module_input.payload.get("hold_seconds", 0)
        if (
            not isinstance(hold, int | float)
            or isinstance(hold, bool)
            or not 0 <= hold <= MAX_HOLD_SECONDS
        ):
            return ModuleOutput.error_(
                f"payload.hold_seconds: must be a number from 0 to {MAX_HOLD_SECONDS:g}",
                error_type="invalid_input",
            )
        _make_tables(engine)
        if _take_effect(engine, module_input):
            _hold(hold)
        key = module_input.idempotency_key
        emit_artifact(
            "module_output",
            {"module": self.name, "effect": key, "attempt": module_input.attempt},
        )
        return ModuleOutput.success({"effect": key})


def read_ledger(engine: sa.Engine, directive_id: UUID) -> Ledger:
    """Return what the ledger holds for one directive; nothing when the module never ran."""
    with engine.begin() as connection:
        if connection.execute(_EXISTS).scalar_one() is None:
            return Ledger((), 0)
        attempts = sa.select(tour_ledger_attempts.c.worker_pid).where(
            tour_ledger_attempts.c.directive_id == directive_id
        )
        effects = sa.select(sa.func.count()).where(tour_ledger.c.directive_id == directive_id)
        return Ledger(
            worker_pids=tuple(
                connection.execute(attempts.order_by(tour_ledger_attempts.c.id)).scalars()
            ),
            effects=connection.execute(effects).scalar_one(),
        )


# The table that is made last: when it is there, both are.
_EXISTS = sa.select(sa.func.to_regclass(tour_ledger_attempts.fullname))


def _make_tables(engine: sa.Engine) -> None:
    for table in (tour_ledger, tour_ledger_attempts):
        # Two sessions that make the same table at once may both find it missing, and one then
        # fails, whatever IF NOT EXISTS says: the other one's table is as good.
        with suppress(IntegrityError, ProgrammingError), engine.begin() as connection:
            connection.execute(CreateTable(table, if_not_exists=True))


def _take_effect(engine: sa.Engine, module_input: ModuleInput) -> bool:
    """Record an attempt and write its effect; return False when the effect was there already."""
    key, directive_id = module_input.idempotency_key, module_input.directive_id
    with engine.begin() as connection:
        connection.execute(
            sa.insert(tour_ledger_attempts).values(
                idempotency_key=key,
                directive_id=directive_id,
                attempt=module_input.attempt,
                worker_pid=os.getpid(),
            )
        )
        written = connection.execute(
            insert(tour_ledger)
            .values(idempotency_key=key, directive_id=directive_id)
            .on_conflict_do_nothing(index_elements=["idempotency_key"])
            .returning(tour_ledger.c.idempotency_key)
        )
        return written.first() is not None


def _hold(seconds: float) -> None:
    """Do nothing for a while, in short naps, so that a killed worker dies at once."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        time.sleep(min(_NAP_SECONDS, left))
