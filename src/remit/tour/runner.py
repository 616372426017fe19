"""Plays the scenes of the tour through `remit.control`, as any person or agent would.

Called by `remit demo` with a running stack. It may not change a status by other means.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from remit.approval.types import Ballot
from remit.artifacts.store import ObjectStore
from remit.control import Control
from remit.directives.lifecycle import is_terminal_status
from remit.directives.models import DirectiveRead
from remit.errors import ConflictError, RemitError, UnavailableError
from remit.identity.types import Principal
from remit.operations.evidence.records import read_record
from remit.operations.evidence.upkeep import check_artifacts
from remit.operations.gate.proposals import GateOutcome
from remit.stack.supervisor import Stack
from remit.tour.ledger import Ledger, read_ledger
from remit.tour.progress import Board, Box, Mark, Moment
from remit.tour.report import Played, TourReport
from remit.tour.script import Act, Scene
from remit.tour.startup import seconds_since_process_start
from remit.vocabulary import PolicyVerdict, VoteDecision

SCENE_SECONDS = 60.0
"""Longest time that a scene may take; after that it differs from what was expected."""

_EFFECT_PAUSE_SECONDS = 0.05
_TELLING_SECONDS = 1.0
"""What a worker needs to keep the steps of the runs that it ended: killed, it takes them along."""


@dataclass
class _Progress:
    """One scene while it is played."""

    number: int
    scene: Scene
    stored: DirectiveRead | None = None
    verdict: PolicyVerdict | None = None
    killed_pid: int | None = None

    answer: str = ""
    complaints: list[str] = field(default_factory=list)

    @property
    def directive(self) -> DirectiveRead:
        """The directive as it was last seen; it is stored before anything else is done to it."""
        if self.stored is None:
            raise ConflictError("the scene's directive is not stored yet")
        return self.stored


class Tour:
    """One tour over one stack; `control` has the worker's policy, too.

    `people` are all whom the database knows, by name, and so all of the script's. `watch` is called
    in the event loop's thread.
    """

    def __init__(
        self,
        control: Control,
        stack: Stack,
        people: Mapping[str, Principal],
        watch: Callable[[Moment], None],
    ) -> None:
        self._control = control
        self._stack = stack
        self._people = people
        self._watch = watch
        self._board = Board(control.engine)
        # A key of the script means one act in this tour, not in one that ran here before.
        self._suffix = uuid4().hex[:8]
        self._first_completed: float | None = None

    async def run(self, script: Sequence[Scene], store: ObjectStore) -> TourReport:
        """Play every scene, read all evidence back, and report.

        The first goes alone, so that its time is that of one directive and not of a crowd. The
        others go together; those that kill the worker come last, one by one.
        """
        began = time.monotonic()
        numbered = list(enumerate(script))
        quiet = [(number, scene) for number, scene in numbered if not scene.kill_worker]
        played: dict[int, Played] = {}
        async with self._board:
            for number, scene in quiet[:1]:
                played[number] = await self._play(number, scene)
            together = await asyncio.gather(*(self._play(*one) for one in quiet[1:]))
            played.update(zip((number for number, _ in quiet[1:]), together, strict=True))
            for number, scene in numbered:
                if scene.kill_worker:
                    played[number] = await self._play(number, scene)
        return TourReport(
            played=tuple(played[number] for number, _ in numbered),
            first_completed_seconds=self._first_completed,
            seconds=time.monotonic() - began,
            people=self._people,
            keys=self._control.keys,
            evidence=await asyncio.to_thread(
                check_artifacts, self._control.engine, store, lambda _checked, _total: None
            ),
        )

    async def _play(self, number: int, scene: Scene) -> Played:
        progress = _Progress(number, scene)
        try:
            async with asyncio.timeout(SCENE_SECONDS):
                await self._perform(progress)
        except TimeoutError:
            progress.complaints.append(f"it did not end within {SCENE_SECONDS:g} s")
            self._say(progress, "evidence", "stopped", "took too long", ended=True)
        except UnavailableError:
            raise
        except RemitError as error:
            progress.complaints.append(f"refused: {error}")
            self._say(progress, "intent", "stopped", f"refused: {error}", ended=True)
        return await self._examine(progress)

    async def _perform(self, progress: _Progress) -> None:
        await self._propose(progress)
        for act in progress.scene.person:
            await asyncio.sleep(act.after_seconds)
            await self._let_act(progress, act)
        if progress.scene.kill_worker:
            await self._kill(progress)
        await self._settle(progress)

    async def _propose(self, progress: _Progress) -> None:
        content = progress.scene.directive
        if content.idempotency_key is not None:
            key = f"{content.idempotency_key}-{self._suffix}"
            content = content.model_copy(update={"idempotency_key": key})
        self._say(progress, "intent", "waits", "proposed")
        issuer = self._people[content.issued_by]
        first = (await self._control.propose([content], by=issuer))[0]
        self._take(progress, first)
        for _ in range(progress.scene.times - 1):
            again = (await self._control.propose([content], by=issuer))[0]
            if again.directive.id != first.directive.id:
                progress.complaints.append(f"the same key made a second one, {again.directive.id}")
            else:
                self._say(
                    progress, "intent", "passed", "proposed again: the same directive", note=True
                )

    def _take(self, progress: _Progress, outcome: GateOutcome) -> None:
        progress.stored = outcome.directive
        decision = outcome.decision
        if decision is None:
            return
        if progress.verdict is None:
            progress.verdict = decision.verdict
            self._say(progress, "intent", "passed", "proposed")
        if decision.verdict is PolicyVerdict.BLOCK:
            progress.answer = "; ".join(decision.block_reasons)
            self._say(progress, "gate", "stopped", progress.answer)
        elif decision.verdict is PolicyVerdict.REQUIRE_APPROVAL:
            progress.answer = "asks for a person: " + "; ".join(decision.approval_reasons)
            self._say(progress, "gate", "passed", progress.answer)
            self._say(progress, "consent", "waits", "waits for a person")
        else:
            progress.answer = "allowed by policy"
            self._say(progress, "gate", "passed", progress.answer)

    async def _let_act(self, progress: _Progress, act: Act) -> None:
        """Let somebody act, and note it when Remit's answer is another than the script's."""
        actor = self._people[act.by]
        try:
            progress.stored = await self._carry_out(progress, act, actor)
        except RemitError as error:
            if error.error_type != act.refused:
                progress.complaints.append(f"{act.by} could not {act.act}: {error}")
            who = act.by if actor.kind == "human" else f"{act.by} ({actor.kind})"
            self._say(progress, "consent", "waits", f"{who} may not {act.act}", note=True)
            return
        if act.refused is not None:
            progress.complaints.append(f"{act.by} could {act.act}, which was to be refused")

    async def _carry_out(self, progress: _Progress, act: Act, actor: Principal) -> DirectiveRead:
        directive = progress.directive
        if act.act == "retry":
            outcome = await self._control.submit(directive.id, by=actor)
            self._say(progress, "consent", "waits", f"{act.by} asks again", note=True)
            self._take(progress, outcome)
            return outcome.directive
        if act.act == "cancel":
            after = await self._control.cancel(directive.id, by=actor, reason=act.reason)
            self._say(progress, "consent", "stopped", f"{act.by} cancels", note=True)
            return after
        decision: VoteDecision = act.act
        ballot = Ballot(decision, act.reason, directive.action_digest or "")
        vote = await self._control.vote(directive.id, ballot, by=actor)
        marks: dict[str, Mark] = {"approved": "passed", "rejected": "stopped"}
        said = f"{act.by} {decision}s" + (f": {act.reason}" if act.reason else "")
        said += f" ({vote.missing} more must)" if vote.missing else ""
        self._say(progress, "consent", marks.get(vote.outcome, "waits"), said, note=True)
        return vote.directive

    async def _kill(self, progress: _Progress) -> None:
        """Kill the worker between the module's effect and its return."""
        directive = progress.directive
        if directive.status == "blocked":
            return
        while (await self._ledger(directive.id)).effects == 0:  # noqa: ASYNC110 - a database row
            await asyncio.sleep(_EFFECT_PAUSE_SECONDS)
        self._say(progress, "act", "waits", "the effect is written, the module holds")
        await asyncio.sleep(_TELLING_SECONDS)
        pid = await asyncio.to_thread(self._stack.kill_worker)
        progress.killed_pid = pid
        self._say(progress, "act", "waits", f"worker {pid} killed with SIGKILL", note=True)
        successor = await asyncio.to_thread(self._stack.wait_for_worker, other_than=pid)
        text = f"worker {successor} has taken its place"
        self._say(progress, "act", "waits", text, note=True)

    async def _settle(self, progress: _Progress) -> None:
        start = progress.directive
        seen = await self._await(start, lambda one: one.status == "executing" or _ended(one))
        if seen.status == "executing":
            if progress.killed_pid is None:
                self._say(progress, "act", "waits", f"{seen.type} runs")
            seen = await self._await(start, _ended)
        progress.stored = seen
        if seen.status == "complete" and self._first_completed is None:
            self._first_completed = seconds_since_process_start()
        if seen.status == "blocked":
            box: Box = "gate" if seen.status_reason == "policy" else "consent"
            text = f"blocked: {progress.answer if box == 'gate' else seen.status_reason}"
            self._say(progress, box, "stopped", text, ended=True)
            return
        self._say(progress, "act", "passed" if seen.status == "complete" else "stopped", "ended")
        reason = "" if seen.status_reason is None else f": {seen.status_reason}"
        self._say(progress, "evidence", "passed", f"{seen.status}{reason}", ended=True)

    async def _await(
        self, start: DirectiveRead, wanted: Callable[[DirectiveRead], bool]
    ) -> DirectiveRead:
        # The board may still show what stood before the last act: that is no answer.
        return await self._board.until(
            start.id, lambda one: one.updated_at >= start.updated_at and wanted(one)
        )

    async def _examine(self, progress: _Progress) -> Played:
        record, ledger = None, Ledger((), 0)
        if progress.stored is not None:
            directive_id = progress.stored.id
            record = await asyncio.to_thread(read_record, self._control.engine, directive_id)
            ledger = await self._ledger(directive_id)
        return Played(
            scene=progress.scene,
            record=record,
            ledger=ledger,
            verdict=progress.verdict,
            complaints=tuple(progress.complaints),
            killed_pid=progress.killed_pid,
        )

    async def _ledger(self, directive_id: UUID) -> Ledger:
        return await asyncio.to_thread(read_ledger, self._control.engine, directive_id)

    def _say(self, progress: _Progress, box: Box, mark: Mark, text: str, **is_: bool) -> None:
        self._watch(Moment(progress.number, box, mark, text, **is_))


def _ended(directive: DirectiveRead) -> bool:
    return directive.status == "blocked" or is_terminal_status(directive.status)
