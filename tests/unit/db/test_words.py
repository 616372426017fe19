"""The closed lists of words: each CHECK of the schema holds the words of its `Literal`."""

import re
from typing import Any, get_args

import pytest
import sqlalchemy as sa

from remit.db.schema import metadata
from remit.vocabulary import (
    AbortReason,
    ArtifactType,
    AttemptOutcome,
    BlockReason,
    DirectiveStatus,
    DoubtReason,
    EntryKind,
    PrincipalKind,
    ReadOutcome,
    RequestStatus,
    RunStatus,
    VoidReason,
    VoteDecision,
)

Reasons = (*get_args(BlockReason), *get_args(AbortReason), *get_args(DoubtReason))
LISTS: list[tuple[str, str, tuple[Any, ...]]] = [
    ("directives", "status", get_args(DirectiveStatus)),
    ("directives", "status_reason", Reasons),
    ("execution_runs", "status", get_args(RunStatus)),
    ("execution_attempts", "outcome", get_args(AttemptOutcome)),
    ("approval_requests", "status", get_args(RequestStatus)),
    ("grants", "void_reason", get_args(VoidReason)),
    ("approval_votes", "decision", get_args(VoteDecision)),
    ("budget_entries", "kind", get_args(EntryKind)),
    ("principals", "kind", get_args(PrincipalKind)),
    ("artifacts", "type", get_args(ArtifactType)),
    ("memory_reads", "outcome", get_args(ReadOutcome)),
]


def checked() -> dict[tuple[str, str], list[str]]:
    """Return the words that the schema allows, by table and column."""
    found = {}
    for table in metadata.tables.values():
        for constraint in table.constraints:
            if not isinstance(constraint, sa.CheckConstraint):
                continue
            match = re.fullmatch(r"(\w+) IN \((.*)\)", str(constraint.sqltext))
            if match:
                found[table.name, match[1]] = re.findall(r"'(\w+)'", match[2])
    return found


@pytest.mark.parametrize(
    ("table", "column", "words"), LISTS, ids=[f"{table}.{column}" for table, column, _ in LISTS]
)
def test_the_column_takes_exactly_the_words_of_its_literal(
    table: str, column: str, words: tuple[str, ...]
) -> None:
    allowed = checked()[table, column]
    assert sorted(allowed) == sorted(set(words))


def test_every_closed_list_of_the_schema_is_compared() -> None:
    assert checked().keys() == {(table, column) for table, column, _ in LISTS}


def test_every_reason_that_voids_a_grant_is_one_that_blocks() -> None:
    assert set(get_args(VoidReason)) <= set(get_args(BlockReason))
