-- Takes away the checks of `0007_values.sql`; those of moments are older, but for that of one column.

DO $$
DECLARE
    target record;
BEGIN
    FOR target IN
        SELECT k.conrelid::regclass::text AS place, k.conname AS name
        FROM pg_constraint AS k
        JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
        JOIN pg_class AS c ON c.oid = k.conrelid
        WHERE k.contype = 'c' AND k.connamespace = 'public'::regnamespace
            AND k.conname = format('ck_%s_%s_readable', c.relname, a.attname)
            AND (a.atttypid IN ('jsonb'::regtype, 'text'::regtype, 'numeric'::regtype)
                OR (c.relname, a.attname) = ('budget_accounts', 'period_start'))
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', target.place, target.name);
    END LOOP;
END
$$;
