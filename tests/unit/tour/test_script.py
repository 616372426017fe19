"""A tour file is read whole, or refused in one line that says where and what to do."""

import json
from pathlib import Path
from typing import Any

import pytest

from remit.errors import InvalidInputError
from remit.identity.rules import abilities
from remit.policy.config import default_policy, load_policy
from remit.tour.script import Outcome, Scene, load_script, parse_script, principals_of
from remit.tour.startup import POLICY, SCRIPT, shipped

DIRECTIVE = {
    "role": "executor",
    "type": "echo",
    "objective": "Give a greeting back.",
    "scope": "test",
    "issued_by": "planner",
    "status": "proposed",
}
SCENE = {
    "title": "Echo",
    "directive": DIRECTIVE,
    "expect": {"verdict": "allow", "status": "complete"},
}
NO_NAME = (
    "is no principal's name: use lower-case letters, digits, and . _ @ - after the first, at most "
    "100 in all"
)
FIELDS = "title, directive, times, person, kill_worker and expect"


def _line(**changes: Any) -> str:
    return json.dumps({name: value for name, value in (SCENE | changes).items() if value != "-"})


def test_a_scene_leaves_out_what_must_not_happen() -> None:
    (scene,) = parse_script(_line(), source="t")
    assert scene.directive.type == "echo"
    assert (scene.times, scene.person, scene.kill_worker) == (1, (), False)
    assert scene.expect == Outcome(verdict="allow", status="complete", run=None, attempts=0)


def test_blank_lines_are_skipped() -> None:
    assert len(parse_script(f"\n{_line()}\n\n  \n{_line()}\n", source="t")) == 2


def test_an_act_names_who_does_it_and_what_remit_must_answer() -> None:
    act = {"act": "approve", "as": "planner", "after_seconds": 0.5, "refused": "forbidden"}
    (scene,) = parse_script(_line(person=[act]), source="t")
    assert (scene.person[0].by, scene.person[0].refused) == ("planner", "forbidden")


def test_whoever_may_vote_or_steer_what_others_issued_is_a_person_and_all_others_are_agents() -> (
    None
):
    def acts(**act: Any) -> str:
        return _line(person=[act])

    script = parse_script(
        "\n".join(
            (
                acts(act="approve", **{"as": "voter"}),
                acts(act="approve", **{"as": "refused"}, refused="forbidden"),
                acts(act="cancel", **{"as": "planner"}),
                acts(act="retry", **{"as": "steerer"}),
                acts(act="reject", **{"as": "both"}, refused="forbidden"),
                acts(act="reject", **{"as": "both"}, reason="no"),
            )
        ),
        source="t",
    )
    kinds = {one.name: one.kind for one in principals_of(script)}
    assert kinds == {
        "both": "human",
        "planner": "agent",
        "refused": "agent",
        "steerer": "human",
        "voter": "human",
    }


def test_people_may_do_what_the_tour_lets_them_and_agents_only_propose() -> None:
    for one in principals_of(load_script(shipped(SCRIPT))):
        able = {"propose", "vote", "operate"} if one.kind == "human" else {"propose"}
        assert abilities(one) == able


BAD = [
    ("", "t: holds no directive: write one a line, as JSON"),
    ("{", "t: line 1: not JSON: Expecting property name enclosed in double quotes (column 2)"),
    (
        "[" * 100_000,
        "t: line 1: not JSON that can be read: nested too deeply, or too long a number",
    ),
    ('{"title":' + " " * 1_000_000 + "1}", "t: line 1: too long: at most 1000000 characters"),
    ("[]", f"t: line 1: must be a JSON object with the fields {FIELDS}"),
    (_line(surprise=1), f"t: line 1: surprise: unknown field; known fields are {FIELDS}"),
    (_line(title="-"), "t: line 1: title: missing: say in a few words what it shows"),
    (_line(directive="-"), "t: line 1: directive: missing: say what is proposed"),
    (_line(expect="-"), "t: line 1: expect: missing: say what must come of it"),
    (
        _line(expect=1),
        (
            "t: line 1: expect: must be a JSON object with the fields verdict, status, "
            "reason, blocked_by, approved_by, run, attempts and effects"
        ),
    ),
    (
        _line(expect={"verdict": "allow"}),
        't: line 1: expect.status: missing: say the status it ends in, like "complete"',
    ),
    (
        _line(expect={"verdict": "maybe", "status": "complete"}),
        "t: line 1: expect.verdict: must be 'allow', 'require_approval' or 'block'",
    ),
    (
        _line(expect={"verdict": "allow", "status": "complete", "color": 1}),
        (
            "t: line 1: expect.color: unknown field; known fields are verdict, status, reason, "
            "blocked_by, approved_by, run, attempts and effects"
        ),
    ),
    (
        _line(directive=DIRECTIVE | {"scope": " "}),
        't: line 1: directive.scope: empty: say where it may act, like "test"',
    ),
    (
        _line(directive=1),
        (
            "t: line 1: directive: a directive must be a JSON object with the fields role, type, "
            "payload, issued_by, objective, scope, constraints, success_metrics, budget, timebox, "
            "status and idempotency_key"
        ),
    ),
    (
        _line(directive=DIRECTIVE | {"status": "draft"}),
        't: line 1: directive.status: say "proposed": a draft never reaches the gate',
    ),
    (
        _line(person=[{"act": "vote", "as": "operator"}]),
        "t: line 1: person[0].act: must be 'approve', 'reject', 'cancel' or 'retry'",
    ),
    (
        _line(person=[{"act": "cancel", "who": "operator", "as": "operator"}]),
        (
            "t: line 1: person[0].who: unknown field; known fields are act, as, reason, "
            "after_seconds and refused"
        ),
    ),
    (_line(person={}), "t: line 1: person: must be a list"),
    (
        _line(person=[{"act": "cancel", "as": "The Boss"}]),
        f't: line 1: person[0].as: "The Boss" {NO_NAME}',
    ),
    (
        _line(directive=DIRECTIVE | {"issued_by": "The Boss"}),
        f't: line 1: directive.issued_by: "The Boss" {NO_NAME}',
    ),
    (
        _line(times=2),
        "t: line 1: times: needs an idempotency_key in the directive, or it is another one",
    ),
    (
        _line(kill_worker=True),
        't: line 1: kill_worker: needs the type "ledger", whose effects can be counted',
    ),
    (
        _line() + "\n\n{]",
        "t: line 3: not JSON: Expecting property name enclosed in double quotes (column 2)",
    ),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[message[:60] for _, message in BAD])
