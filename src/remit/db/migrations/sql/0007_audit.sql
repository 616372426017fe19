-- When a row was made is the database's to say: an audit takes rows of before the installation had
-- an identity as they are, so none may be made to look like one.
REVOKE INSERT ON agent_roles, budget_entries, modules, execution_runs FROM remit_app;
GRANT INSERT (role_name, current_impl, status, last_review) ON agent_roles TO remit_app;
GRANT INSERT (account, period_start, directive_id, grant_id, kind, amount, ceiling)
    ON budget_entries TO remit_app;
GRANT INSERT (name, version, digest, summary, announced_by) ON modules TO remit_app;
GRANT INSERT (
    id, directive_id, grant_id, module, module_version, status, idempotency_key, attempts, result,
    error_type, error_message, envelope, started_at, ended_at
) ON execution_runs TO remit_app;

CREATE TRIGGER remit_module_announced BEFORE UPDATE OF announced_at ON modules FOR EACH ROW
    WHEN (NEW.announced_at <> now())
    EXECUTE FUNCTION remit_refuse('a module is announced now');
