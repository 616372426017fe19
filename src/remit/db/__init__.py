"""Postgres: the schema, the connections, the migrations.

- `tables`: the whole schema on one page
- `columns`: the kinds of column that it is made of
- `engine`: makes an engine from a URL; nothing is made at import and nothing is cached
- `together`: several writes as one statement
- `session`: one transaction per operation, and what a lost connection becomes
- `migrate`: brings a database to the schema of this release
- `migrations`: the Alembic steps
"""
