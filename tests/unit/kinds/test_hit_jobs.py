"""The jobs on an instance that EC2 takes back are told so, each once."""

from dataclasses import replace
from typing import Any, cast

import pytest
from tests.support.clock import SteppedClock
from tests.unit.capacity.small_worlds import world
from tests.unit.capacity.values import LARGE, pool

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.aws.notice_events import AnnouncedKind
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_operator.capacity.model import Market
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kinds.computeenvironment.instances import interrupted_hosts
from awsbatch_operator.kinds.hit_jobs import HitJobs
from awsbatch_operator.kinds.narration import Narrator

ARN = "arn:aws:ecs:eu-central-1:111122223333:container-instance/AWSBatch-e/0a1b"
OTHER = ARN.replace("0a1b", "ffff")
HOSTS = {ARN: "i-1"}


class Feed:
    """The details that the job feed has read."""

    def __init__(self):
        self.details = {}

    def seen(self, job_id):
        return self.details.get(job_id)


class Events:
    """An EventSink that keeps what it is told."""

    def __init__(self):
        self.told = []

    def event(self, resource, *, reason, message, warning, action):
        del action
        assert warning
        self.told.append((resource.key.name, reason, message))


class Rig:
    def __init__(self):
        self.events, self.feed = Events(), Feed()
        over = "SUCCEEDED"
        self.cache = Cache(
            clock=SteppedClock(), settled=lambda job: job.status.get("awsStatus") == over
        )
        self.hit = HitJobs(self.cache, cast("Any", self.feed), Narrator(self.events))

    def job(self, name, *, host=ARN, status="RUNNING", ended=False, **detail):
        shown = {"jobId": name, "awsStatus": "SUCCEEDED" if ended else "RUNNING"}
        metadata = {"namespace": "ns", "name": name, "uid": f"u-{name}", "resourceVersion": "1"}
        metadata["creationTimestamp"] = "2027-01-15T08:00:00Z"
        self.cache.put({"kind": "BatchJob", "metadata": metadata, "spec": {}, "status": shown})
        container = {"containerInstanceArn": host}
        self.feed.details[name] = {"status": status, "container": container, **detail}

    @property
    def names(self):
        return sorted(name for name, _, _ in self.events.told)


@pytest.fixture
def rig():
    return Rig()


async def test_only_the_jobs_on_that_instance_are_told_and_once(rig):
    rig.job("here")
    rig.job("starts", status="STARTING")
    rig.job("elsewhere", host=OTHER)
    rig.job("waits", status="RUNNABLE")
    rig.job("over", status="SUCCEEDED")
    rig.cache.put(
        {
            "kind": "BatchJob",
            "metadata": {
                "namespace": "ns",
                "name": "new",
                "uid": "u-new",
                "resourceVersion": "1",
                "creationTimestamp": "2027-01-15T08:00:00Z",
            },
        }
    )
    await rig.hit.tell(HOSTS)
    await rig.hit.tell(HOSTS)
    assert rig.names == ["here", "starts"]
    assert {reason for _, reason, _ in rig.events.told} == {"HostInterrupted"}
    await rig.hit.tell({ARN: "i-1", OTHER: "i-2"})
    assert rig.names == ["elsewhere", "here", "starts"]


async def test_a_task_with_several_containers_is_found_by_its_task(rig):
    tasks = {"taskProperties": [{"containerInstanceArn": ARN, "containers": []}]}
    rig.job("several", host=None, ecsProperties=tasks)
    await rig.hit.tell(HOSTS)
    assert rig.names == ["several"]


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({}, "It has no attempt left: if it has not ended by then, it fails with HostLost. Set "),
        ({"retryStrategy": {"attempts": 3}}, "starts it anew elsewhere: this is attempt 1 of 3."),
        (
            {"retryStrategy": {"attempts": 3}, "attempts": [{}, {}]},
            "It has no attempt left: if it has not ended by then, it fails with HostLost. Set ",
        ),
        (
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"action": "EXIT"}]}},
            "starts it anew elsewhere, unless its evaluateOnExit says otherwise: this is attempt 1",
        ),
    ],
)
async def test_it_is_told_what_happens_next(rig, detail, words):
    rig.job("here", **detail)
    await rig.hit.tell(HOSTS)
    ((_, _, message),) = rig.events.told
    start = "EC2 takes back the instance i-1, on which this job runs, within two minutes (Spot "
    assert message.startswith(start)
    assert words in message


async def test_the_end_of_a_reservation_is_told_as_what_it_is(rig):
    rig.job("here")
    await rig.hit.tell(HOSTS, AnnouncedKind.RESERVATION)
    assert "its capacity reservation ends" in rig.events.told[0][2]


async def test_without_hosts_no_job_is_looked_at(rig, monkeypatch):
    rig.job("here")
    monkeypatch.setattr(rig.cache, "keys", lambda _: pytest.fail("looked"))
    await rig.hit.tell({})


async def test_a_job_that_has_ended_is_not_looked_at(rig, monkeypatch):
    rig.job("ended", ended=True)
    assert rig.cache.settled(ObjectKey("BatchJob", "ns", "ended"))
    monkeypatch.setattr(rig.feed, "seen", lambda _: pytest.fail("looked"))
    await rig.hit.tell(HOSTS)


@pytest.mark.parametrize(
    ("market", "kind"),
    [("Spot", AnnouncedKind.INTERRUPTION), ("OnDemand", AnnouncedKind.RESERVATION)],
)
def test_what_is_taken_back_and_is_no_spot_instance_loses_its_reservation(market, kind):
    made = world(pool("main", LARGE, market=Market(market)), jobs=1)
    while not any(life.tasks for life in made.observed().lives):
        made.run(5, each=5)
    seen = made.observed()
    [life] = seen.lives
    taken = replace(seen, notices={life.id: Notice.INTERRUPTION})
    assert interrupted_hosts(taken) == {kind: {life.member.arn: life.id}}
    assert interrupted_hosts(replace(seen, notices={life.id: Notice.MAINTENANCE})) == {}
