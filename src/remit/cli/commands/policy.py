"""`remit policy`: what the gate decides by; looked at, checked, put in place and confirmed."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.base.wording import quoted
from remit.cli.base.options import ActorOption, DataDirOption, JsonOption
from remit.cli.base.output import Cell, write_json, write_line, write_table
from remit.errors import (
    ConflictError,
    InvalidInputError,
    MisconfiguredError,
    PolicyUnconfirmedError,
    UnavailableError,
)

if TYPE_CHECKING:
    from remit.approval.confirmation import ConfirmedPolicy
    from remit.base.json_types import JsonObject
    from remit.operations.gate.confirmations import Confirmed
    from remit.policy.config import PolicyConfig
    from remit.settings import Settings

app = typer.Typer(help="The policy that the gate decides by.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (TOML).")]
ConfirmedArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="[FILE]", show_default=False, help="A policy file. Default: the one in force."
    ),
]
ToOption = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="PATH",
        show_default=False,
        help="The file to replace. Default: REMIT_POLICY_FILE, else the running stack's.",
    ),
]
DigestOption = Annotated[
    str | None,
    typer.Option(
        "--digest",
        metavar="DIGEST",
        show_default=False,
        help="The digest that `remit policy check` showed; refused if the policy has another.",
    ),
]

_MOST_OF_A_DIGEST = 80
"""How many characters of a typed digest a message repeats; a digest has 71."""


@app.callback()
def policy() -> None:
    """Look at the policy that the gate decides by, and put another one in force."""


@app.command()
def check(
    file: FileArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Check a policy file, and say what would happen under it.

    Exits with 0 when the policy can be used, warnings or not, and with 2 when it is refused.
    """
    from remit.cli.views import policy as policy_views
    from remit.policy.config import load_policy
    from remit.policy.doubts import doubts
    from remit.policy.outlook import prospects

    found = load_policy(file)
    names, announced = _known_modules(data_dir)
    where = "among those that the workers announced" if announced else "that this shell knows of"
    expected = prospects(found, names if announced else None)
    warnings = doubts(found, names, where)
    if as_json:
        told = policy_views.as_json(found, expected)
        write_json({**_as_json(found, str(file)), "outlook": told, "warnings": warnings})
        return
    write_line(f"{file}: ", Cell("a policy", "green"))
    write_table((), [("", Cell(name, "dim"), value) for name, value in policy_views.summary(found)])
    unknown = () if announced else set(found.allowed_tools) - set(names)
    policy_views.write_prospects(found, expected, unknown)
    for warning in warnings:
        write_line(Cell("warning: ", "yellow"), warning)


def _known_modules(data_dir: Path | None) -> tuple[tuple[str, ...], bool]:
    """Return the names of the modules there are, and whether the workers' announcements say so.

    A policy is checked where no stack runs as well; then this shell's own modules are the best
    that is known.
    """
    from remit.cli.base.services import database, load_settings, module_references
    from remit.execution.modules.registry import discover_modules
    from remit.operations.runs.workers import read_modules

    with suppress(UnavailableError), database(data_dir) as engine:
        names = tuple(each.name for each in read_modules(engine))
        if names:
            return names, True
    found = discover_modules(module_references(load_settings(data_dir))).list_modules()
    return tuple(each.name for each in found), False


