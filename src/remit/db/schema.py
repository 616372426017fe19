"""The whole schema: both of its pages, as migrations and the tests see them."""

from remit.db import evidence_tables, tables
from remit.db.columns import metadata

PAGES = (tables, evidence_tables)
"""The modules that declare tables, in the order of the loop."""

__all__ = ["PAGES", "metadata"]
