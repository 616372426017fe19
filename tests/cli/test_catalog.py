"""`remit modules`, `remit policy` and `remit schema`."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.artifacts.schemas import ARTIFACT_SCHEMAS, artifact_json_schema
from remit.directives.models import directive_json_schema
from remit.execution.modules.registry import ModuleInfo, discover_modules
from remit.operations.runs.workers import announce, read_modules
from remit.policy.config import ApprovalPolicy, ApprovalRule, default_policy, parse_policy
from remit.policy.limits import BudgetLimit
from remit.policy.validation import FILE_KEYS
from remit.vocabulary import ArtifactType
from tests.cli.conftest import Remit, Shown, without_ids
from tests.support.golden import golden
from tests.support.keys import KEYS

CAREFUL = """\
version = "1"
budget.ceiling = "$1,000"
budget.limits = [{name = "ops", ceiling = "$40", period = "day", role = "operations"}]
tools.allow = ["echo", "deploy-the-whole-of-it"]
scopes.allow = ["production"]
[approval]
approver_groups = ["sre", "release-managers"]
rules = [
    {name = "production-needs-a-person", scope = "production"},
    {name = "large-spend", amount_over = "$500", required_approvals = 2},
]
[end]
version = "1"
"""
POLICY = """\
version = "7"
[budget]
ceiling = "$1,000.00"
limits = []
[tools]
allow = ["echo"]
[approval]
required_approvals = 2
expires_after = "90s"
rules = []
[grant]
valid_for = "48h"
[end]
version = "7"
"""


LOCALLY = "`remit modules --local` lists those of this shell\n"


def test_the_modules_of_this_shell_are_listed_with_their_summaries(remit: Remit) -> None:
    shown = remit("modules", "--local")
    assert (shown.code, shown.err) == (0, "")
    assert golden("modules", "those of this shell") == shown.out


def test_what_workers_announced_is_listed_and_not_what_this_shell_has(
    keeper: Remit, kept_in: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMIT_MODULES", "nowhere:Nothing")
    info = ModuleInfo("pay", "2\u202e", "long", "Pays.", "elsewhere", 60.0)
    announce(kept_in, [info], KEYS)
    announce(kept_in, [replace(info, summary="")], KEYS)
    digests = {
        one.name: one.digest.removeprefix("sha256:")[:8]
        for one in (info, *discover_modules(installed=()).list_modules())
    }
    expected = golden("modules", "those that workers announced", **digests)
    assert expected == without_ids(keeper("modules").out)
    every = json.loads(keeper("modules", "--json").out)["modules"]
    [found] = [one for one in every if one["name"] == "pay"]
    assert found.pop("announced_at")
    assert found == {
        "name": "pay",
        "version": info.version,
        "digest": info.digest,
        "summary": "Pays.",
        "living": 2,
    }


def test_a_worker_that_starts_again_announces_its_modules_again(kept_in: sa.Engine) -> None:
    before = read_modules(kept_in)
    announce(kept_in, discover_modules(installed=()).list_modules(), KEYS)
    after = read_modules(kept_in)
    assert [one.name for one in after] == ["echo", "fail_intentionally", "noop"]
    assert all(b.announced_at < a.announced_at for b, a in zip(before, after, strict=True))


def test_that_no_worker_has_announced_a_module_is_said(
    keeper: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remit.operations.runs.workers.read_modules", lambda engine: [])
    said = f"no worker has announced a module yet: `remit worker` does; {LOCALLY}"
    assert keeper("modules") == Shown(0, said, "")
    assert json.loads(keeper("modules", "--json").out) == {"modules": []}


@pytest.mark.parametrize("url", ["", "postgresql://nobody@127.0.0.1:1/nowhere"])
def test_modules_need_the_database_unless_they_are_this_shells(
    remit: Remit, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    if url:
        monkeypatch.setenv("DATABASE_URL", url)
    shown = remit("modules")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith("remit: ")
    assert shown.err.endswith(f"; {LOCALLY}")
    assert remit("modules", "--local").code == 0


def test_more_modules_come_from_the_option_and_the_variable(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMIT_MODULES", " tests.support.modules:Nothing ,")
    shown = remit("modules", "--module", "nowhere:Nothing")
    assert shown.code == 2
    assert shown.err.startswith("remit: module tests.support.modules:Nothing cannot be loaded: ")


def test_modules_as_json_have_every_field(remit: Remit) -> None:
    found = json.loads(remit("modules", "--local", "--json").out)["modules"]
    assert found[2] == {
        "name": "noop",
        "version": "1",
        "kind": "short",
        "timeout_seconds": 30.0,
        "summary": "Does nothing and succeeds.",
        "source": "built-in",
    }


def test_a_good_policy_file_is_told_in_words(remit: Remit, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    digest = parse_policy(POLICY, source="test").digest
    shown = remit("policy", "check", str(file))
    assert (shown.code, shown.err) == (0, "")
    assert golden("policy-check", "a policy in words", file=file, digest=digest) == shown.out


def rows(shown: str) -> list[str]:
    """Return the lines of the table of what would happen, its header first."""
    lines = shown.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("SCOPE "))
    return lines[start : lines.index("", start)]


def test_what_would_happen_is_told_for_each_scope_and_tool_within_80_columns(
    remit: Remit, tmp_path: Path
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(CAREFUL)
    shown = remit("policy", "check", str(file))
    digest = parse_policy(CAREFUL, source="test").digest
    assert (shown.code, shown.err) == (0, "")
    assert max(map(len, rows(shown.out))) <= 80
    assert golden("policy-check", "what would happen", file=file, digest=digest) == shown.out


def test_what_would_happen_is_told_to_programs(remit: Remit, tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(CAREFUL)
    found = json.loads(remit("policy", "check", str(file), "--json").out)
    assert len(found["warnings"]) == 1
    assert found["outlook"][-1] == {
        "scope": "production",
        "tool": "echo",
        "role": "operations",
        "over": "40.00",
        "up_to": "1000.00",
        "verdict": "block",
        "required_approvals": 0,
        "rules": ["limit ops"],
        "approver_groups": ["release-managers", "sre"],
        "allow_self_approval": False,
        "expires_after": "86400s",
    }


@pytest.mark.parametrize("command", [("policy", "check"), ("up", "--policy-file")])
def test_a_policy_whose_rule_would_never_ask_is_refused_with_all_that_is_wrong(
    remit: Remit, tmp_path: Path, command: tuple[str, ...]
) -> None:
    file = tmp_path / "policy.toml"
    misspelt = CAREFUL.replace('scope = "production"', 'scope = "prod"')
    file.write_text(misspelt.replace("[end]", "quorum = 2\n[end]"))
    shown = remit(*command, str(file))
    assert (shown.code, shown.out) == (2, "")
    assert golden("policy-check", "all that is wrong", file=file) == shown.err
    error = json.loads(remit(*command, str(file), "--json").err)["error"]
    assert [each.partition(":")[0] for each in error["faults"]] == [
        "approval.quorum",
        "approval.rules[0].scope",
    ]


def test_the_policy_in_force_is_printed_to_be_copied(
    remit: Remit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built_in = remit("policy", "show").out
    assert parse_policy(built_in, source="test") == default_policy()
    file = tmp_path / "policy.toml"
    file.write_text(POLICY)
    monkeypatch.setenv("REMIT_POLICY_FILE", str(file))
    assert remit("policy", "show").out == POLICY
    assert json.loads(remit("policy", "show", "--json").out)["source"] == str(file)


def test_the_schema_is_that_of_a_directive(remit: Remit) -> None:
    assert json.loads(remit("schema").out) == directive_json_schema()
    assert remit("schema", "--json").out == remit("schema").out


@pytest.mark.parametrize("name", ARTIFACT_SCHEMAS)
def test_the_schema_of_each_type_of_artifact_is_printed_and_named_in_the_help(
    remit: Remit, name: ArtifactType
) -> None:
    assert json.loads(remit("schema", "--artifact", name).out) == artifact_json_schema(name)
    assert name in remit("schema", "--help").out


def test_an_unknown_type_of_artifact_is_refused_by_naming_those_there_are(remit: Remit) -> None:
    shown = remit("schema", "--artifact", "memo")
    assert (shown.code, shown.out) == (2, "")
    assert shown.err == (
        "remit: --artifact: must be policy_evaluation, execution_start, execution_checkpoint, "
        "execution_end, module_output, attachment, llm_call or llm_usage\n"
    )


def test_the_page_of_the_policy_file_tells_of_every_key() -> None:
    page = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
    of_tables = [f"{table}.{key}" for table, keys in FILE_KEYS.items() for key in keys]
    of_approval = [f"approval.{key}" for key in ApprovalPolicy.model_fields]
    inner = [*ApprovalRule.model_fields, *BudgetLimit.model_fields]
    for key in ["version", *of_tables, *of_approval, *inner]:
        assert f"| `{key}` |" in page
