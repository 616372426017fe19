"""A command gets every argument that it declares."""

from typing import Any

import pytest

from remit.cli.base.context import Context, command


def without(context: Context) -> None: ...


def with_actor(context: Context, *, actor: str = "") -> None: ...


def with_data_dir(context: Context, data_dir: str) -> None: ...


def with_as_json(context: Context, *, as_json: bool = False) -> None: ...


@pytest.mark.parametrize("acting", [False, True])
@pytest.mark.parametrize("function", [with_actor, with_data_dir, with_as_json])
def test_a_parameter_that_the_shared_options_take_is_refused(
    function: Any, *, acting: bool
) -> None:
    name = function.__name__.removeprefix("with_")
    with pytest.raises(TypeError, match=f"the shared options take .'{name}'.: rename"):
        command(acting=acting)(function)


def test_so_is_an_option_of_the_fields() -> None:
    with pytest.raises(TypeError, match="actor"):
        command(fields={"actor": None})(without)
