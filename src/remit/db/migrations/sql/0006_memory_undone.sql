-- The rules, the indexes of models and the rights of 0006 are taken back.

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgname ^@ 'remit_memor'
    LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.place);
    END LOOP;
    FOR found IN
        SELECT indexrelid::regclass AS place FROM pg_index
        WHERE indrelid = 'memory_embeddings'::regclass AND indpred IS NOT NULL
    LOOP
        EXECUTE format('DROP INDEX %s', found.place);
    END LOOP;
END
$$;
DROP FUNCTION remit_check_memory();
DROP FUNCTION remit_index_model(text);

REVOKE INSERT (id, scope, content, digest, directive_id, run_id, created_by) ON memories FROM remit_app;
REVOKE INSERT (memory_id, model, embedding) ON memory_embeddings FROM remit_app;
GRANT INSERT ON memories, memory_embeddings TO remit_app;
REVOKE SELECT (id, role, type, objective, status, created_at) ON directives FROM remit_reader;
REVOKE SELECT (id, directive_id, module, status, created_at, started_at, ended_at)
    ON execution_runs FROM remit_reader;
REVOKE SELECT (id, type, uri, directive_id, run_id, digest, size_bytes, created_at)
    ON artifacts FROM remit_reader;
GRANT SELECT ON directives, execution_runs, artifacts TO remit_reader;