@app.command()
def show(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Print the policy in force: REMIT_POLICY_FILE, the running stack's, or the built-in one.

    Standard error says so where no operator has confirmed it.
    """
    from importlib.resources import files

    from remit.cli.base.output import print_out, safe
    from remit.cli.base.services import load_settings
    from remit.operations.gate.policies import PolicySource
    from remit.policy.config import read_policy
    from remit.stack.discovery import policy_file

    settings = load_settings(data_dir)
    path = policy_file(settings)
    found = PolicySource(path).read()
    state, problem = _confirmation(found, settings, data_dir)
    if as_json:
        write_json({**_as_json(found, str(path) if path else None), "confirmation": state})
        return
    built_in = files("remit.policy").joinpath("default.toml")
    text = read_policy(path) if path else built_in.read_text(encoding="utf-8")
    for line in text.splitlines():
        print_out(safe(line.expandtabs()))
    if problem:
        write_line(Cell("warning: ", "yellow"), problem, stderr=True)


def _confirmation(
    policy: "PolicyConfig", settings: "Settings", data_dir: Path | None
) -> "tuple[JsonObject | None, str]":
    """Return who confirmed a policy, and what is wrong with that; None where nobody can be asked.

    A policy is looked at where no stack runs, and where there are no keys, as well.
    """
    from remit.cli.base.services import database, keys_for
    from remit.operations.gate.confirmations import find_confirmed

    try:
        with database(data_dir) as engine:
            found = find_confirmed(engine, policy, keys_for(engine, settings))
    except PolicyUnconfirmedError as error:
        return {"state": error.error_type, "by": None, "at": None}, error.message
    except (UnavailableError, MisconfiguredError):
        return None, ""
    return _as_said(found), ""


@app.command()
def confirm(
    file: ConfirmedArgument = None,
    *,
    digest: DigestOption = None,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Confirm a policy: the one in force, or one that is put in place later by other means.

    Until an operator has, nothing is decided or started under it. `remit up` confirms the policy
    that it starts with, and `remit policy install` the one that it puts in place.
    """
    from remit.cli.base.services import load_settings
    from remit.operations.gate.policies import PolicySource
    from remit.stack.discovery import policy_file

    settings = load_settings(data_dir)
    path = file or policy_file(settings)
    found = PolicySource(path).read()
    _look_again(found, digest)
    done = _confirm(found, settings, actor, data_dir)
    _tell(found, done, path, as_json=as_json)


@app.command()
def install(
    file: FileArgument,
    *,
    to: ToOption = None,
    digest: DigestOption = None,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a policy file, confirm it, and put it in place of the one in force at one stroke.

    Whoever reads the file meanwhile, or after a crash, finds the old policy or the new one. Where
    no stack runs and DATABASE_URL is not set it is not confirmed; `remit up` will do so.
    """
    from remit.cli.base.file_writing import replacing
    from remit.cli.base.services import load_settings
    from remit.policy.config import parse_policy, read_policy
    from remit.stack.discovery import policy_file

    settings = load_settings(data_dir)
    target = to or policy_file(settings)
    if target is None:
        raise InvalidInputError(
            "the built-in policy is in force, which cannot be replaced: name a file here, and then "
            "start with it as REMIT_POLICY_FILE",
            field="--to",
        )
    text = read_policy(file)
    found = parse_policy(text, source=str(file))
    _look_again(found, digest)
    with replacing(target, text.encode(), field="--to") as put:
        # Confirmed first: else it would be in force for a moment, and nobody's.
        done = _confirm(found, settings, actor, data_dir) if _is_served(settings) else None
        put()
    _tell(found, done, target, as_json=as_json)


def _look_again(policy: "PolicyConfig", seen: str | None) -> None:
    """Print what its author may not have meant; refuse whoever checked another policy.

    Raises:
        ConflictError: it is not the policy that was seen.
    """
    from remit.policy.doubts import doubts

    if seen is not None and seen != policy.digest:
        raise ConflictError(
            f"you saw {quoted(seen, _MOST_OF_A_DIGEST)}, and the policy's digest is "
            f"{quoted(policy.digest, _MOST_OF_A_DIGEST)}: look again with `remit policy check`",
            field="--digest",
        )
    for doubt in doubts(policy):
        write_line(Cell("warning: ", "yellow"), doubt, stderr=True)


def _is_served(settings: "Settings") -> bool:
    """Return whether there is a database to ask; one that does not answer is there all the same."""
    from remit.stack.discovery import find_stack

    return bool(settings.database_url) or find_stack(settings.remit_data_dir) is not None


def _confirm(
    policy: "PolicyConfig", settings: "Settings", actor: str | None, data_dir: Path | None
) -> "Confirmed":
    from remit.cli.base.services import caller, database, keys_for
    from remit.operations.gate.confirmations import confirm_policy

    with database(data_dir) as engine:
        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        return confirm_policy(engine, policy, by=by, keys=keys)


def _tell(
    policy: "PolicyConfig", done: "Confirmed | None", path: Path | None, *, as_json: bool
) -> None:
    """Print which policy may be decided by from now on, and who said so."""
    where = str(path) if path else None
    if as_json:
        said = None if done is None else _as_said(done.policy)
        write_json(
            {
                "source": where,
                "version": policy.version,
                "digest": policy.digest,
                "confirmation": said,
                "again": done is not None and not done.created,
            }
        )
        return
    if done is None:
        state = Cell("not confirmed, as no stack runs: `remit up` does so at its start", "yellow")
    else:
        before = "" if done.created else "before, "
        state = Cell(f"confirmed {before}by {done.policy.confirmed_by}", "green")
    write_line(f"{where or 'the built-in policy'}: ", state)
    rows = (("version", policy.version), ("digest", policy.digest))
    write_table((), [("", Cell(name, "dim"), value) for name, value in rows])


def _as_json(policy: "PolicyConfig", source: str | None) -> "JsonObject":
    return {"source": source, "digest": policy.digest, "policy": policy.canonical()}


def _as_said(found: "ConfirmedPolicy") -> "JsonObject":
    at = found.confirmed_at.isoformat()
    return {"state": "confirmed", "by": found.confirmed_by, "at": at}
