"""A storm over ten objects, and the same end in calm weather: what is left is to be alike."""

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from tests.campaign.picture import content_of, described, plain
from tests.campaign.storms import PAUSE, Storm, Thing
from tests.integration.crash import invariants
from tests.support.api_servers import ApiServer
from tests.support.crashing import Mode, Points
from tests.support.hard_world import HardWorld, Weather, tight_limits
from tests.support.lives import Lives
from tests.support.one_process import aws_models
from tests.support.waiting_runner import Waits

from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import NAME, OWNER_UID
from awsbatch_operator.api.words import SHOWN_AT_MOST
from awsbatch_simulator.inprocess import session
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.limits import RequestLimits

CALM = Weather(waits=Waits(short=0.0), slow=0.0, jobs_lag=0.0, others_lag=0.0)
HARD = Weather(
    waits=Waits(long=0.05, outlasting=0.01), slow=0.05, frozen=0.3, limits=tight_limits()
)
JOBS = JobScript(job_name="*", duration_seconds=5)
APART = (3, 40)  # calls between two strikes
STRIKES = 400  # more than there can be
MODES = (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE)
EFFECTS = ("throttle", "drop_before", "drop_after", "error")
CALLS = ("Create*", "Update*", "Delete*", "Register*", "Submit*", "Describe*", "Tag*", "List*")
BEHIND = 0.3  # how likely a life begins at an API server that shows the past
FAULTY = 0.6  # how likely something else goes wrong at a deed
SETTLED = 900.0  # seconds in which nothing may change any more
_TOLD = ("Ready", "Stalled", "Reconciling", "Complete", "Failed", "DeletionBlocked")
_SHOWN = ("awsName", "accountId", "region", "state", "awsStatus", "deletionPolicy")

End = Mapping[str, Any]


