"""What a shell made of a command line before Remit saw it: one line shows the quotes."""

import subprocess

import pytest

from tests.cli.conftest import Remit, Shown, propose_arguments
from tests.cli.test_bad_input import GOOD


def test_words_that_the_shell_took_apart_are_not_taken_for_a_file(remit: Remit) -> None:
    shown = remit("propose", "--objective", "say", "hello")
    line = (
        "remit: --objective: cannot stand beside a file: write it into the file; "
        '"hello" is none, so quote what has spaces\n'
    )
    assert shown == Shown(2, "", line)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        *(("$5.00", ".00"), ("$50.00", "0.00"), ("$5", ""), ("$50", "0"), ("$100", "00")),
        *(("$1,000.00", ",000.00"), ("$10,000", "0,000"), ("0.00", "0.00")),
    ],
)
def test_what_the_shell_leaves_of_an_amount_is_refused_with_the_quotes_that_it_needs(
    remit: Remit, typed: str, left: str
) -> None:
    shell = subprocess.run(
        ["bash", "-c", f'printf "%s" "{typed}"'], capture_output=True, text=True, check=True
    )
    assert shell.stdout == left
    shown = remit(*propose_arguments(budget=left))
    assert shown == Shown(
        2,
        "",
        f"remit: budget: \"{left}\" is no amount to spend; in a shell, quote the $: '$50.00', or "
        "leave it out: 50.00; to spend nothing, leave out --budget\n",
    )


@pytest.mark.parametrize(
    "amount",
    ["1e3", "$ 5", "5,00", "1000,000", "\u0665", "-5", "+5", " 5", "5 ", "5.", "NaN", "5€"],
)
def test_what_is_no_amount_is_refused_by_naming_the_forms_that_are(
    remit: Remit, amount: str
) -> None:
    shown = remit(*propose_arguments(budget=amount))
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("remit: budget: ")
    assert shown.err.endswith('write it like "$50", "50.00", "100 USD" or "$1,000.00"\n')


@pytest.mark.parametrize("amount", ["0.50", "0.01", "$0.00", "$5", "5", "1,000", "100 USD"])
def test_an_amount_with_a_whole_part_is_taken(remit: Remit, amount: str) -> None:
    shown = remit(*propose_arguments(budget=amount))
    assert shown.err.startswith("remit: no stack is running in ")


def test_a_budget_of_nothing_may_stand_in_a_file(remit: Remit) -> None:
    text = f'{GOOD[:-1]}, "budget": "0.00"}}'
    shown = remit("propose", "-", stdin=text.encode())
    assert shown.err.startswith("remit: no stack is running in ")


@pytest.mark.parametrize("payload", ["{hello:world}", "{hello:", "", "hello"])
def test_a_payload_that_lost_its_quotes_is_refused_with_the_quotes_that_it_needs(
    remit: Remit, payload: str
) -> None:
    shown = remit(*propose_arguments(payload=payload))
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("remit: payload: not JSON: ")
    assert shown.err.endswith("; in a shell, put all of it between single quotes\n")


def test_the_help_shows_a_budget_with_its_quotes(remit: Remit) -> None:
    assert "'$50.00'" in remit("propose", "--help").out
