"""`remit modules`, `remit policy` and `remit schema`: what there is, before anything is asked."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.options import DataDirOption, JsonOption, ModuleOption

if TYPE_CHECKING:
    from remit.json_types import JsonObject
    from remit.policy.config import ApprovalRule, PolicyConfig
    from remit.policy.limits import BudgetLimit

app = typer.Typer(help="The policy that the gate decides by.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A policy file (TOML).")]
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


def modules(*, module: ModuleOption = None, as_json: JsonOption = False) -> None:
    """List the modules that execute directives."""
    from remit.cli.output import Cell, write_json, write_table
    from remit.cli.services import load_settings, module_references
    from remit.execution.modules.registry import discover_modules

    references = (*module_references(load_settings(None)), *(module or ()))
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
def check(file: FileArgument, *, as_json: JsonOption = False) -> None:
    """Check a policy file, and say what it allows."""
    from remit.cli.output import Cell, write_json, write_line, write_table
    from remit.policy.config import load_policy

    found = load_policy(file)
    if as_json:
        write_json(_as_json(found, str(file)))
        return
    write_line(f"{file}: ", Cell("a policy", "green"))
    write_table((), [("", Cell(name, "dim"), value) for name, value in _summary(found)])


@app.command()
def show(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Print the policy in force: REMIT_POLICY_FILE, the running stack's, or the built-in one."""
    from importlib.resources import files

    from remit.cli.output import print_out, safe, write_json
    from remit.cli.services import load_settings
    from remit.operations.policies import PolicySource
    from remit.stack.discovery import policy_file

    path = policy_file(load_settings(data_dir))
    found = PolicySource(path).current()
    if as_json:
        write_json(_as_json(found, str(path) if path else None))
        return
    source = path or files("remit.policy").joinpath("default.toml")
    for line in source.read_text(encoding="utf-8-sig").splitlines():
        print_out(safe(line.expandtabs()))


def _as_json(policy: "PolicyConfig", source: str | None) -> "JsonObject":
    return {"source": source, "digest": policy.digest, "policy": policy.canonical()}


def _summary(policy: "PolicyConfig") -> list[tuple[str, str]]:
    """Return what a policy allows, a line for each part; what it does not list is not allowed."""
    approval = policy.approval
    groups = ", ".join(approval.approver_groups) or "everyone who may vote"
    return [
        ("version", policy.version),
        ("digest", policy.digest),
        ("budget", f"at most ${policy.budget_ceiling:,} for one directive"),
        *(("limit", _limit(limit)) for limit in policy.budget_limits),
        ("tools", ", ".join(policy.allowed_tools) or "none: every directive is blocked"),
        ("scopes", ", ".join(policy.allowed_scopes) or "none: every directive is blocked"),
        ("a person", ", ".join(_rule(rule) for rule in approval.rules) or "is never asked"),
        ("approvals", f"{approval.required_approvals} within {length(approval.expires_after)}"),
        ("voters", groups),
        ("grant", f"good for {length(policy.grant_valid_for)}"),
    ]


def _limit(limit: "BudgetLimit") -> str:
    whose = "all roles together" if limit.role is None else f"the role {limit.role}"
    at_cap = "a person may let it pass" if limit.at_cap == "ask" else "then it blocks"
    return f"{limit.name}: ${limit.ceiling:,} a {limit.period} for {whose}; {at_cap}"


def _rule(rule: "ApprovalRule") -> str:
    needed = rule.required_approvals
    return rule.name if needed is None else f"{rule.name} ({needed} approvals)"


def length(time: timedelta) -> str:
    """Return a length of time as a policy file has it: in its largest whole unit."""
    seconds = time // timedelta(seconds=1)
    units = ((86400, "d"), (3600, "h"), (60, "m"))
    return next((f"{seconds // n}{unit}" for n, unit in units if seconds % n == 0), f"{seconds}s")
