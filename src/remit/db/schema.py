"""The whole schema: all of its pages, as migrations and the tests see them."""

from remit.db import evidence_tables, execution_tables, identity_tables, tables
from remit.db.columns import metadata

PAGES = (identity_tables, tables, execution_tables, evidence_tables)
__all__ = ["PAGES", "metadata"]
