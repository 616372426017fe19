-- ALWAYS: session_replication_role = replica skips ordinary triggers. Runs after all other parts.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tgrelid::regclass AS place, tgname FROM pg_trigger
        WHERE NOT tgisinternal AND tgname ^@ 'remit_' AND tgenabled <> 'A'
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', found.place, found.tgname);
    END LOOP;
END
$$;
