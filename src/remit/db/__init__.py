"""Postgres: the schema, the connections, the migrations.

- `identity_tables`, `tables`, `execution_tables`, `evidence_tables`: the schema, page by page
- `schema`: the pages bound together
- `columns`: the kinds of column that it is made of
- `engine`: makes an engine from a URL; nothing is made at import and nothing is cached
- `libpq`: what connections take from an address, and what from the environment
- `together`: several writes as one statement
- `reading`: identifiers by how they begin, and rows that somebody may have forged
- `loading`: what a connection makes of values that Python cannot hold
- `session`: one transaction per operation, and what an error of the database becomes
- `migrate`: brings a database to the schema of this release
- `migrations`: the Alembic steps
"""
