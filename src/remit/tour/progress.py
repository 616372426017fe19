"""What a tour tells while it is played: where each directive stands, and moments in few words."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Self
from uuid import UUID

import sqlalchemy as sa

from remit.directives.models import DirectiveRead, UnreadableDirective
from remit.directives.repository import MAX_LISTED, DirectiveFilter
from remit.errors import RemitError
from remit.operations.evidence.records import read_directives

Box = Literal["intent", "gate", "consent", "act", "evidence"]
"""The boxes of the loop that a directive passes in the tour."""

Mark = Literal["passed", "waits", "stopped"]


@dataclass(frozen=True)
class Moment:
    """Something that has just happened in a scene, which is counted from 0.

    A `note` is worth a line of its own: an act of a person, a fate of the worker.
    """

    scene: int
    box: Box
    mark: Mark
    text: str
    note: bool = False
    ended: bool = False


class Board:
    """The directives as they are now; an async context manager that keeps itself current.

    One reader for all is what keeps a tour of many directives from measuring its own polling.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._seen: dict[UUID, DirectiveRead] = {}
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self._failure: RemitError | None = None

    async def __aenter__(self) -> Self:
        """Begin to read."""
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    async def until(
        self, directive_id: UUID, wanted: Callable[[DirectiveRead], bool]
    ) -> DirectiveRead:
        """Wait until a directive is as wanted, and return it; the caller sets a limit of time.

        Raises:
            UnavailableError: the database went away, for good or for a moment.
        """
        async with self._news:
            while True:
                found = self._seen.get(directive_id)
                if found is not None and wanted(found):
                    return found
                if self._failure is not None:
                    raise self._failure
                await self._news.wait()

    async def _read(self) -> None:
        wanted = DirectiveFilter(limit=MAX_LISTED)
        while self._failure is None:
            found: list[DirectiveRead | UnreadableDirective] = []
            try:
                found = await asyncio.to_thread(read_directives, self._engine, wanted)
            except RemitError as error:
                self._failure = error
            async with self._news:
                self._seen.update((one.id, one) for one in found if isinstance(one, DirectiveRead))
                self._news.notify_all()
            await asyncio.sleep(0.015)
