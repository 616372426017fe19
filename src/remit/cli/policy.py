"""`remit policy`: what the gate decides by; looked at, checked, put in place and confirmed."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.options import DataDirOption, JsonOption
from remit.errors import UnavailableError

if TYPE_CHECKING:
    from remit.json_types import JsonObject
    from remit.policy.config import PolicyConfig

app = typer.Typer(help="The policy that the gate decides by.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (TOML).")]


@app.callback()
def policy() -> None:
    """Look at the policy that the gate decides by."""


@app.command()
def check(
    file: FileArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Check a policy file, and say what would happen under it.

    Exits with 0 when the policy can be used, warnings or not, and with 2 when it is refused.
    """
    from remit.cli import policy_views
    from remit.cli.output import Cell, write_json, write_line, write_table
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
    from remit.cli.services import database, load_settings, module_references
    from remit.execution.modules.registry import discover_modules
    from remit.operations.catalog import read_modules

    with suppress(UnavailableError), database(data_dir) as engine:
        names = tuple(each.name for each in read_modules(engine))
        if names:
            return names, True
    found = discover_modules(module_references(load_settings(data_dir))).list_modules()
    return tuple(each.name for each in found), False


@app.command()
def show(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Print the policy in force: REMIT_POLICY_FILE, the running stack's, or the built-in one."""
    from importlib.resources import files

    from remit.cli.output import print_out, safe, write_json
    from remit.cli.services import load_settings
    from remit.operations.policies import PolicySource
    from remit.policy.config import read_policy
    from remit.stack.discovery import policy_file

    path = policy_file(load_settings(data_dir))
    found = PolicySource(path).current()
    if as_json:
        write_json(_as_json(found, str(path) if path else None))
        return
    built_in = files("remit.policy").joinpath("default.toml")
    text = read_policy(path) if path else built_in.read_text(encoding="utf-8")
    for line in text.splitlines():
        print_out(safe(line.expandtabs()))


def _as_json(policy: "PolicyConfig", source: str | None) -> "JsonObject":
    return {"source": source, "digest": policy.digest, "policy": policy.canonical()}
