"""One text that a provider has no vector for: found, left out with the reason, the rest goes on."""

import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from http import HTTPStatus
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.cli.base.embedding import BATCH, Tally, make_searchable
from remit.cognition.embeddings.provider import EmbeddingProviderError, final
from remit.cognition.embeddings.types import EmbeddingError
from remit.identity.types import Principal
from remit.memory.vector import Embedded
from tests.cli.conftest import Remit
from tests.support.embedding_server import Asked, EmbeddingServer, Reply, packed, vector_of
from tests.support.people import ADMIN

Answer = dict[str, Any]

ALL = "SELECT id, content FROM memories"


def without_vector(answer: Answer, place: int) -> None:
    """Leave a vector out."""
    del answer["data"][place]


def without_vector_nor_gap(answer: Answer, place: int) -> None:
    """Leave a vector out, and number those after it anew."""
    del answer["data"][place]
    for index, each in enumerate(answer["data"]):
        each["index"] = index


def with_index_of_another(answer: Answer, place: int) -> None:
    """Give a vector the number of another."""
    answer["data"][place]["index"] = place + 1


def with_one_more(answer: Answer, place: int) -> None:
    """Send a vector twice."""
    answer["data"].append(answer["data"][place])


def with_vector(*numbers: float) -> Callable[[Answer, int], None]:
    """Send other numbers."""

    def change(answer: Answer, place: int) -> None:
        answer["data"][place]["embedding"] = list(numbers)

    return change


@cache
def made_of(text: str) -> str:
    """Return the vector of a text as the protocol has it."""
    return packed(vector_of(text))


FAULTS: dict[str, Callable[[Answer, int], None]] = {
    "zero": with_vector(*[0.0] * 1536),
    "NaN": with_vector(math.nan, *[1.0] * 1535),
    "infinite": with_vector(*[1.0] * 1535, -math.inf),
    "short": with_vector(*[1.0] * 1535),
    "empty": with_vector(),
    "left out": without_vector,
    "left out with its number": without_vector_nor_gap,
    "number of another": with_index_of_another,
    "twice": with_one_more,
}


class Faulty(EmbeddingServer):
    """A service that has no vector for a text that names a fault, and refuses `HTTP 400`."""

    def reply_to(self, asked: Asked) -> Reply:
        reply = super().reply_to(asked)
        texts = asked.body["input"]
        if reply.status != HTTPStatus.OK or "HTTP 400" in texts:
            return Reply(400, b"{}")
        data = [{"index": at, "embedding": made_of(text)} for at, text in enumerate(texts)]
        answer = {"data": data, "usage": {}}
        faults = [text for text in texts if text in FAULTS]
        if faults:
            FAULTS[faults[0]](answer, texts.index(faults[0]))
        return replace(reply, body=json.dumps(answer).encode())


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """Serve, and let commands embed with it."""
    server = Faulty()
    monkeypatch.setenv("EMBEDDING_PROVIDER", "openai")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    try:
        yield server
    finally:
        server.close()


def test_a_file_with_texts_that_have_no_vector_is_loaded_but_for_them(
    keeper: Remit, faulty: Faulty, kept_in: sa.Engine
) -> None:
    texts = [f"note {each}" for each in range(150)]
    odd = dict(zip(range(95, 105), ["HTTP 400", *FAULTS], strict=True))
    notes = [{"scope": "s", "content": odd.get(at, text)} for at, text in enumerate(texts)]
    file = "\n".join(map(json.dumps, notes)).encode()
    shown = keeper("memory", "load", "-", "--json", stdin=file)
    told = json.loads(shown.out)
    assert (shown.code, shown.err) == (1, "")
    assert (told["kept"], told["embedded"], told["failure"]) == (150, 140, None)
    assert told["not_embeddable"] == list(told["reasons"])
    with kept_in.connect() as connection:
        named = {str(row.id): row.content for row in connection.execute(sa.text(ALL))}
    reasons = {named[each]: why for each, why in told["reasons"].items()}
    assert set(reasons) == set(odd.values())
    assert "is zero in every place" in reasons["zero"]
    assert "is not finite" in reasons["NaN"]
    assert "has 1535 numbers instead of 1536" in reasons["short"]

    found = json.loads(keeper("memory", "search", "note 149", "--json").out)
    assert found["results"][0]["content"] == "note 149"
    asked = len(faulty.asked)
    again = keeper("memory", "embed")
    assert (again.code, again.out) == (1, "")
    assert again.err.count("kept, and not searchable: the model cannot embed ") == 5
    assert "and 5 more; --json names them all" in again.err
    assert len(faulty.asked) - asked <= 2 * len(odd)


