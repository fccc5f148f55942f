"""The protocol of submissions as a state machine: whatever happens in whatever order.

At any time at most one job of an object is alive in AWS, no run was sent twice, and no job outlives
its object. In calm weather every run ends, and of what is deleted nothing is left.
"""

import asyncio
from collections.abc import Coroutine

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.integration.crash.protocol import FATES, KINDS_OF_JOBS, NAMES, WEATHERS, Protocol
from tests.support.crashing import Mode

MOMENTS = st.sampled_from((0.0, 0.3, 3.0, 20.0, 70.0, 130.0))  # seconds
STRUCK = (
    *("batch:SubmitJob", "batch:SubmitJob", "batch:SubmitJob", "batch:TerminateJob"),
    *("batch:RegisterJobDefinition", "batch:ListJobs", "batch:DescribeJobs"),
    *("kube:patch", "kube:apply_status"),
)
DEADLY = (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE)
Trouble = tuple[str, Mode]
TROUBLE = st.tuples(st.sampled_from(STRUCK), st.sampled_from(DEADLY))


class Submissions(RuleBasedStateMachine):
    """Two jobs, one operator after another, and everything that may happen to them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.protocol: Protocol | None = None

    def live(self, doing: Coroutine[None, None, None]) -> None:
        """Let it happen."""
        self.loop.run_until_complete(doing)

    @property
    def jobs(self) -> Protocol:
        """The world."""
        assert self.protocol is not None
        return self.protocol

    @initialize(
        seed=st.integers(0, 99),
        weather=st.sampled_from(sorted(WEATHERS)),
        kind=st.sampled_from(sorted(KINDS_OF_JOBS)),
        fate=st.sampled_from(sorted(FATES)),
        mode=st.sampled_from(DEADLY),
        then=MOMENTS,
    )
    def begins(
        self, *, seed: int, weather: str, kind: str, fate: str, mode: Mode, then: float
    ) -> None:
        """With a job whose first submission goes wrong."""
        self.protocol = Protocol(seed, weather)
        self.live(self.protocol.begin())
        self.protocol.fate(fate)
        self.protocol.make(NAMES[0], kind, suspend=False)
        self.goes_on(("batch:SubmitJob", mode), then)

    @precondition(lambda self: self.jobs.free())
    @rule(
        data=st.data(), kind=st.sampled_from(sorted(KINDS_OF_JOBS)), trouble=TROUBLE, then=MOMENTS
    )
    def is_made(self, data: st.DataObject, kind: str, trouble: Trouble, then: float) -> None:
        held = data.draw(st.sampled_from((False, False, True)))
        self.jobs.make(data.draw(st.sampled_from(self.jobs.free())), kind, suspend=held)
        self.goes_on(trouble, then)

    @precondition(lambda self: self.jobs.there(leaving=False))
    @rule(data=st.data(), number=st.integers(1, 3), trouble=TROUBLE, then=MOMENTS)
    def is_changed(self, data: st.DataObject, number: int, trouble: Trouble, then: float) -> None:
        self.jobs.apply(self.one_of_them(data), parameters={"number": str(number)})
        self.goes_on(trouble, then)

    @precondition(lambda self: self.jobs.there(leaving=False))
    @rule(data=st.data(), trouble=TROUBLE, then=MOMENTS)
    def is_held_or_let_go(self, data: st.DataObject, trouble: Trouble, then: float) -> None:
        name = self.one_of_them(data)
        self.jobs.apply(name, suspend=not self.jobs.seen(name)["spec"]["suspend"])
        self.goes_on(trouble, then)

    @precondition(lambda self: self.jobs.there(leaving=False))
    @rule(data=st.data(), trouble=TROUBLE, then=MOMENTS)
    def is_deleted(self, data: st.DataObject, trouble: Trouble, then: float) -> None:
        self.jobs.remove(self.one_of_them(data))
        self.goes_on(trouble, then)

    def one_of_them(self, data: st.DataObject) -> str:
        """The name of an object that is not being deleted."""
        return data.draw(st.sampled_from(self.jobs.there(leaving=False)))

    def goes_on(self, trouble: Trouble, seconds: float) -> None:
        """After something was done to a job: a call will be struck; time passes."""
        self.jobs.strike(*trouble)
        self.live(self.jobs.passes(seconds))

    @rule(seconds=MOMENTS | st.sampled_from((400.0, 800.0)))
    def time_passes(self, seconds: float) -> None:
        self.live(self.jobs.passes(seconds))

    @rule(orderly=st.booleans(), then=MOMENTS)
    def the_operator_ends(self, *, orderly: bool, then: float) -> None:
        lives = self.jobs.lives
        self.live(lives.stop() if orderly else lives.kill())
        self.live(self.jobs.passes(then))

    @rule(then=MOMENTS)
    def the_leader_loses_its_lease(self, then: float) -> None:
        self.jobs.stall(60)
        self.live(self.jobs.passes(then))

    @rule(changes=st.integers(1, 8), then=MOMENTS)
    def the_view_is_of_the_past(self, changes: int, then: float) -> None:
        self.live(self.jobs.fall_back(changes))
        self.live(self.jobs.passes(then))

    @rule(fate=st.sampled_from(sorted(FATES)))
    def jobs_have_another_fate(self, fate: str) -> None:
        self.jobs.fate(fate)

    @rule(then=MOMENTS)
    def aws_forgets(self, then: float) -> None:
        self.jobs.forget()
        self.live(self.jobs.passes(then))

    @rule()
    def the_queue_is_made_anew(self) -> None:
        self.live(self.jobs.recreate_queue())

    @invariant()
    def what_must_hold_holds(self) -> None:
        if self.protocol is not None:
            self.protocol.check()

    def teardown(self) -> None:
        try:
            if self.protocol is not None:
                self.live(self._to_the_end())
        finally:
            self.loop.close()

    async def _to_the_end(self) -> None:
        try:
            await self.jobs.end_well()
        finally:
            await self.jobs.end()


@pytest.mark.hypothesis
@pytest.mark.timeout(600)
def test_whatever_happens_each_run_has_one_job_and_ends():
    slow = [HealthCheck.too_slow]  # a second an example
    steps = settings(stateful_step_count=15, suppress_health_check=slow)
    run_state_machine_as_test(Submissions, settings=steps)
