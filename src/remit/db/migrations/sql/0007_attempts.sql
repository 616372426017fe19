-- Attempts are begun by whoever may still end them, a doubt is said when it arises, and what a run
-- cost that nothing was promised to is an entry, too.

-- A worker that lives may still end what it began: nobody begins the run again meanwhile.
CREATE FUNCTION remit_check_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.execution_attempts AS earlier
        JOIN public.workers AS worker ON worker.id OPERATOR(pg_catalog.=) earlier.worker_id
        WHERE earlier.run_id OPERATOR(pg_catalog.=) NEW.run_id
            AND earlier.ended_at IS NULL
            AND earlier.worker_id OPERATOR(pg_catalog.<>) NEW.worker_id
            AND worker.ended_at IS NULL
            AND worker.lease_until OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
            MESSAGE = 'an attempt begins when no worker that lives is at an earlier one';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER remit_attempt_alone BEFORE INSERT ON execution_attempts FOR EACH ROW
    WHEN (NEW.attempt > 1)
    EXECUTE FUNCTION remit_check_attempt();

CREATE TRIGGER remit_attempt_begins BEFORE INSERT ON execution_attempts FOR EACH ROW
    WHEN (NEW.ended_at IS NOT NULL OR NEW.started_at <> now())
    EXECUTE FUNCTION remit_refuse('an attempt begins now, and ends later');

-- Judged when the transaction commits, as the event of a status is.
CREATE FUNCTION remit_require_doubt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.events AS event
        WHERE event.directive_id OPERATOR(pg_catalog.=) NEW.id
            AND event.type OPERATOR(pg_catalog.=) 'directive.in_doubt'
            AND event.occurred_at OPERATOR(pg_catalog.>=) pg_catalog.transaction_timestamp()
    ) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a directive may not be in doubt without the event that says so';
END
$$;

CREATE CONSTRAINT TRIGGER remit_directive_doubt_said AFTER UPDATE ON directives
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status = NEW.status AND OLD.status_reason IS DISTINCT FROM NEW.status_reason)
    EXECUTE FUNCTION remit_require_doubt();

-- What was spent of no promise stands on an account of its own, one for each month. No limit has
-- its name: a limit's holds no space.
CREATE FUNCTION remit_open_unpromised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.kind <> 'settle' OR NEW.amount = 'NaN'
        OR NEW.period_start <> date_trunc('month', now(), 'UTC')
        OR EXISTS (SELECT FROM budget_entries WHERE grant_id = NEW.grant_id AND kind = 'reserve')
        OR NOT EXISTS (
            SELECT FROM execution_runs
            WHERE grant_id = NEW.grant_id AND directive_id = NEW.directive_id
        )
    THEN
        RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
            MESSAGE = 'an entry of what was not promised is of a run that nothing was promised to';
    END IF;
    INSERT INTO budget_accounts (account, period_start)
        VALUES (NEW.account, NEW.period_start) ON CONFLICT DO NOTHING;
    RETURN NEW;
END
$$;
REVOKE ALL ON FUNCTION remit_open_unpromised() FROM PUBLIC;

CREATE TRIGGER remit_open_unpromised BEFORE INSERT ON budget_entries FOR EACH ROW
    WHEN (NEW.account = 'not promised')
    EXECUTE FUNCTION remit_open_unpromised();

CREATE FUNCTION remit_keep_unpromised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE budget_accounts SET settled = settled + NEW.amount
        WHERE account = NEW.account AND period_start = NEW.period_start;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION remit_keep_unpromised() FROM PUBLIC;

CREATE TRIGGER remit_keep_unpromised AFTER INSERT ON budget_entries FOR EACH ROW
    WHEN (NEW.account = 'not promised')
    EXECUTE FUNCTION remit_keep_unpromised();

DROP TRIGGER remit_keep_budget ON budget_entries;
CREATE TRIGGER remit_keep_budget AFTER INSERT ON budget_entries FOR EACH ROW
    WHEN (NEW.account <> 'not promised')
    EXECUTE FUNCTION remit_keep_budget();
