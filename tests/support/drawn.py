"""What property tests draw: JSON that Postgres can hold, and objects that the gate lets in."""

from typing import Any

from hypothesis import strategies as st

from remit.base.json_types import MAX_NUMBER
from remit.directives.plain_json import find_fault
from remit.redaction.masking import find_secret

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NUMBERS = st.integers(-MAX_NUMBER, MAX_NUMBER) | st.floats(-MAX_NUMBER, MAX_NUMBER)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=4)


def is_let_in(value: Any) -> bool:
    """Return whether the gate takes a value in: chance can draw a key that names a secret."""
    return find_fault(value) is None and find_secret(value) is None


PAYLOADS = OBJECTS.filter(is_let_in)
"""For whatever is proposed."""
