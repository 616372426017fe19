-- The functions as they were before 0007_locks.sql.

CREATE OR REPLACE FUNCTION remit_check_run() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE OR REPLACE FUNCTION remit_check_vote_open() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM approval_requests
        WHERE id = NEW.request_id AND status = 'pending' AND expires_at > now()
            AND action_digest = NEW.action_digest
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a vote answers a request that is pending, not expired, and asks about this action';
END
$$;

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

CREATE OR REPLACE FUNCTION remit_index_model(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    named constant text := 'ix_memory_embeddings_of_'
        || left(encode(sha256(convert_to(wanted, 'UTF8')), 'hex'), 16);
BEGIN
    IF to_regclass('public.' || named) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(7239113408);
    -- Made while we waited? A look at the rows: to_regclass still remembers that there was none.
    IF EXISTS (
        SELECT FROM pg_class WHERE relname = named AND relnamespace = 'public'::regnamespace
    ) THEN
        RETURN false;
    END IF;
    IF length(wanted) NOT BETWEEN 1 AND 200 OR (
        SELECT count(*) FROM pg_index
        WHERE indrelid = 'public.memory_embeddings'::regclass AND indpred IS NOT NULL
    ) >= 16 THEN
        RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = 'memory_embeddings',
            CONSTRAINT = 'remit_index_model',
            MESSAGE = 'embeddings are of at most 16 models, each with a name of 1 to 200 characters';
    END IF;
    EXECUTE format(
        'CREATE INDEX %I ON public.memory_embeddings '
        'USING hnsw ((l2_normalize(embedding)::halfvec(1536)) halfvec_l2_ops) '
        'WITH (m = 16, ef_construction = 200) WHERE model = %L', named, wanted);
    RETURN true;
END
$$;

DROP FUNCTION remit_lock_installation();
