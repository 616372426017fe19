"""How an operation that takes long tells how far it is; doors say to whom."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told now and then how much is done, and how much there is in all."""


def tell_nobody(done: int, total: int) -> None:
    """Be the :data:`Progress` that nobody sees."""
