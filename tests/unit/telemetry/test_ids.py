"""A directive's trace id is its own id, and its root span's id follows from it."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from remit.telemetry.ids import root_span_id_of, trace_id_of, trace_id_text

DIRECTIVE = UUID("01890a5d-ac96-774b-bcce-b302099a8057")


def test_a_trace_id_is_the_directives_id_without_its_dashes() -> None:
    assert trace_id_text(DIRECTIVE) == DIRECTIVE.hex
    assert trace_id_of(DIRECTIVE) == DIRECTIVE.int


def test_a_root_spans_id_never_changes() -> None:
    assert f"{root_span_id_of(DIRECTIVE):016x}" == "97019cdfd67921d9"


@given(st.uuids(), st.uuids())
def test_directives_have_roots_of_their_own(one: UUID, other: UUID) -> None:
    assert 0 < root_span_id_of(one) < 2**64
    assert (root_span_id_of(one) == root_span_id_of(other)) == (one == other)
