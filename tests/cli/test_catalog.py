"""`remit modules`, `remit policy` and `remit schema`."""

import json
from pathlib import Path

import pytest

from remit.artifacts.schemas import ARTIFACT_SCHEMAS, artifact_json_schema
from remit.artifacts.types import ArtifactType
from remit.directives.schema import directive_json_schema
from remit.policy.config import default_policy, parse_policy
from tests.cli.conftest import Remit, Shown

MODULES = """\
NAME                KIND   VERSION  SOURCE    SUMMARY
echo                short  1        built-in  Gives the payload back, as its result and as an artifact.
fail_intentionally  short  1        built-in  Fails on purpose: payload {"mode": "failure" or "raise", "message": text}.
noop                short  1        built-in  Does nothing and succeeds.
"""  # noqa: E501 - exactly what is printed

SUMMARY = """\
{file}: a policy
  version    7
  digest     {digest}
  budget     at most $1,000.00 for one directive
  tools      echo
  scopes     none: every directive is blocked
  a person   is never asked
  approvals  2 within 90s
  voters     everyone who may vote
  grant      good for 2d
"""

POLICY = """\
version = "7"
[budget]
ceiling = "$1,000.00"
[tools]
allow = ["echo"]
[approval]
required_approvals = 2
expires_after = "90s"
[grant]
valid_for = "48h"
"""


def test_modules_are_listed_with_their_summaries(remit: Remit) -> None:
    assert remit("modules") == Shown(0, MODULES, "")


def test_more_modules_come_from_the_option_and_the_variable(
    remit: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMIT_MODULES", " tests.support.modules:Nothing ,")
    shown = remit("modules", "--module", "nowhere:Nothing")
    assert shown.code == 2
    assert shown.err.startswith("remit: module tests.support.modules:Nothing cannot be loaded: ")


def test_modules_as_json_have_every_field(remit: Remit) -> None:
    found = json.loads(remit("modules", "--json").out)["modules"]
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
    assert shown == Shown(0, SUMMARY.format(file=file, digest=digest), "")


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
