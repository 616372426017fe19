-- Runs, identity, and what is kept for good.

CREATE TRIGGER remit_run_begins BEFORE INSERT ON execution_runs FOR EACH ROW
    WHEN (NEW.status NOT IN ('pending', 'running'))
    EXECUTE FUNCTION remit_refuse('a run begins as pending or running');

-- The lock waits for whoever is stopping the directive at this moment.
CREATE FUNCTION remit_check_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM public.directives AS directive
        JOIN public.grants AS consent
            ON consent.directive_id OPERATOR(pg_catalog.=) directive.id
            AND consent.action_digest OPERATOR(pg_catalog.=) directive.action_digest
        WHERE directive.id OPERATOR(pg_catalog.=) NEW.directive_id
            AND directive.status OPERATOR(pg_catalog.=) 'executing'
            AND consent.id OPERATOR(pg_catalog.=) NEW.grant_id
            AND consent.module OPERATOR(pg_catalog.=) NEW.module
            AND consent.voided_at IS NULL
            AND consent.expires_at OPERATOR(pg_catalog.>) pg_catalog.now()
        FOR SHARE OF directive;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a run needs a live grant of its directive, which is executing';
END
$$;

CREATE TRIGGER remit_run_granted BEFORE INSERT ON execution_runs FOR EACH ROW
    EXECUTE FUNCTION remit_check_run();

CREATE TRIGGER remit_run_status BEFORE UPDATE ON execution_runs FOR EACH ROW
    WHEN (OLD.status <> NEW.status AND OLD.status || ' to ' || NEW.status <> ALL (ARRAY[
        'pending to running', 'pending to failed', 'pending to canceled', 'running to completed',
        'running to failed', 'running to canceled'
    ]))
    EXECUTE FUNCTION remit_refuse('a run may not go from this status to that one');

CREATE TRIGGER remit_run_frozen
    BEFORE UPDATE OF id, directive_id, grant_id, module, module_version, idempotency_key, created_at
    ON execution_runs FOR EACH ROW
    WHEN (
        (
            OLD.id, OLD.directive_id, OLD.grant_id, OLD.module, OLD.module_version,
            OLD.idempotency_key, OLD.created_at
        )::record *<> (
            NEW.id, NEW.directive_id, NEW.grant_id, NEW.module, NEW.module_version,
            NEW.idempotency_key, NEW.created_at
        )::record
    )
    EXECUTE FUNCTION remit_refuse('what a run executes is frozen');

-- Else a run that kills its worker would be begun for ever.
CREATE TRIGGER remit_run_attempts BEFORE UPDATE OF attempts ON execution_runs FOR EACH ROW
    WHEN (NEW.attempts < OLD.attempts)
    EXECUTE FUNCTION remit_refuse('the attempts of a run are never fewer than they were');

CREATE TRIGGER remit_run_result BEFORE UPDATE ON execution_runs FOR EACH ROW
    WHEN (
        OLD.status IN ('completed', 'failed', 'canceled') AND OLD.status = NEW.status
        AND OLD *<> NEW
    )
    EXECUTE FUNCTION remit_refuse('a run that has ended is frozen');

-- Identity --------------------------------------------------------------------------------------

CREATE TRIGGER remit_principal_frozen BEFORE UPDATE ON principals FOR EACH ROW
    WHEN (
        (OLD.name, OLD.kind, OLD.acts_for, OLD.created_by, OLD.created_at)::record
            *<> (NEW.name, NEW.kind, NEW.acts_for, NEW.created_by, NEW.created_at)::record
    )
    EXECUTE FUNCTION remit_refuse('who a principal is, is frozen');

-- An older signature of the same principal is never good again.
CREATE TRIGGER remit_principal_revised
    BEFORE UPDATE OF roles, groups, revision, envelope ON principals FOR EACH ROW
    WHEN (
        (OLD.roles, OLD.groups, OLD.revision, OLD.envelope)::record
            *<> (NEW.roles, NEW.groups, NEW.revision, NEW.envelope)::record
        AND NEW.revision <> OLD.revision + 1
    )
    EXECUTE FUNCTION remit_refuse('what a principal is trusted with has one revision after another');

CREATE TRIGGER remit_principal_ended BEFORE UPDATE OF disabled_at ON principals FOR EACH ROW
    WHEN (OLD.disabled_at <> COALESCE(NEW.disabled_at, 'infinity'))
    EXECUTE FUNCTION remit_refuse('whoever was shut out stays out');

CREATE TRIGGER remit_token_frozen BEFORE UPDATE ON api_tokens FOR EACH ROW
    WHEN (
        to_jsonb(OLD) - 'revoked_at' <> to_jsonb(NEW) - 'revoked_at'
        OR OLD.revoked_at <> COALESCE(NEW.revoked_at, 'infinity')
    )
    EXECUTE FUNCTION remit_refuse('a token may only be revoked, once and for good');

-- What is kept for good ---------------------------------------------------------------------------

DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['artifacts', 'approval_votes', 'events', 'budget_entries'] LOOP
        EXECUTE format(
            'CREATE TRIGGER remit_%s_unchanged BEFORE UPDATE ON %I FOR EACH STATEMENT '
            'EXECUTE FUNCTION remit_refuse(''evidence is never changed'')', named, named);
    END LOOP;
    FOREACH named IN ARRAY ARRAY[
        'principals', 'api_tokens', 'directives', 'approval_requests', 'approval_votes', 'grants',
        'budget_accounts', 'budget_entries', 'modules', 'execution_runs', 'artifacts', 'events'
    ] LOOP
        EXECUTE format(
            'CREATE TRIGGER remit_%s_kept BEFORE DELETE OR TRUNCATE ON %I FOR EACH STATEMENT '
            'EXECUTE FUNCTION remit_refuse(''what governs and what happened is never removed'')',
            named, named);
    END LOOP;
END
$$;

-- The chain of events, as it was, but at the mercy of no search_path.
CREATE OR REPLACE FUNCTION remit_chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head record;
BEGIN
    IF NEW.directive_id OPERATOR(pg_catalog.=) '00000000-0000-0000-0000-000000000000' THEN
        PERFORM pg_catalog.pg_advisory_xact_lock(7239113407);
    END IF;
    SELECT event.seq, event.hash INTO head FROM public.events AS event
        WHERE event.directive_id OPERATOR(pg_catalog.=) NEW.directive_id
        ORDER BY event.seq DESC LIMIT 1;
    NEW.seq := coalesce(head.seq, 0) OPERATOR(pg_catalog.+) 1;
    NEW.prev_hash := coalesce(head.hash, 'genesis');
    NEW.occurred_at := pg_catalog.clock_timestamp();
    NEW.hash := pg_catalog.concat('sha256:', pg_catalog.encode(pg_catalog.sha256(
        pg_catalog.convert_to(pg_catalog.jsonb_build_array(
            NEW.prev_hash, NEW.directive_id, NEW.seq, NEW.type, NEW.actor,
            pg_catalog.to_char(
                NEW.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
            ),
            NEW.data
        )::pg_catalog.text, 'UTF8')), 'hex'));
    RETURN NEW;
END
$$;

-- ALWAYS: session_replication_role = replica skips ordinary triggers.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgname ^@ 'remit_'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', found.place, found.tgname);
    END LOOP;
END
$$;
