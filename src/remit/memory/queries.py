"""The questions that may be asked of memory: named, bounded, and nothing besides. Pure.

A reader's methods take the same parameters as these classes have fields, in the same order;
`remit.memory.enforcement` builds the class from them before anything is read, so no reader can
forget a bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, get_args

from pydantic import JsonValue

from remit.base.json_types import MAX_NUMBER, JsonObject
from remit.base.wording import listed, printable
from remit.cognition.embeddings.types import MAX_TEXT_LENGTH
from remit.directives.models import TEXT_LIMITS
from remit.directives.plain_json import check_text
from remit.errors import InvalidInputError
from remit.memory.results import (
    Answer,
    ArtifactSummary,
    DirectiveSummary,
    ExecutionSummary,
    SemanticResult,
)
from remit.redaction.masking import redact_object, redact_text
from remit.vocabulary import ArtifactType, RunStatus

MAX_EXECUTION_LIMIT = 100
MAX_ARTIFACT_LIMIT = 100
MAX_SEMANTIC_TOP_K = 50
_SHOWN_CHARACTERS = MAX_TEXT_LENGTH


@dataclass(frozen=True, slots=True)
class Question:
    """What every question has: a name, and the kind of each result. Its fields are parameters."""

    name: ClassVar[str]
    answer: ClassVar[type[Answer]]


@dataclass(frozen=True, slots=True)
class LatestDirectiveForRole(Question):
    """Which directive was addressed to a role of 1 to 200 characters last?"""

    name: ClassVar[str] = "latest_directive_for_role"
    answer: ClassVar[type[Answer]] = DirectiveSummary
    role: str

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_words("role", self.role, TEXT_LIMITS["role"])


@dataclass(frozen=True, slots=True)
class ExecutionSummariesQuery(Question):
    """Which runs were there, newest first: all of them, or those that stand so?"""

    name: ClassVar[str] = "execution_summaries"
    answer: ClassVar[type[Answer]] = ExecutionSummary
    limit: int
    status_filter: RunStatus | None = None

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_count("limit", self.limit, MAX_EXECUTION_LIMIT)
        if self.status_filter is not None:
            _check_word("status_filter", self.status_filter, get_args(RunStatus))


@dataclass(frozen=True, slots=True)
class ArtifactsByTypeQuery(Question):
    """Which artifacts of one type were there, newest first?"""

    name: ClassVar[str] = "artifacts_by_type"
    answer: ClassVar[type[Answer]] = ArtifactSummary
    artifact_type: ArtifactType
    limit: int

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        _check_word("artifact_type", self.artifact_type, get_args(ArtifactType))
        check_count("limit", self.limit, MAX_ARTIFACT_LIMIT)


@dataclass(frozen=True, slots=True)
class SemanticSearchQuery(Question):
    """Which memories are nearest in meaning to a text of 1 to 8192 characters?"""

    name: ClassVar[str] = "semantic_search"
    answer: ClassVar[type[Answer]] = SemanticResult
    query: str
    top_k: int

    def __post_init__(self) -> None:
        """Refuse what is out of bounds."""
        check_words("query", self.query, MAX_TEXT_LENGTH)
        check_count("top_k", self.top_k, MAX_SEMANTIC_TOP_K)


QUESTIONS: Mapping[str, type[Question]] = {
    question.name: question
    for question in (
        LatestDirectiveForRole,
        ExecutionSummariesQuery,
        ArtifactsByTypeQuery,
        SemanticSearchQuery,
    )
}


def recorded(parameters: Mapping[str, object]) -> JsonObject:
    """Return parameters as the record of reads keeps them, those of a refused question included.

    Secrets are masked, what is invisible is escaped, and a text that is longer than any question
    may be is told by its length: cutting it could leave a part of a secret that no pattern knows.
    """
    return redact_object({name: _plain(value) for name, value in parameters.items()})


def check_count(field: str, value: object, most: int) -> None:
    """Return quietly when `value` is a whole number from 1 to `most`."""
    # A bool is an int to Python, and no count to anybody.
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise InvalidInputError(f"must be a whole number from 1 to {most}", field=field)


def check_words(field: str, value: object, most: int) -> None:
    """Return quietly when `value` is a text of 1 to `most` characters that Postgres can keep."""
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise InvalidInputError(f"must be a text of 1 to {most} characters", field=field)
    check_text(value, field=field, limit=most)


def _plain(value: object) -> JsonValue:
    if isinstance(value, str):
        if len(value) > _SHOWN_CHARACTERS:
            return f"[{len(value)} characters]"
        # Before anything is escaped: an escape in front of a secret hides it from the patterns.
        return printable(redact_text(value), _SHOWN_CHARACTERS)
    if isinstance(value, bool | None):
        return value
    # A number beyond what every JSON reader holds exactly is as good as its kind.
    if isinstance(value, int) and abs(value) <= MAX_NUMBER:
        return value
    return f"[{type(value).__name__}]"


def _check_word(field: str, value: object, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in known:
        raise InvalidInputError(f"must be {listed(known)}", field=field)
