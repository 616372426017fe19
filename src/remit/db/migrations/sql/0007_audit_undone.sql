DROP TRIGGER remit_module_announced ON modules;
GRANT INSERT ON agent_roles, budget_entries, modules, execution_runs TO remit_app;
