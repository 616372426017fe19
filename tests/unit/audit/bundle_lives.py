"""Lives of directives of every shape, with all that everybody signed of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from remit.audit.bundle.types import Bundle
from remit.execution.modules.types import ModuleOutput
from tests.support.keys import INSTALLATION
from tests.unit.audit.bundle_speakers import signed_by_all, signed_first
from tests.unit.audit.bundle_story import Story

DONE = ModuleOutput.success({"said": "hello"}, cost=Decimal("1.50"))


def auto() -> Bundle:
    """Return one that policy alone allowed."""
    return signed_by_all(Story().decide("allow").start().end(ModuleOutput.success()).rows())


def approved() -> Bundle:
    """Return one that two people approved, one at second thought, at a cost."""
    story = Story(scope="staging", budget="$12.50").decide("require_approval")
    story.vote("grace", "why?").vote("ada").vote("grace").start()
    return signed_by_all(story.end(DONE).rows())


def retried() -> Bundle:
    """Return one that was rejected, and approved after a retry."""
    story = Story(scope="staging").decide("require_approval").vote("grace", "not today")
    story.give_up("canceled").retry().decide("require_approval").vote("ada").vote("grace")
    return signed_by_all(story.start().end(ModuleOutput.success()).rows())


def asked_again() -> Bundle:
    """Return one that was rejected once, and waits for its second answer."""
    story = Story(scope="staging").decide("require_approval").vote("grace", "not today")
    return signed_by_all(
        story.give_up("canceled").retry().decide("require_approval").vote("ada").rows()
    )


def failed() -> Bundle:
    """Return one whose module failed at a cost."""
    story = Story(budget="$12.50").decide("allow").start()
    return signed_by_all(story.end(ModuleOutput.failure("no paper", cost=DONE.cost)).rows())


def canceled() -> Bundle:
    """Return one whose run was canceled."""
    return signed_by_all(Story(budget="$12.50").decide("allow").start().cancel("opal").rows())


def withdrawn() -> Bundle:
    """Return one that people approved, and that was canceled before it ran."""
    story = Story(scope="staging", budget="$12.50").decide("require_approval")
    return signed_by_all(story.vote("ada").vote("grace").withdraw().rows())


def unpromised() -> Bundle:
    """Return one that cost something, and had no budget."""
    return signed_by_all(Story().decide("allow").start().end(DONE).rows())


def filed() -> Bundle:
    """Return one with an attachment."""
    story = Story().file("before.txt").decide("allow").file("notes.txt").start()
    return signed_by_all(story.end(ModuleOutput.success()).rows())


def in_doubt() -> Bundle:
    """Return one of which nobody knows how its run ended."""
    return signed_by_all(Story().decide("allow").start().doubt().rows())


def blocked() -> Bundle:
    """Return one that policy blocked."""
    return signed_by_all(Story(type="rm").decide("block").rows())


def before() -> Bundle:
    """Return the life of :func:`approved`, from before everybody signed what they said."""
    since = replace(INSTALLATION, since=approved().exported_at - timedelta(seconds=1))
    return signed_first(replace(approved(), installation=since))


def settled() -> Bundle:
    """Return one that was in doubt until a person settled it."""
    story = Story().decide("allow").start().doubt().reconcile("opal", "looked at the printer")
    return signed_by_all(story.rows())


LIVES: Mapping[str, Callable[[], Bundle]] = {
    life.__name__: life
    for life in (
        auto,
        approved,
        retried,
        asked_again,
        failed,
        canceled,
        withdrawn,
        unpromised,
        filed,
        in_doubt,
        settled,
        blocked,
        before,
    )
}
