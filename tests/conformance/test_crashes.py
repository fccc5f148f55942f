"""Conformance: killed after each of its calls, or followed by another leader: one object in AWS.

The life of a subject is lived once; at each write the process forks. The child dies right after
that write and lives on as whoever starts next, or it lives on without the answer to it.
"""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from tests.conformance.conftest import STRUCK
from tests.conformance.doing import scripted, things, times_made
from tests.conformance.image_subject import IMAGE
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.subjects import DEFINITION, JOB
from tests.integration.crash.branches import Branches, every
from tests.integration.crash.day import writes
from tests.support.cluster import is_true
from tests.support.crashing import KUBE_WRITES, Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.installation import NAMESPACE, manifest
from tests.support.lives import Lives
from tests.support.manifests import SPECS
from tests.support.one_process import World
from tests.support.waiting_runner import Waits

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.jobscript import JobScript

CALM = Weather(waits=Waits(short=0), slow=0, jobs_lag=0, others_lag=0)
AT_REST = 1200.0
STALLED = 60.0  # seconds for which no lease is renewed
LEAST_STRUCK = 3  # an AWSAccount's: the finalizer twice, and a status for each generation
OF_WRITES = 4  # to Kubernetes, for an image: one in so many is struck
LAUNCHED = 2  # calls that it takes
REVISIONS = 2  # that are made of what is registered anew at each edit


@pytest.fixture(autouse=True)
def credentials():
    with World().credentials():
        yield


class EachCall:
    """Each call of AWS when it is made first, a launch also after its trial, and some writes.

    In the life of an image, which is long. All of them are struck in each way, in worlds that are
    harder, in tests/integration/crash/test_images.py and test_image_moves.py.
    """

    def __init__(self) -> None:
        self._passed: Counter[str] = Counter()

    def __call__(self, name: str) -> bool:
        self._passed[name] += 1
        if name in KUBE_WRITES:
            return self._passed[name] % OF_WRITES == 1
        first = LAUNCHED if name == IMAGE.enters else 1
        return writes(name) and self._passed[name] <= first


class SubjectsLife:
    """A subject in a world without any hardship but those that a test makes."""

    def __init__(self, subject: Subject, points: Points) -> None:
        self.subject = subject
        self.world = HardWorld(7, CALM, JobScript(duration_seconds=5))
        self.world.kube.namespaces[NAMESPACE] = {}
        scripted(self.world, subject)
        self.lives = Lives(self.world, points)
        self.points = points

    def apply(self, spec) -> None:
        self.world.kube.apply(manifest(self.subject.key, spec))

    async def prepare(self) -> None:
        """All that it refers to; the points of that are of other tests."""
        for key in self.subject.needs:
            self.world.kube.apply(manifest(key, SPECS[key]))
        await self.lives.until(
            lambda: all(is_true("Ready")(self.world.kube.see(key)) for key in self.subject.needs)
        )

    async def until_reached(self) -> None:
        kube, subject = self.world.kube, self.subject
        await self.lives.until(lambda: bool(is_true(subject.reached)(kube.see(subject.key))))

    async def rest(self, seconds: float) -> None:
        """Let that time pass, whoever leads."""
        end = self.world.clock.monotonic() + seconds
        await self.lives.until(lambda: self.world.clock.monotonic() >= end)

    def lose_the_lease(self) -> None:
        """Whoever leads cannot renew it, and it goes to another one."""
        leading = self.lives._life
        assert leading is not None
        leading._term.stall(STALLED)

    async def remove(self) -> None:
        self.world.kube.remove(self.subject.key)
        await self.lives.until(lambda: not self.world.kube.exists(self.subject.key))

    def made(self) -> int:
        return times_made(self.world, self.subject)

    def kept(self) -> list[Any]:
        """What AWS has of it, without the instances that are only there to make it."""
        found = things(self.world, self.subject.key)
        return [each for each in found if not isinstance(each, Instance)]

    def expected(self, *, edited: bool = True) -> int:
        """How often it is made in a life: these once more when they are edited."""
        again = edited and self.subject in (DEFINITION, IMAGE)
        return REVISIONS if again else int(bool(self.subject.makes))


async def a_whole_life(life: SubjectsLife, begun: list[int]) -> None:
    """From its first call to the last, with one edit on the way. `begun` gets where that is."""
    subject = life.subject
    spec, edited = subject.spec, subject.edited
    try:
        await life.prepare()
        begun.append(life.points.passed)
        life.apply(spec)
        await life.until_reached()
        life.apply(edited)
        await life.until_reached()
        assert len(life.kept()) <= REVISIONS
        await life.remove()
    finally:
        await life.lives.end()
    assert life.made() == life.expected()
    assert things(life.world, life.subject.key) == []


@pytest.mark.parametrize("mode", [Mode.AFTER, Mode.LOST], ids=lambda mode: mode.name.lower())
@pytest.mark.conforms(Point.KILLED)
async def test_killed_after_a_call_or_its_answer_lost_it_comes_to_the_same_end(
    subject, mode, failed_timers, record_property
):
    points = Points()
    begun: list[int] = []
    branches = Branches(failed_timers)

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    often = EachCall() if subject is IMAGE else writes

    number = await branches.live(
        a_whole_life(SubjectsLife(subject, points), begun),
        points,
        at=every(lambda name: bool(begun) and often(name)),
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    record_property(STRUCK, number)
    assert number > LEAST_STRUCK
    calls = {*subject.edit_calls, subject.unmakes} if subject is IMAGE else set()
    assert branches.chosen.keys() >= calls


@pytest.mark.conforms(Point.LEADER_CHANGE)
async def test_whoever_leads_next_goes_on_and_repeats_nothing(subject: Subject):
    points = Points()
    life = SubjectsLife(subject, points)
    try:
        await life.prepare()
        life.apply(subject.spec)
        made = subject.enters
        await life.lives.until(lambda: made in points.names)
        await life.lives.stop()  # in good order, with the work half done
        await life.until_reached()
        await life.lives.stop()
        seldom = subject in (IMAGE, JOB)  # what an edit takes is another test's
        life.apply(subject.unfelt if seldom else subject.edited)  # while nobody leads
        await life.until_reached()
        await life.rest(AT_REST)
        await life.lives.stop()
        passed = len(points.names)
        await life.rest(AT_REST)
        rewritten = [name for name in points.names[passed:] if writes(name)]
        assert rewritten == []
        life.lose_the_lease()
        await life.rest(STALLED)
        assert life.lives.lost_leases == 1
        await life.remove()
    finally:
        await life.lives.end()
    assert life.lives.count == 5
    assert life.made() == life.expected(edited=not seldom)
    assert things(life.world, subject.key) == []