def test_a_text_that_has_no_vector_is_kept_and_that_is_told(keeper: Remit, faulty: Faulty) -> None:
    shown = keeper("memory", "add", "zero", "--scope", "s")
    assert shown.code == 1
    assert shown.out.startswith("remembered as ")
    assert "is zero in every place" in shown.err
    assert len(faulty.asked) == 2


def test_a_service_that_has_no_vector_for_any_text_is_named_at_once(
    keeper: Remit, faulty: Faulty
) -> None:
    file = "\n".join(json.dumps({"scope": "s", "content": f"note {at}"}) for at in range(250))
    faulty.replies.extend([Reply(400, b"{}")] * 10)
    shown = keeper("memory", "load", "-", "--json", stdin=file.encode())
    told = json.loads(shown.out)
    assert (shown.code, told["kept"], told["not_embeddable"]) == (1, 100, [])
    assert told["failure"]["reason"] == "invalid_request"
    assert len(faulty.asked) == 2


class Provider:
    """Embeds all but some texts, and counts how often it is asked."""

    name = model = "fake"

    def __init__(self, culprits: Collection[UUID], error: EmbeddingProviderError) -> None:
        self.culprits = set(culprits)
        self.error = error
        self.asked = 0

    def embed_ids(self, ids: Sequence[UUID]) -> Embedded:
        self.asked += 1
        if self.culprits.intersection(ids):
            raise self.error
        return Embedded(len(ids), self.model, Decimal(len(ids)))

    def embed_single(self, text: str) -> tuple[float, ...]:
        assert text
        self.asked += 1
        return (1.0,)


REFUSED = final("invalid_request", "refused")
NONSENSE = final("provider_error", "answered nonsense")
PASSING = EmbeddingProviderError(EmbeddingError("provider_error", "failed", retryable=True))
LIMITED = EmbeddingProviderError(EmbeddingError("rate_limited", "later", retryable=True))
LATE = EmbeddingProviderError(EmbeddingError("timeout", "late", retryable=True))
WRONG = final("misconfigured", "no key")


def searched(
    monkeypatch: pytest.MonkeyPatch, places: Collection[int], error: EmbeddingProviderError
) -> tuple[Tally, Provider, bool]:
    """Return what comes of a batch with culprits at some places."""
    ids = [UUID(int=each) for each in range(BATCH)]
    provider: Any = Provider([ids[place] for place in places], error)
    tally = Tally("fake")

    def embed(_: sa.Engine, asked: Provider, given: Sequence[UUID], *, by: Principal) -> Embedded:
        assert by is ADMIN
        return asked.embed_ids(given)

    monkeypatch.setattr("remit.operations.recall.memories.embed_memories", embed)
    engine: Any = None
    works = make_searchable(engine, provider, ids, tally, by=ADMIN)
    return tally, provider, works


@pytest.mark.parametrize("error", [REFUSED, NONSENSE, PASSING], ids=lambda each: each.message)
@pytest.mark.parametrize(
    ("places", "most"),
    [
        ((), 1),
        *(((place,), 16) for place in (0, 1, 49, 50, 98, 99)),
        ((0, 99), 28),
        ((3, 4, 5), 28),
        (tuple(range(0, 100, 10)), 120),
        (tuple(range(BATCH)), 2 * BATCH),
    ],
)
def test_each_culprit_is_found_by_few_requests(
    monkeypatch: pytest.MonkeyPatch,
    error: EmbeddingProviderError,
    places: tuple[int, ...],
    most: int,
) -> None:
    tally, provider, works = searched(monkeypatch, places, error)
    assert works
    assert {each.int for each in tally.left_out} == set(places)
    assert set(tally.left_out.values()) <= {error.message}
    assert tally.count == BATCH - len(places)
    assert provider.asked <= most
    assert tally.is_as_hoped == (not places)
    is_known = not places or error.reason != "provider_error"
    assert tally.cost_usd == (Decimal(tally.count) if is_known else None)


@pytest.mark.parametrize("error", [LIMITED, LATE, WRONG], ids=lambda each: each.message)
def test_what_no_text_can_be_the_cause_of_is_the_provider_s(
    monkeypatch: pytest.MonkeyPatch, error: EmbeddingProviderError
) -> None:
    tally, provider, works = searched(monkeypatch, [7], error)
    assert (works, tally.failure, tally.left_out, provider.asked) == (False, error, {}, 1)
