"""Takes the values of rows out of what the database says went wrong.

Postgres prints the whole row that a rule refused, and psycopg makes that the text of its error. It
would go into run errors, logs, spans, tracebacks and Temporal's history, each of which keeps the
text of an error and of its causes. So it is taken out where an error arises, for every engine.
"""

import re

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import ExceptionContext

_DATA = "22"
"""First characters of the SQLSTATEs about a value; their messages quote it."""

_WORDS = re.compile("(?<=[a-z])(?=[A-Z])")


def hide_values(engine: sa.Engine) -> None:
    """Let no error of this engine quote what a row or a parameter holds."""
    sa.event.listen(engine, "handle_error", _hide)


def said(error: BaseException | None) -> str:
    """Return what the database says went wrong, in one line that quotes no value of a row."""
    state = str(getattr(error, "sqlstate", None) or "")
    if state.startswith(_DATA):
        return _WORDS.sub(" ", type(error).__name__).lower()
    lines = str(error or "").strip().splitlines()
    return lines[0] if lines else ""


def _hide(context: ExceptionContext) -> None:
    original, told = context.original_exception, context.sqlalchemy_exception
    if not isinstance(original, psycopg.Error) or not getattr(original, "sqlstate", None):
        return  # an error of the connection itself, which has seen no row
    whole, short = str(original), said(original)
    original.args = (short,)
    if told is not None:
        told.args = tuple(
            each.replace(whole, short) if isinstance(each, str) else each for each in told.args
        )
