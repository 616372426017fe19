-- No column holds what no reader can: JSON with numbers, depths or sizes beyond every reader's, texts
-- of megabytes, an amount that is no number, a moment without end. One such row would end every
-- reading of many. Run last: each column of each table gets its check.
--
-- A database that holds such a row already is upgraded all the same: its check then holds for what is
-- written from now on, stays NOT VALID, and the migration says where to look.

DO $$
DECLARE
    target record;
    wanted text[];
    one text;
BEGIN
    FOR target IN
        SELECT named.tablename AS name, array_agg(named.name ORDER BY named.name) AS names,
            array_agg(format('CONSTRAINT %I CHECK (%s)', named.name, named.condition)
                ORDER BY named.name) AS checks
        FROM (
            SELECT c.relname::text AS tablename, format('ck_%s_%s_readable', c.relname, a.attname) AS name,
                CASE a.atttypid
                    WHEN 'jsonb'::regtype THEN format(
                        'octet_length(%1$I::text) <= 33554432'
                        ' AND NOT jsonb_path_exists(%1$I, ''strict $.**{65}'')'
                        ' AND NOT jsonb_path_exists(%1$I, ''strict $.** ?'
                        ' (@ > 1.7976931348623157e308 || @ < -1.7976931348623157e308)'')', a.attname)
                    WHEN 'text'::regtype THEN format('octet_length(%I) <= 65536', a.attname)
                    WHEN 'numeric'::regtype THEN format('%I <> ''NaN''', a.attname)
                    ELSE format(
                        '%1$I >= ''1900-01-01 00:00:00+00'' AND %1$I < ''9000-01-01 00:00:00+00''',
                        a.attname)
                END AS condition
            FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
                AND c.relname <> 'alembic_version' AND a.attnum > 0 AND NOT a.attisdropped
                AND a.atttypid IN (
                    'jsonb'::regtype, 'text'::regtype, 'numeric'::regtype, 'timestamptz'::regtype)
                AND NOT EXISTS (
                    SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid
                        AND deptype = 'e')
        ) AS named
        WHERE NOT EXISTS (
            SELECT FROM pg_constraint AS k WHERE k.conname = named.name
                AND k.conrelid = format('public.%I', named.tablename)::regclass)
        GROUP BY named.tablename
    LOOP
        BEGIN
            -- All at once: the table is read through once.
            SELECT array_agg('ADD ' || each) INTO wanted FROM unnest(target.checks) AS each;
            EXECUTE format('ALTER TABLE public.%I %s', target.name, array_to_string(wanted, ', '));
        EXCEPTION WHEN check_violation OR program_limit_exceeded OR statement_too_complex THEN
            SELECT array_agg('ADD ' || each || ' NOT VALID') INTO wanted
                FROM unnest(target.checks) AS each;
            EXECUTE format('ALTER TABLE public.%I %s', target.name, array_to_string(wanted, ', '));
            FOREACH one IN ARRAY target.names LOOP
                BEGIN
                    EXECUTE format('ALTER TABLE public.%I VALIDATE CONSTRAINT %I', target.name, one);
                EXCEPTION WHEN check_violation OR program_limit_exceeded OR statement_too_complex THEN
                    RAISE WARNING 'a row of % holds what % refuses; `remit audit verify` says which',
                        target.name, one;
                END;
            END LOOP;
        END;
    END LOOP;
END
$$;
