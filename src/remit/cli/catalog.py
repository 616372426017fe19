"""`remit modules`, `remit policy` and `remit schema`: what there is, before anything is asked."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.options import DataDirOption, JsonOption, ModuleOption
from remit.errors import UnavailableError
from remit.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.execution.catalog import AnnouncedModule
    from remit.json_types import JsonObject
    from remit.policy.config import ApprovalRule, PolicyConfig
    from remit.policy.limits import BudgetLimit

app = typer.Typer(help="The policy that the gate decides by.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (TOML).")]
LocalOption = Annotated[
    bool,
    typer.Option(
        "--local",
        help="List those that a worker started from this shell would have; so does --module.",
    ),
]
ArtifactOption = Annotated[
    str | None,
    typer.Option(
        "--artifact",
        metavar="TYPE",
        show_default=False,
        help="In its place that of an artifact's metadata: policy_evaluation, execution_start, "
        "execution_checkpoint, execution_end, module_output, attachment, llm_call or llm_usage.",
    ),
]


_LOCALLY = "`remit modules --local` lists those of this shell"


def modules(
    *,
    local: LocalOption = False,
    module: ModuleOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the modules that workers have announced, which execute directives, in each version.

    WORKERS is how many workers live that have this very version, and ANNOUNCED when one last
    started. A new grant is for the version of the newest worker that lives.
    """
    if local or module:
        _write_local(module or (), as_json=as_json)
        return
    from remit.cli.output import write_json
    from remit.cli.services import database

    try:
        with database(data_dir) as engine:
            from remit.operations.catalog import read_modules

            found = read_modules(engine)
    except UnavailableError as error:
        raise UnavailableError(f"{error.message}; {_LOCALLY}") from error
    if as_json:
        write_json({"modules": found})
    else:
        _write_announced(found)


def _write_announced(found: "Sequence[AnnouncedModule]") -> None:
    from remit.cli.output import Cell, write_line, write_table
    from remit.cli.timeline import moment
    from remit.revealing.text import revealed

    if not found:
        write_line(f"no worker has announced a module yet: `remit worker` does; {_LOCALLY}")
        return
    rows = [
        (
            Cell(each.name, "bold"),
            revealed(each.version),
            each.digest.removeprefix("sha256:")[:8],
            Cell(str(each.living), "green" if each.living else "dim"),
            moment(each.announced_at),
            revealed(each.summary),
        )
        for each in found
    ]
    write_table(("NAME", "VERSION", "DIGEST", "WORKERS", "ANNOUNCED", "SUMMARY"), rows)


def _write_local(module: "Sequence[str]", *, as_json: bool) -> None:
    """List the modules that a worker started from this shell would have."""
    from remit.cli.output import Cell, write_json, write_table
    from remit.cli.services import load_settings, module_references
    from remit.execution.modules.registry import discover_modules

    references = (*module_references(load_settings(None)), *module)
    found = discover_modules(references).list_modules()
    if as_json:
        write_json({"modules": found})
        return
    rows = [
        (Cell(each.name, "bold"), each.kind, each.version, each.source, each.summary)
        for each in found
    ]
    write_table(("NAME", "KIND", "VERSION", "SOURCE", "SUMMARY"), rows)


def schema(*, artifact: ArtifactOption = None, as_json: JsonOption = False) -> None:
    """Print the JSON Schema of a directive, as `remit propose FILE` takes it."""
    from remit.cli.output import write_json

    del as_json  # it is JSON in any case; scripts may say so everywhere
    if artifact is None:
        from remit.directives.schema import directive_json_schema

        write_json(directive_json_schema())
        return
    from remit.artifacts.schemas import artifact_json_schema
    from remit.cli.artifacts import artifact_type

    write_json(artifact_json_schema(artifact_type(artifact, "--artifact")))


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
    write_table((), [("", Cell(name, "dim"), value) for name, value in _summary(found)])
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


def _summary(policy: "PolicyConfig") -> list[tuple[str, str]]:
    """Return what a policy allows, a line for each part; what it does not list is not allowed."""
    from remit.cli.policy_views import length

    approval = policy.approval
    groups = ", ".join(approval.approver_groups) or "everyone who may vote"
    asks = [
        *map(_rule, approval.rules),
        *(f"limit {limit.name}" for limit in policy.budget_limits if limit.at_cap == "ask"),
    ]
    return [
        ("version", policy.version),
        ("digest", policy.digest),
        ("budget", f"at most ${policy.budget_ceiling:,} for one directive"),
        *(("limit", _limit(limit)) for limit in policy.budget_limits),
        ("tools", ", ".join(policy.allowed_tools) or "none: every directive is blocked"),
        ("scopes", ", ".join(policy.allowed_scopes) or "none: every directive is blocked"),
        ("a person", ", ".join(asks) or "is never asked"),
        ("approvals", f"{approval.required_approvals} within {length(approval.expires_after)}"),
        ("voters", groups),
        ("grant", f"good for {length(policy.grant_valid_for)}"),
    ]


def _limit(limit: "BudgetLimit") -> str:
    whose = "all roles together" if limit.role is None else f"the role {limit.role}"
    at_cap = "a person may let it pass" if limit.at_cap == "ask" else "then it blocks"
    return f"{limit.name}: ${limit.ceiling:,} {limit.each} for {whose}; {at_cap}"


def _rule(rule: "ApprovalRule") -> str:
    needed = rule.required_approvals
    return rule.name if needed is None else f"{rule.name} ({counted(needed, 'approval')})"
