"""Four roles with few rights each, and triggers that refuse what the lifecycles do not allow.

Works without superuser: whoever migrates owns the tables and may create roles, or an administrator
has made the roles before. `remit_owner` gets nothing here, since an owner needs no right; it is
the login that migrates where, as in the embedded stack, no other one does.

The statements stand in `sql/`, as a database administrator would read them. A migration is frozen
once released: it spells everything out and imports nothing of Remit.
"""

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"


def upgrade() -> None:
    """Make the roles, give them their rights, and put the rules in force."""
    _execute("0005_roles.sql")
    _execute("0005_rules_directives.sql")
    _execute("0005_rules_consent.sql")
    _execute("0005_rules_runs_and_evidence.sql")


def downgrade() -> None:
    """Lift the rules and take the rights back; the roles stay, and so do modules' tables."""
    _execute("0005_rules_undone.sql")
    _execute("0005_roles_undone.sql")


def _execute(name: str) -> None:
    # Without parameters, so that the file may hold many statements, and percent signs.
    text = (SQL / name).read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(text, execution_options={"no_parameters": True})