def test_a_bad_line_is_named_with_its_field_and_the_fix(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_script(text, source="t")
    assert str(caught.value) == message


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        load_script(tmp_path / "no.jsonl")
    path = tmp_path / "no.jsonl"
    assert str(caught.value) == (
        f"{path}: cannot be read (No such file or directory): name a tour file"
    )


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "tour.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInputError) as caught:
        load_script(path)
    assert str(caught.value) == f"{path}: is not text: save it as UTF-8"


def test_the_tour_that_ships_shows_every_way_through_the_loop() -> None:
    script = load_script(shipped(SCRIPT))
    seen = {(scene.expect.verdict, scene.expect.status, scene.expect.reason) for scene in script}
    assert {
        ("allow", "complete", None),
        ("require_approval", "complete", None),
        ("require_approval", "blocked", "rejected"),
        ("require_approval", "blocked", "expired"),
        ("require_approval", "blocked", "canceled"),
        ("block", "blocked", "policy"),
        ("allow", "aborted", "module_failed"),
        ("allow", "aborted", "module_error"),
    } <= seen
    blockers = {name for scene in script for name in scene.expect.blocked_by}
    assert blockers == {"budget_ceiling", "tool_allowlist", "scope_allowlist"}


def test_the_tour_that_ships_kills_the_worker_and_expects_one_effect_of_two_attempts() -> None:
    killing = [scene for scene in load_script(shipped(SCRIPT)) if scene.kill_worker]
    assert [(scene.expect.attempts, scene.expect.effects) for scene in killing] == [(2, 1)]


def test_the_titles_of_the_tour_that_ships_leave_room_for_the_table() -> None:
    titles = [scene.title for scene in load_script(shipped(SCRIPT))]
    assert max(map(len, titles)) <= 28
    assert len(set(titles)) == len(titles)


def test_the_policy_of_the_tour_is_the_built_in_one_with_four_changes() -> None:
    policy: dict[str, Any] = load_policy(shipped(POLICY)).canonical()
    built_in: dict[str, Any] = default_policy().canonical()
    unlike = {name for name, value in policy.items() if value != built_in[name]}
    assert unlike == {"version", "allowed_tools", "approval", "grant_valid_for"}
    assert policy["allowed_tools"] == sorted(
        [*default_policy().allowed_tools, "fail_intentionally", "inventory", "ledger"]
    )
    *rules, added = policy["approval"]["rules"]
    assert added["required_approvals"] == 2
    approval = built_in["approval"] | {"expires_after": "3s"}
    assert policy["approval"] | {"rules": rules} == approval


def test_the_tour_that_ships_shows_that_no_agent_votes_and_nobody_on_what_they_issued() -> None:
    script = load_script(shipped(SCRIPT))
    kinds = {one.name: one.kind for one in principals_of(script)}
    refused = {
        (kinds[act.by], act.by == scene.directive.issued_by)
        for scene in script
        for act in scene.person
        if act.refused == "forbidden"
    }
    assert refused == {("agent", False), ("human", True)}


def test_the_tour_that_ships_shows_that_two_people_must_agree() -> None:
    agreed = [scene.expect.approved_by for scene in load_script(shipped(SCRIPT))]
    assert ("operator", "reviewer") in agreed


def test_every_scene_can_be_written_back_as_it_was_read() -> None:
    for scene in load_script(shipped(SCRIPT)):
        assert Scene.model_validate(scene.model_dump(by_alias=True)) == scene
