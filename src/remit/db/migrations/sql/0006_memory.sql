-- What a memory must cite, what is kept as it is, who may see and add what, and one index a model.

CREATE FUNCTION remit_check_memory() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.digest <> 'sha256:' || encode(sha256(convert_to(NEW.content, 'UTF8')), 'hex') THEN
        RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
            MESSAGE = 'the digest of a memory is that of its content';
    END IF;
    IF NEW.run_id IS NULL AND EXISTS (
        SELECT FROM principals
        WHERE name = NEW.created_by AND kind = 'human' AND disabled_at IS NULL AND roles ? 'admin'
    ) OR EXISTS (
        SELECT FROM execution_runs
        WHERE id = NEW.run_id AND directive_id = NEW.directive_id AND status = 'completed'
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'RM001', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME,
        MESSAGE = 'a memory cites the completed run that it comes from, or an admin wrote it';
END
$$;

CREATE TRIGGER remit_memory_cited BEFORE INSERT ON memories FOR EACH ROW
    EXECUTE FUNCTION remit_check_memory();

-- A memory may have to be forgotten: its owner can remove the row, and the log keeps the digest.
DO $$
DECLARE
    named text;
BEGIN
    FOREACH named IN ARRAY ARRAY['memories', 'memory_embeddings', 'memory_reads'] LOOP
        EXECUTE format(
            'CREATE TRIGGER remit_%s_unchanged BEFORE UPDATE ON %I FOR EACH STATEMENT '
            'EXECUTE FUNCTION remit_refuse(''evidence is never changed'')', named, named);
    END LOOP;
END
$$;

CREATE TRIGGER remit_memory_reads_kept BEFORE DELETE OR TRUNCATE ON memory_reads FOR EACH STATEMENT
    EXECUTE FUNCTION remit_refuse('what governs and what happened is never removed');

-- Called before the first embedding of a model is stored, in a transaction of its own: it waits for
-- those who write embeddings at the moment. Each index costs every insert of its model some
-- milliseconds and nothing else; the bound keeps a service from making them without end. Distances
-- of half-precision copies are told apart better by L2 than by cosine, and of vectors of length 1
-- both give one order. What the graph does not lead to, the coarse embeddings do.
CREATE FUNCTION remit_index_model(wanted text) RETURNS boolean
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
REVOKE ALL ON FUNCTION remit_index_model(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION remit_index_model(text) TO remit_app;

-- When a memory or a read was, is the database's to say.
REVOKE INSERT ON memories, memory_embeddings FROM remit_app;
GRANT INSERT (id, scope, content, digest, directive_id, run_id, created_by) ON memories TO remit_app;
GRANT INSERT (memory_id, model, embedding) ON memory_embeddings TO remit_app;
GRANT SELECT ON memory_reads TO remit_app;
GRANT INSERT (principal, reader, query, asked, outcome, result_count) ON memory_reads TO remit_app;

-- A reader of memory sees what its four questions need, and no payload, evidence or content.
REVOKE SELECT ON directives, execution_runs, artifacts FROM remit_reader;
GRANT SELECT (id, role, type, objective, status, created_at) ON directives TO remit_reader;
GRANT SELECT (id, directive_id, module, status, created_at, started_at, ended_at)
    ON execution_runs TO remit_reader;
GRANT SELECT (id, type, uri, directive_id, run_id, digest, size_bytes, created_at)
    ON artifacts TO remit_reader;

-- ALWAYS: session_replication_role = replica skips ordinary triggers.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgname ^@ 'remit_memor'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', found.place, found.tgname);
    END LOOP;
END
$$;
