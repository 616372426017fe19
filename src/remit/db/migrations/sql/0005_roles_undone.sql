-- What the roles could do is taken back. The roles stay: other databases may use them.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM remit_app, remit_reader, remit_module;
REVOKE ALL ON FUNCTION remit_lock_budgets(text[], text[]) FROM remit_app;
REVOKE ALL ON SCHEMA public FROM remit_app, remit_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE remit_module IN SCHEMA module_data
    REVOKE SELECT ON TABLES FROM remit_app;

DO $$
BEGIN
    DROP SCHEMA module_data;
EXCEPTION WHEN dependent_objects_still_exist THEN
    NULL; -- what modules made is not ours to remove
END
$$;
