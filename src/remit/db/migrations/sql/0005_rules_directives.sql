-- What the database itself refuses, whoever asks. A rule about one row is the WHEN of a trigger,
-- whose operators are fixed here, so that no search_path of a caller's changes what it means. A rule
-- that must look at other rows is a function. One that every directive passes names the schema of
-- all that it uses; the others fix their search_path, which costs about ten microseconds a call.
--
-- Every refusal has SQLSTATE RM001, the trigger's name as its constraint, and a constant message.

CREATE FUNCTION remit_refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'RM001', MESSAGE = TG_ARGV[0],
        SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END
$$;

CREATE TRIGGER remit_directive_begins BEFORE INSERT ON directives FOR EACH ROW
    WHEN (NEW.status NOT IN ('draft', 'proposed'))
    EXECUTE FUNCTION remit_refuse('a directive begins as draft or proposed');

CREATE TRIGGER remit_directive_status BEFORE UPDATE ON directives FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND OLD.status || ' to ' || NEW.status <> ALL (ARRAY[
        'draft to proposed', 'proposed to approved', 'proposed to blocked', 'approved to executing',
        'approved to blocked', 'executing to complete', 'executing to aborted', 'blocked to proposed'
    ]))
    EXECUTE FUNCTION remit_refuse('a directive may not go from this status to that one');

-- Image comparison: equal numbers that are written differently are different content.
CREATE TRIGGER remit_directive_frozen
    BEFORE UPDATE OF id, role, type, payload, issued_by, objective, scope, constraints,
        success_metrics, budget, timebox, idempotency_key, created_at
    ON directives FOR EACH ROW
    WHEN (
        (OLD.id, OLD.created_at)::record *<> (NEW.id, NEW.created_at)::record
        OR (OLD.status <> 'draft' OR NEW.status <> 'draft') AND (
            OLD.role, OLD.type, OLD.payload, OLD.issued_by, OLD.objective, OLD.scope,
            OLD.constraints, OLD.success_metrics, OLD.budget, OLD.timebox, OLD.idempotency_key
        )::record *<> (
            NEW.role, NEW.type, NEW.payload, NEW.issued_by, NEW.objective, NEW.scope,
            NEW.constraints, NEW.success_metrics, NEW.budget, NEW.timebox, NEW.idempotency_key
        )::record
    )
    EXECUTE FUNCTION remit_refuse('the content of a directive is frozen once it is proposed');

CREATE TRIGGER remit_directive_digest BEFORE UPDATE OF action_digest ON directives FOR EACH ROW
    WHEN (OLD.status <> 'draft' AND OLD.action_digest IS DISTINCT FROM NEW.action_digest)
    EXECUTE FUNCTION remit_refuse('the action digest of a directive is frozen once it is proposed');

CREATE TRIGGER remit_directive_reason BEFORE UPDATE OF status_reason ON directives FOR EACH ROW
    WHEN (OLD.status = NEW.status AND OLD.status_reason IS DISTINCT FROM NEW.status_reason)
    EXECUTE FUNCTION remit_refuse('the reason of a status is frozen until the status changes');

-- Judged when the transaction commits, so that status and event may be written in any order.
CREATE FUNCTION remit_require_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said constant pg_catalog.text := CASE
        WHEN NEW.status OPERATOR(pg_catalog.=) 'draft' THEN 'directive.drafted'
        WHEN NEW.status OPERATOR(pg_catalog.=) 'complete' THEN 'directive.completed'
        WHEN NEW.status OPERATOR(pg_catalog.=) 'proposed'
            AND OLD.status OPERATOR(pg_catalog.=) 'blocked' THEN 'directive.retried'
        ELSE pg_catalog.concat('directive.', NEW.status)
    END;
BEGIN
    -- The trigger on events stamps them with the clock, which is past the transaction's start.
    IF EXISTS (
        SELECT FROM public.events AS event
        WHERE event.directive_id OPERATOR(pg_catalog.=) NEW.id
            AND event.type OPERATOR(pg_catalog.=) said
            AND event.occurred_at OPERATOR(pg_catalog.>=) pg_catalog.transaction_timestamp()
    ) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a directive may not get a status without the event that says so';
END
$$;

CREATE CONSTRAINT TRIGGER remit_directive_begin_said AFTER INSERT ON directives
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION remit_require_event();

CREATE CONSTRAINT TRIGGER remit_directive_status_said AFTER UPDATE ON directives
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.status <> NEW.status)
    EXECUTE FUNCTION remit_require_event();
