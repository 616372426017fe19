"""The page `docs/columns.md`: what a row leads to that somebody writes with the services' login.

`tests/adversarial/columns.toml` has the verdicts, which tests hold against a database.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "tests" / "adversarial" / "columns.toml"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one column.

    Attributes:
        added: the outcomes of a row that is added, in words with spaces between them.
        changed: the same of a row that is changed.
        named: under which key the page says what is unseen; None: nothing is.
    """

    added: str
    changed: str
    named: str | None = None


_READ = tomllib.loads(TABLE.read_text(encoding="utf-8"))

NAMED: Mapping[str, str] = _READ.pop("named")
"""The words of docs/security.md that name what is unseen, by key."""

VERDICTS: Mapping[str, Mapping[str, Verdict]] = {
    table: {column: Verdict(*said) for column, said in columns.items()}
    for table, columns in _READ.items()
}
"""The verdict on every column of every table."""

_HEAD = """\
<!-- Written by `make docs` from tests/adversarial/columns.toml, which tests prove. -->

# Every column, written with the services' login

What somebody leads to who has the login of the services, `remit_app`, and no key: for a row that
they add, and for a row whose column they change. They write the events, too, that would tell of it.

- **refused**: the login lacks the right, or a rule or a check of the database refuses it
- *another word*: the fault that `remit audit verify` then finds
- **unseen**: neither; [what is not prevented](security.md#what-is-not-prevented) names it

Several outcomes stand together where it depends on the row or on the value.
"""


def columns_page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for table, columns in VERDICTS.items():
        rows = [
            f"| `{name}` | {_cell(said.added)} | {_cell(said.changed)} | {_why(said)} |"
            for name, said in columns.items()
        ]
        head = f"| `{table}` | added | changed | named as |\n|---|---|---|---|"
        parts.append("\n".join([head, *rows]) + "\n")
    return "\n".join(parts)


def _cell(outcomes: str) -> str:
    return ", ".join(f"**{one}**" if one == "unseen" else one for one in outcomes.split())


def _why(said: Verdict) -> str:
    return "" if said.named is None else NAMED[said.named]
