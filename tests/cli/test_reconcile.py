"""`remit reconcile`, and where a directive in doubt is shown."""

import json

import sqlalchemy as sa

from tests.cli.conftest import Remit
from tests.integration.operations.lives import exhausted

WHY = "it is in the books"


def test_a_directive_in_doubt_is_listed_and_settled(live: Remit, engine: sa.Engine) -> None:
    found = exhausted(engine)
    listed = json.loads(live("list", "--reason", "in_doubt", "--json").out)["directives"]
    assert [one["id"] for one in listed] == [str(found.id)]
    settled = live("reconcile", str(found.id), "--as", "done", "--reason", WHY, "--by", "dana")
    assert (settled.code, settled.err) == (0, "")
    assert "complete" in settled.out
    assert "settled by a person: done" in live("show", str(found.id)).out
    again = live("reconcile", str(found.id), "--as", "done", "--reason", WHY, "--by", "dana")
    assert again.code == 2
    assert "not in doubt" in again.err


def test_what_is_neither_done_nor_failed_is_no_word(live: Remit, engine: sa.Engine) -> None:
    found = exhausted(engine)
    shown = live("reconcile", str(found.id), "--as", "perhaps", "--reason", WHY, "--by", "dana")
    assert shown.code == 2
    assert "done or failed" in shown.err
