"""Budgets keep their ceilings: only these two functions ever write `budget_accounts`.

Both act with the rights of whoever migrates, so a service needs no right but SELECT on the
accounts: it inserts entries, and may execute `remit_lock_budgets` once that is granted to it.
Nobody may by default, since a role that could put the trigger's function on a table of its own
would change sums with it.

A migration is frozen once released: it spells everything out and imports nothing of Remit.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Rows are locked in one order, so that two who want the same ones wait and never deadlock. The
# second statement sees what others committed while the first waited; one statement would not.
# An entry's foreign key takes KEY SHARE, which NO KEY UPDATE lets pass.
LOCK = """
CREATE FUNCTION remit_lock_budgets(accounts text[], periods text[])
RETURNS TABLE (account text, period_start timestamptz, committed numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO budget_accounts (account, period_start)
        SELECT DISTINCT wanted.account, date_trunc(wanted.period, now(), 'UTC')
        FROM unnest(accounts, periods) AS wanted (account, period)
        ORDER BY 1, 2
        ON CONFLICT DO NOTHING;
    RETURN QUERY
        SELECT held.account, held.period_start, held.reserved + held.settled
        FROM unnest(accounts, periods) AS wanted (account, period)
        JOIN budget_accounts AS held ON held.account = wanted.account
            AND held.period_start = date_trunc(wanted.period, now(), 'UTC')
        ORDER BY 1, 2
        FOR NO KEY UPDATE OF held;
END
$$
"""

# The condition on the sums stands in the UPDATE itself: Postgres judges it again on the newest row
# after any wait, so no two spenders pass a ceiling together, whether or not they locked first.
# AFTER INSERT: an entry that ON CONFLICT leaves out must not move a sum.
KEEP = """
CREATE FUNCTION remit_keep_budget() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    promised numeric;
BEGIN
    -- NaN passes every "at least", and would make a sum one that no ceiling can judge.
    IF NEW.amount = 'NaN' OR NEW.ceiling = 'NaN' THEN
        RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME,
            CONSTRAINT = TG_NAME, MESSAGE = 'an entry of the budget is no amount';
    END IF;
    IF NEW.kind = 'reserve' THEN
        IF NOT EXISTS (
            SELECT FROM grants WHERE id = NEW.grant_id AND directive_id = NEW.directive_id
                AND budget = NEW.amount
        ) THEN
            RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME,
                CONSTRAINT = TG_NAME, MESSAGE = 'a reservation is not the budget of its grant';
        END IF;
        UPDATE budget_accounts SET reserved = reserved + NEW.amount
            WHERE account = NEW.account AND period_start = NEW.period_start
                AND (NEW.ceiling IS NULL OR reserved + settled + NEW.amount <= NEW.ceiling);
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME,
                CONSTRAINT = TG_NAME, MESSAGE = 'a reservation would pass the ceiling of its account';
        END IF;
        RETURN NULL;
    END IF;
    SELECT amount INTO promised FROM budget_entries
        WHERE grant_id = NEW.grant_id AND account = NEW.account AND kind = 'reserve'
            AND directive_id = NEW.directive_id AND period_start = NEW.period_start;
    IF NOT FOUND OR (NEW.kind = 'release' AND NEW.amount <> promised) THEN
        RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME,
            CONSTRAINT = TG_NAME, MESSAGE = 'an entry closes no reservation';
    END IF;
    UPDATE budget_accounts SET reserved = reserved - promised,
            settled = settled + CASE NEW.kind WHEN 'settle' THEN NEW.amount ELSE 0 END
        WHERE account = NEW.account AND period_start = NEW.period_start;
    RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER remit_keep_budget AFTER INSERT ON budget_entries
    FOR EACH ROW EXECUTE FUNCTION remit_keep_budget()
"""
FUNCTIONS = ("remit_lock_budgets(text[], text[])", "remit_keep_budget()")


def upgrade() -> None:
    """Make the function that locks accounts, and the trigger that keeps their sums."""
    op.execute(LOCK)
    op.execute(KEEP)
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(TRIGGER)
    # ALWAYS: session_replication_role = replica skips ordinary triggers.
    op.execute("ALTER TABLE budget_entries ENABLE ALWAYS TRIGGER remit_keep_budget")


def downgrade() -> None:
    """Remove the trigger and both functions; the sums stay as they are."""
    op.execute("DROP TRIGGER remit_keep_budget ON budget_entries")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
