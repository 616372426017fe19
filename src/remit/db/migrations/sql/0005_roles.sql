-- Four roles, and what each may do. Roles belong to the whole cluster, so another database's
-- migration may have made them, or be making them at this very moment.

DO $$
DECLARE
    modern constant boolean := current_setting('server_version_num')::integer >= 160000;
    wanted text;
    gift text;
    missing text[] := '{}';
BEGIN
    FOREACH wanted IN ARRAY ARRAY['remit_owner', 'remit_app', 'remit_reader', 'remit_module'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- made meanwhile, for another database
            WHEN insufficient_privilege THEN
                missing := missing || format('CREATE ROLE %I NOLOGIN;', wanted);
        END;
    END LOOP;
    -- Whoever migrates may act as the others: to grant what modules make, and so that one login
    -- can serve a small installation. A creator is no member by itself from Postgres 16 on.
    FOREACH wanted IN ARRAY ARRAY['remit_app', 'remit_reader', 'remit_module'] LOOP
        gift := format('GRANT %I TO %I', wanted, current_user)
            || CASE WHEN modern THEN ' WITH INHERIT TRUE, SET TRUE;' ELSE ';' END;
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                missing := missing || gift;
            ELSIF NOT pg_has_role(current_user, wanted, 'USAGE')
                OR NOT pg_has_role(current_user, wanted, CASE WHEN modern THEN 'SET' ELSE 'MEMBER' END)
            THEN
                EXECUTE gift;
            END IF;
        EXCEPTION
            WHEN unique_violation THEN
                NULL; -- granted meanwhile, for another database
            WHEN insufficient_privilege THEN
                missing := missing || gift;
        END;
    END LOOP;
    IF missing <> '{}' THEN
        RAISE insufficient_privilege USING MESSAGE = format(
            'the login %I may not make the roles that Remit needs; let an administrator run: %s',
            current_user, array_to_string(missing, ' '));
    END IF;
END
$$;

-- remit_app: what the services connect as. It reads everything, adds rows, and changes the few
-- columns that a life passes through; it deletes nothing.
GRANT USAGE ON SCHEMA public TO remit_app, remit_reader;
GRANT SELECT ON
    principals, api_tokens, agent_roles, directives, approval_requests, approval_votes, grants,
    budget_accounts, budget_entries, modules, execution_runs, artifacts, events, memories,
    memory_embeddings, alembic_version
    TO remit_app;
GRANT INSERT ON
    principals, api_tokens, agent_roles, directives, approval_requests, approval_votes, grants,
    budget_entries, modules, execution_runs, artifacts, memories, memory_embeddings
    TO remit_app;
-- The position, the time and the hashes of an event are the trigger's to fill.
GRANT INSERT (directive_id, type, actor, data) ON events TO remit_app;
GRANT UPDATE (status, status_reason, action_digest, updated_at) ON directives TO remit_app;
GRANT UPDATE (status, resolved_at) ON approval_requests TO remit_app;
GRANT UPDATE (voided_at, void_reason) ON grants TO remit_app;
GRANT UPDATE (status, attempts, result, error_type, error_message, started_at, ended_at)
    ON execution_runs TO remit_app;
GRANT UPDATE (roles, groups, disabled_at, revision, envelope) ON principals TO remit_app;
GRANT UPDATE (revoked_at) ON api_tokens TO remit_app;
GRANT UPDATE (version, digest, summary, announced_at) ON modules TO remit_app;
GRANT EXECUTE ON FUNCTION remit_lock_budgets(text[], text[]) TO remit_app;

-- remit_reader: what reads memory may see.
GRANT SELECT ON directives, execution_runs, artifacts, memories, memory_embeddings TO remit_reader;

-- remit_module: what a module's engine connects as. No table of Remit's; a schema to make its own
-- in, which the services may read.
CREATE SCHEMA IF NOT EXISTS module_data;
GRANT USAGE, CREATE ON SCHEMA module_data TO remit_module;
GRANT USAGE ON SCHEMA module_data TO remit_app;
ALTER DEFAULT PRIVILEGES FOR ROLE remit_module IN SCHEMA module_data
    GRANT SELECT ON TABLES TO remit_app;