class Sky:
    """A world in which the deeds of a storm are done, as by a tool that applies what is in Git."""

    def __init__(self, storm: Storm, weather: Weather) -> None:
        self.storm = storm
        self.world = HardWorld(storm.seed, weather, JOBS)
        self.points = Points()
        self._hard = weather is not CALM
        self._raging = False
        self._wanted: dict[int, int] = {}
        self._held: int | None = None  # is deleted, and stays because of what uses it
        self.lives = Lives(self.world, self.points, self._server)

    async def live(self) -> End:
        """All deeds, then peace; what there is in the end."""
        self._rage()
        try:
            for deed in self.storm.deeds:
                self.storm.do(deed, self._wanted)
                await self._pass(deed.pause)
            await self._calm_down()
            await self._hold_up()
        finally:
            await self.lives.end()
        invariants.check_all(self.world)
        return self._end()

    async def at_once(self) -> End:
        """Only what is wanted in the end, all of it at once."""
        self._wanted = dict(self.storm.wanted)
        try:
            await self._calm_down()
            await self._hold_up()
        finally:
            await self.lives.end()
        return self._end()

    async def _hold_up(self) -> None:
        """Delete what a queue uses that stays: it waits, and says for what, until that goes."""
        if self.storm.held is None:
            return
        self._held = self.storm.held
        del self._wanted[self._held]
        await self._rage_and_calm_down()
        if self.storm.freed:
            for number in self.storm.users(self._held):
                self._wanted.pop(number, None)
            self._held = None
            await self._rage_and_calm_down()

    async def _rage_and_calm_down(self) -> None:
        self._rage()
        await self._pass(PAUSE)
        await self._calm_down()

    def _rage(self) -> None:
        """From now on everything goes wrong; not in calm weather."""
        if not self._hard:
            return
        self._raging, dice = True, self.world.dice
        gaps = (dice.randint(*APART) for _ in range(STRIKES))
        since = self.points.passed
        self.points.strikes = {since + at: dice.choice(MODES) for at in accumulate(gaps)}

    async def _pass(self, seconds: float) -> None:
        self._sync()
        if self._raging and self.world.dice.random() < FAULTY:
            self._trouble()
        clock = self.world.clock
        until = clock.monotonic() + seconds
        await self.lives.until(lambda: clock.monotonic() >= until)

    async def _calm_down(self) -> None:
        """Nothing goes wrong any more; until all is as wanted, and stays so."""
        self._raging = False
        self.points.strikes = {}
        self.world.simulator.world.faults.clear()
        if self._hard:
            self.world.hide_jobs(self.world.weather.jobs_lag)
        try:
            await self.lives.until(self._peace)
        except AssertionError as error:
            raise AssertionError(f"no peace: {self._restless()}") from error
        await self._pass(SETTLED)
        assert self._peace(), "the end does not last"

    def _sync(self) -> None:
        """kubectl apply of what is wanted, and kubectl delete of what is not."""
        kube = self.world.kube
        for number, thing in enumerate(self.storm.things):
            there = kube.objects.find(thing.key)
            leaving = there is not None and "deletionTimestamp" in there["metadata"]
            if number in self._wanted and not leaving:
                kube.apply(thing.body(self._wanted[number]))
            elif number not in self._wanted and there is not None and not leaving:
                kube.remove(thing.key)

    def _peace(self) -> bool:
        self._sync()
        return all(self._is_as_wanted(number) for number in range(len(self.storm.things)))

    def _is_as_wanted(self, number: int) -> bool:
        thing = self.storm.things[number]
        if number == self._held:
            return self._waits_for_users(thing)
        there = self.world.kube.exists(thing.key)
        return self._stands(thing) if number in self._wanted else not there

    def _waits_for_users(self, thing: Thing) -> bool:
        """Whether its deletion is blocked by the queues that use it, by name."""
        seen = self.world.kube.objects.find(thing.key)
        if seen is None or "deletionTimestamp" not in seen["metadata"]:
            return False
        found = condition(seen.get("status", {}), "DeletionBlocked") or {}
        users = (self.storm.things[each] for each in self._wanted)
        queues = [each.key for each in users if each.is_queue and self._held in each.uses]
        told = str(found.get("message"))
        named = sum(f"(JobQueue {each.namespace}/{each.name})" in told for each in queues)
        return found.get("status") == "True" and named == min(len(queues), SHOWN_AT_MOST)

    def _restless(self) -> list[str]:
        """The objects that are not as wanted, and what they say."""
        return [
            f"{thing.key}: {self._shown(thing)} {self._said(thing)}"
            for number, thing in enumerate(self.storm.things)
            if not self._is_as_wanted(number)
        ]

    def _said(self, thing: Thing) -> list[str]:
        body = self.world.kube.objects.find(thing.key) or {}
        told = body.get("status", {}).get("conditions", ())
        return [str(each["message"]) for each in told if each["status"] == "True"]

    def _stands(self, thing: Thing) -> bool:
        """Whether it is Ready or Complete, for its newest generation."""
        seen = self.world.kube.objects.find(thing.key)
        if seen is None or "deletionTimestamp" in seen["metadata"]:
            return False
        status = seen.get("status", {})
        known = status.get("observedGeneration") == seen["metadata"]["generation"]
        return known and (is_true(status, "Ready") or is_true(status, "Complete"))

    def _trouble(self) -> None:
        """Something that happens beside the deaths at calls."""
        dice, world = self.world.dice, self.world
        happens: tuple[Callable[[], None], ...] = (
            lambda: world.fault(
                effect=dice.choice(EFFECTS), operation=dice.choice(CALLS), times=dice.randint(1, 4)
            ),
            lambda: world.fault(
                effect="error", operation="*", status=503, times=dice.randint(5, 20)
            ),
            self._fall_back,
            self._fall_silent,
        )
        dice.choice(happens)()

    def _server(self) -> ApiServer:
        server = ApiServer(self.world.history)
        if self._raging and self.world.dice.random() < BEHIND:
            self._let_fall_back(server)
        return server

    def _fall_back(self) -> None:
        self._let_fall_back(self.world.server)

    def _let_fall_back(self, server: ApiServer) -> None:
        server.fall_back(self.world.dice.randint(1, 12))
        self.world.soon(self.world.dice.uniform(0, 40), server.catch_up)

    def _fall_silent(self) -> None:
        server = self.world.server
        server.fall_silent()
        self.world.soon(self.world.dice.uniform(0, 40), server.begin_anew)

    # --- the end ---

    def _end(self) -> End:
        """What Kubernetes and AWS show, without times, ids and numbers of revisions."""
        shown = {str(thing.key): self._shown(thing) for thing in self.storm.things}
        return {"objects": shown, "AWS": dict(sorted(self._in_aws()))}

    def _shown(self, thing: Thing) -> Any:
        body = self.world.kube.objects.find(thing.key)
        if body is None:
            return None
        status = body.get("status", {})
        told = {
            each["type"]: (each["status"], each["reason"])
            for each in status.get("conditions", ())
            if each["type"] in _TOLD
        }
        return {**told, **{name: status.get(name) for name in _SHOWN}}

    def _in_aws(self) -> Iterator[tuple[str, Any]]:
        """What lasts there, by the object that it was made for, and how its job ended."""
        newest: dict[ObjectKey, str] = {}
        for arn, owner in invariants.left(self.world).items():
            if owner.kind != "JobDefinition" or _revision(arn) > _revision(newest.get(owner, ":0")):
                assert owner.kind == "JobDefinition" or owner not in newest, f"two of {owner}"
                newest[owner] = arn
        batch = self._client()
        for owner, arn in newest.items():
            yield str(owner), plain(content_of(owner.kind, described(batch, owner.kind, arn)))
        there = {body["metadata"]["uid"] for body in self.world.kube.objects.of_kind("BatchJob")}
        for job in self.world.batch.jobs.values():
            if job.tags[OWNER_UID] in there:
                yield f"job of {job.tags[NAME]}", job.status.value

    def _client(self) -> Any:
        """Of somebody else in the account, who is in no hurry."""
        aws = self.world.simulator.world
        aws.change(aws.settings.model_copy(update={"limits": RequestLimits(enabled=False)}))
        return session(self.world.simulator, self.world.wire(), loader=aws_models()).client("batch")


def _revision(arn: str) -> int:
    return int(arn.rpartition(":")[2])
