"""Memories that are kept, made searchable: a hundred at a time, and none holds up the others.

What a provider cannot embed stays a memory that no search finds. What a provider refuses for now,
or because none is chosen, is made good by `remit memory embed`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from remit.budget.types import exact_sum
from remit.errors import ProviderError

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa

    from remit.base.progress import Progress
    from remit.cognition.embeddings.provider import EmbeddingProvider
    from remit.identity.types import Principal

BATCH = 100
"""How many memories are written, and how many embedded, at once."""

_AHEAD = 100_000

_OF_A_TEXT = ("invalid_request", "provider_error")
"""Failures that one text may be the cause of; a vector that is none is a `provider_error`."""

_Item = TypeVar("_Item")


@dataclass
class Tally:
    """What became of memories that were to be made searchable; it grows by each batch.

    Attributes:
        count: how many were embedded now; those that were before are not counted.
        cost_usd: None when a price is not known.
        left_out: those that the provider cannot embed while it embeds others, each with the reason.
        failure: what kept the provider from embedding at all.
    """

    model: str
    count: int = 0
    cost_usd: Decimal | None = Decimal(0)
    left_out: dict["UUID", str] = field(default_factory=dict)
    failure: ProviderError | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether nothing was embedded because no provider is chosen."""
        return self.failure is not None and self.failure.reason == "disabled"

    @property
    def is_as_hoped(self) -> bool:
        """Whether everything can be searched for."""
        return self.failure is None and not self.left_out

    def add(self, count: int, cost_usd: Decimal | None) -> None:
        """Count what was embedded, and what that cost."""
        self.count += count
        if self.cost_usd is not None:
            self.cost_usd = None if cost_usd is None else exact_sum([self.cost_usd, cost_usd])


def batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    """Yield the items, :data:`BATCH` at a time."""
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def make_searchable(
    engine: "sa.Engine",
    provider: "EmbeddingProvider",
    memory_ids: "Sequence[UUID]",
    tally: Tally,
    *,
    by: "Principal",
) -> bool:
    """Embed one batch of memories, and count in `tally` what became of it.

    When the provider fails although it embeds another text, one of them is at fault: they are
    halved until it is found, which takes two requests for each halving, and twice as many as there
    are memories at most. Returns False when the provider failed altogether, so that no other batch
    may fare better.
    """
    from remit.operations.recall.memories import embed_memories

    waiting, is_proven = [memory_ids], False
    while waiting:
        asked = waiting.pop()
        try:
            embedded = embed_memories(engine, provider, asked, by=by)
            tally.add(embedded.count, embedded.cost_usd)
        except ProviderError as error:
            if error.reason == "provider_error":
                tally.cost_usd = None  # what was thrown away may be billed
            is_proven = is_proven or _blames_a_text(error, provider)
            if not is_proven or error.reason not in _OF_A_TEXT:
                tally.failure = error
                return False
            if len(asked) == 1:
                tally.left_out[asked[0]] = error.message
                continue
            middle = len(asked) // 2
            waiting += [asked[middle:], asked[:middle]]
    return True


def _blames_a_text(error: ProviderError, provider: "EmbeddingProvider") -> bool:
    """Return whether a failure comes of what was embedded: another text goes through."""
    if error.reason not in _OF_A_TEXT:
        return False
    try:
        provider.embed_single("one plain sentence")
    except ProviderError:
        return False
    return True


def embed_all(
    engine: "sa.Engine", provider: "EmbeddingProvider", progress: "Progress", *, by: "Principal"
) -> Tally:
    """Embed every memory that has no embedding of the provider's model.

    Raises:
        ProviderError: the provider refused before anything was embedded.
    """
    if provider.name == "noop":
        provider.embed_single("anything")  # it refuses, and says how to choose another
    tally, tried = Tally(provider.model), 0
    while lacking := _lacking(engine, tally):
        total = tried + len(lacking)
        for batch in batches(lacking):
            if not make_searchable(engine, provider, batch, tally, by=by):
                if tally.failure is not None and not tally.count:
                    raise tally.failure
                return tally
            tried += len(batch)
            progress(tried, total)
    return tally


def _lacking(engine: "sa.Engine", tally: Tally) -> "list[UUID]":
    from remit.operations.recall.memories import memories_without_embedding

    found = memories_without_embedding(engine, tally.model, _AHEAD + len(tally.left_out))
    return [each for each in found if each not in tally.left_out][:_AHEAD]
