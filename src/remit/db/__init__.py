"""Postgres: the schema, the connections, the migrations.

- `tables`: the schema's first page, who acts and boxes 1 to 4
- `evidence_tables`: its second page, boxes 5 and 6
- `schema`: the two bound together
- `columns`: the kinds of column that it is made of
- `engine`: makes an engine from a URL; nothing is made at import and nothing is cached
- `libpq`: what connections take from an address, and what from the environment
- `together`: several writes as one statement
- `prefixes`: identifiers found by how they begin
- `reading`: reading rows that somebody may have forged
- `session`: one transaction per operation, and what an error of the database becomes
- `migrate`: brings a database to the schema of this release
- `migrations`: the Alembic steps
"""
