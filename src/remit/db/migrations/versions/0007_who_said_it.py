"""What is said is signed by whoever says it, for one installation; attempts and workers have rows.

The installation gets an identity, and the moment from which every statement must name it. Services
may no longer write the times of rows, so that nothing can be made to look older than that moment. Several versions of one module may
stand announced.

The statements stand in `sql/`, each file with its `_undone` twin. A migration is frozen once
released: it spells everything out and imports nothing of Remit.
"""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
PARTS = (
    *("tables", "locks", "workers", "identity", "consent", "attempts", "audit"),
    "values",  # the last: it looks at every column that there is
)


def upgrade() -> None:
    """Make the tables and columns, then give rights and put rules in force, part by part."""
    for part in PARTS:
        _execute(f"0007_{part}.sql")
    _execute("0007_always.sql")


def downgrade() -> None:
    """Take all of it back; statements, attempts and announcements are lost with their columns."""
    for part in reversed(PARTS):
        _execute(f"0007_{part}_undone.sql")


def _execute(name: str) -> None:
    # Without parameters, so that the file may hold many statements, and percent signs.
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(text, execution_options={"no_parameters": True})
