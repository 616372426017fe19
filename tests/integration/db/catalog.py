"""What a database holds, as Postgres' own catalogs tell it, so that two can be compared."""

import sqlalchemy as sa

from remit.db.engine import create_database_engine

# Each question gives one line of text a finding. What belongs to an extension is the extension's.
QUESTIONS = {
    "columns": """
        SELECT format('%s.%s %s %s default=%s identity=%s generated=%s', c.relname, a.attname,
            format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
            pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
            AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT format('%s %s %s valid=%s', conrelid::regclass, conname,
            pg_get_constraintdef(oid), convalidated)
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 't'""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "sequences": """
        SELECT format('%s %s from %s by %s', sequencename, data_type, start_value, increment_by)
        FROM pg_sequences WHERE schemaname = 'public'""",
    "triggers": """
        SELECT format('%s enabled=%s', pg_get_triggerdef(t.oid), t.tgenabled)
        FROM pg_trigger t WHERE NOT t.tgisinternal""",
    "functions": """
        SELECT pg_get_functiondef(p.oid) FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')""",
    "types": """
        SELECT t.typname::text FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE t.typnamespace = 'public'::regnamespace AND t.typelem = 0
            AND (t.typrelid = 0 OR c.relkind = 'c')""",
    "extensions": "SELECT extname::text FROM pg_extension",
    "schemas": """
        SELECT nspname::text FROM pg_namespace
        WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'""",
    "rights": """
        WITH things (name, acl) AS (
            SELECT oid::regclass::text, relacl FROM pg_class
            UNION ALL SELECT format('%s.%s', attrelid::regclass, attname), attacl FROM pg_attribute
            UNION ALL SELECT format('schema %s', nspname), nspacl FROM pg_namespace
            UNION ALL SELECT oid::regprocedure::text, proacl FROM pg_proc
            UNION ALL SELECT format('new %s in %s', defaclobjtype, defaclnamespace::regnamespace),
                defaclacl FROM pg_default_acl
        )
        SELECT format('%s may %s %s', given.grantee::regrole, lower(given.privilege_type), name)
        FROM things, aclexplode(acl) AS given
        WHERE given.grantee::regrole::text IN ('remit_app', 'remit_reader', 'remit_module')
            AND given.grantee <> given.grantor""",
}

Catalog = dict[str, list[str]]
"""The findings of each question, sorted."""


def catalog_of(database_url: str) -> Catalog:
    """Return all that a database holds but its rows, Alembic's own table left out."""
    engine = create_database_engine(database_url)
    try:
        with engine.connect() as connection:
            return {
                kind: sorted(
                    line
                    for line in connection.execute(sa.text(question)).scalars()
                    if "alembic_version" not in line
                )
                for kind, question in QUESTIONS.items()
            }
    finally:
        engine.dispose()
