"""`remit policy`: what the gate decides by; looked at, checked, put in place and confirmed."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from remit.base.wording import quoted
from remit.cli.base import services
from remit.cli.base.context import Context, Group
from remit.cli.base.file_writing import replacing
from remit.cli.base.options import argument, option
from remit.cli.base.output import Cell, print_out, safe, write_facts, write_line
from remit.cli.views import policy as policy_views
from remit.cli.views.cells import write_warning
from remit.errors import (
    ConflictError,
    InvalidInputError,
    MisconfiguredError,
    PolicyUnconfirmedError,
    UnavailableError,
)

if TYPE_CHECKING:
    from remit.approval.types import ConfirmedPolicy
    from remit.base.json_types import JsonObject
    from remit.operations.gate.policies import Confirmed
    from remit.policy.config import PolicyConfig

app = Group("The policy that the gate decides by.")

FileArgument = Annotated[Path, argument("FILE", "A policy file (TOML).")]
ConfirmedArgument = Annotated[
    Path | None, argument("[FILE]", "A policy file. Default: the one in force.")
]
ToOption = Annotated[
    Path | None,
    option(
        "--to", "The file to replace. Default: REMIT_POLICY_FILE, else the running stack's.", "PATH"
    ),
]
DigestOption = Annotated[
    str | None,
    option(
        "--digest",
        "The digest that `remit policy check` showed; refused if the policy has another.",
        "DIGEST",
    ),
]

_MOST_OF_A_DIGEST = 80
"""How many characters of a typed digest a message repeats; a digest has 71."""


@app.add()
def check(context: Context, file: FileArgument) -> None:
    """Check a policy file, and say what would happen under it.

    Exits with 0 when the policy can be used, warnings or not, and with 2 when it is refused.
    """
    from remit.policy.config import load_policy
    from remit.policy.lint import lint
    from remit.policy.preview import preview

    found = load_policy(file)
    names, announced = _known_modules(context)
    where = "among those that the workers announced" if announced else "that this shell knows of"
    expected = preview(found, names if announced else None)
    warnings = lint(found, names, where)

    def write() -> None:
        write_line(f"{file}: ", Cell("a policy", "green"))
        write_facts(policy_views.summary(found))
        unknown = () if announced else set(found.allowed_tools) - set(names)
        policy_views.write_prospects(found, expected, unknown)
        for warning in warnings:
            write_warning(warning, stderr=False)

    outlook = policy_views.as_json(found, expected)
    document = {**_as_json(found, file), "outlook": outlook, "warnings": warnings}
    context.show(document, write)


def _known_modules(context: Context) -> tuple[tuple[str, ...], bool]:
    """Return the names of the modules there are, and whether the workers' announcements say so.

    A policy is checked where no stack runs as well; then this shell's own modules are the best
    that is known.
    """
    from remit.execution.modules.registry import discover_modules
    from remit.operations.runs.workers import read_modules

    with suppress(UnavailableError):
        names = tuple(each.name for each in read_modules(context.engine))
        if names:
            return names, True
    found = discover_modules(services.module_references(context.settings)).list_modules()
    return tuple(each.name for each in found), False


@app.add()
def show(context: Context) -> None:
    """Print the policy in force: REMIT_POLICY_FILE, the running stack's, or the built-in one.

    Standard error says so where no operator has confirmed it.
    """
    from importlib.resources import files

    from remit.operations.gate.policies import PolicySource
    from remit.policy.config import read_policy
    from remit.stack.discovery import policy_file

    path = policy_file(context.settings)
    found = PolicySource(path).read()
    state, problem = _confirmation(context, found)

    def write() -> None:
        built_in = files("remit.policy").joinpath("default.toml")
        text = read_policy(path) if path else built_in.read_text(encoding="utf-8")
        for line in text.splitlines():
            print_out(safe(line.expandtabs()))
        if problem:
            write_warning(problem)

    context.show({**_as_json(found, path), "confirmation": state}, write)


def _confirmation(context: Context, policy: "PolicyConfig") -> "tuple[JsonObject | None, str]":
    """Return who confirmed a policy, and what is wrong with that; None where nobody can be asked.

    A policy is looked at where no stack runs, and where there are no keys, as well.
    """
    from remit.operations.gate.policies import find_confirmed

    try:
        found = find_confirmed(context.engine, policy, context.keys)
    except PolicyUnconfirmedError as error:
        return {"state": error.error_type, "by": None, "at": None}, error.message
    except (UnavailableError, MisconfiguredError):
        return None, ""
    return _confirmed_json(found), ""


@app.add(acting=True)
def confirm(
    context: Context, file: ConfirmedArgument = None, *, digest: DigestOption = None
) -> None:
    """Confirm a policy: the one in force, or one that is put in place later by other means.

    Until an operator has, nothing is decided or started under it. `remit up` confirms the policy
    that it starts with, and `remit policy install` the one that it puts in place.
    """
    from remit.operations.gate.policies import PolicySource
    from remit.stack.discovery import policy_file

    path = file or policy_file(context.settings)
    found = PolicySource(path).read()
    _look_again(found, digest)
    _show_confirmed(context, found, _confirm(context, found), path)


@app.add(acting=True)
def install(
    context: Context, file: FileArgument, *, to: ToOption = None, digest: DigestOption = None
) -> None:
    """Check a policy file, confirm it, and put it in place of the one in force at one stroke.

    Whoever reads the file meanwhile, or after a crash, finds the old policy or the new one. Where
    no stack runs and DATABASE_URL is not set it is not confirmed; `remit up` will do so.
    """
    from remit.policy.config import parse_policy, read_policy
    from remit.stack.discovery import find_stack, policy_file

    settings = context.settings
    target = to or policy_file(settings)
    if target is None:
        raise InvalidInputError(
            "the built-in policy is in force, which cannot be replaced: name a file here, and then "
            "start with it as REMIT_POLICY_FILE",
            field="--to",
        )
    # There is a database to ask, even where it does not answer.
    is_served = settings.database_url or find_stack(settings.remit_data_dir) is not None
    text = read_policy(file)
    found = parse_policy(text, source=str(file))
    _look_again(found, digest)
    with replacing(target, text.encode(), field="--to") as put:
        # Confirmed first: else it would be in force for a moment, and nobody's.
        done = _confirm(context, found) if is_served else None
        put()
    _show_confirmed(context, found, done, target)


def _look_again(policy: "PolicyConfig", seen: str | None) -> None:
    """Print what its author may not have meant; refuse whoever checked another policy."""
    from remit.policy.lint import lint

    if seen is not None and seen != policy.digest:
        raise ConflictError(
            f"you saw {quoted(seen, _MOST_OF_A_DIGEST)}, and the policy's digest is "
            f"{quoted(policy.digest, _MOST_OF_A_DIGEST)}: look again with `remit policy check`",
            field="--digest",
        )
    for warning in lint(policy):
        write_warning(warning)


def _confirm(context: Context, policy: "PolicyConfig") -> "Confirmed":
    from remit.operations.gate.policies import confirm_policy

    return confirm_policy(context.engine, policy, keys=context.keys, by=context.caller)


def _show_confirmed(
    context: Context, policy: "PolicyConfig", done: "Confirmed | None", path: Path | None
) -> None:
    def write() -> None:
        if done is None:
            words = "not confirmed, as no stack runs: `remit up` does so at its start"
            state = Cell(words, "yellow")
        else:
            before = "" if done.created else "before, "
            state = Cell(f"confirmed {before}by {done.policy.confirmed_by}", "green")
        write_line(f"{path or 'the built-in policy'}: ", state)
        write_facts([("version", policy.version), ("digest", policy.digest)])

    document = {
        "source": str(path) if path else None,
        "version": policy.version,
        "digest": policy.digest,
        "confirmation": None if done is None else _confirmed_json(done.policy),
        "again": done is not None and not done.created,
    }
    context.show(document, write)


def _as_json(policy: "PolicyConfig", source: Path | None) -> "JsonObject":
    shown = str(source) if source else None
    return {"source": shown, "digest": policy.digest, "policy": policy.canonical()}


def _confirmed_json(found: "ConfirmedPolicy") -> "JsonObject":
    at = found.confirmed_at.isoformat()
    return {"state": "confirmed", "by": found.confirmed_by, "at": at}
