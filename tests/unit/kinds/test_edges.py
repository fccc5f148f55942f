"""The thin edges of the rooms: what a call's answer is taken for."""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.values import ACCOUNT, NOW, RECORDED, REGION, owner, resource, targets

from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.api.tags import OWNER_UID, Ownership
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.account_limits import Rooms
from awsbatch_operator.kinds.computeenvironment.desired import desired_environment
from awsbatch_operator.kinds.computeenvironment.kind import ComputeEnvironmentKind
from awsbatch_operator.kinds.computeenvironment.observed import Observed as ObservedEnvironment
from awsbatch_operator.kinds.computeenvironment.update_requests import update_request
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobdefinition.desired import desired_definition
from awsbatch_operator.kinds.jobdefinition.kind import job_definitions
from awsbatch_operator.kinds.jobdefinition.observe import Observed
from awsbatch_operator.kinds.jobdefinition.plan import plan_definition
from awsbatch_operator.kinds.jobqueue.kind import job_queues
from awsbatch_operator.kinds.lasting import APPEARING_SECONDS, ApiCall
from awsbatch_operator.kinds.registrations import Revision
from awsbatch_operator.kinds.schedulingpolicy.kind import scheduling_policies

SCOPE = Scope(ACCOUNT, REGION)


class Answers:
    """A BatchPort that gives one answer whatever it is asked, and keeps what that was.

    The account has nothing besides.
    """

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.error: AwsError | None = None
        self.asked: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        async def call(*details: Any, **options: Any) -> Any:
            self.asked.append((name, *details, *options.values()))
            if self.error is not None:
                raise self.error
            return () if name in {"compute_environments", "job_queues"} else self.answer

        return call

    def others(self, *_: Any) -> int:
        """As if the feeds had counted."""
        return 0


def queues(batch: Any) -> Any:
    """The kind."""
    return job_queues(batch, Rooms(batch))


def definitions(batch: Any) -> Any:
    """The kind, when nothing depends on the time."""
    return job_definitions(batch, SteppedClock(), LeadershipStart())


def compute_environments(batch: Any) -> Any:
    """The kind, of environments without instances of ours."""
    unused: Any = None
    return ComputeEnvironmentKind(
        batch=batch,
        rooms=Rooms(batch),
        lookout=mock.Mock(spec=("ecs",)),
        conductor=unused,
        cluster_id="test",
        allowed=unused,
        hits=unused,
        find=unused,
        unfit=unused,
    )


@pytest.mark.parametrize("make", [compute_environments, queues])
@pytest.mark.parametrize("deleting", [True, False])
async def test_what_aws_does_not_have_is_gone(make, deleting):
    batch: Any = Answers(None)
    kind = make(batch)
    of = resource(kind.name, deleting=deleting)
    assert await kind.observe(of, RECORDED, SCOPE, fresh=True) is None


@pytest.mark.parametrize("make", [compute_environments, queues, definitions, scheduling_policies])
@pytest.mark.parametrize("fresh", [True, False])
async def test_a_thing_is_looked_for_by_the_name_that_serves_now(make, fresh):
    batch: Any = Answers(() if make is definitions else None)
    kind = make(batch)
    of = resource(kind.name)
    recorded = RECORDED.succeeded_by("science-pool-2").promoted()
    found = await kind.observe(of, recorded, SCOPE, fresh=fresh)
    assert not getattr(found, "present", False)
    _, *asked = batch.asked[0]
    # Whoever asks for a name is woken when somebody else's thing of that name changes.
    assert asked == [SCOPE, "science-pool-2", fresh, of.key]


REGISTER = ApiCall("RegisterJobDefinition", {"jobDefinitionName": "x", "tags": {"a": "b"}})
REGISTERED = {
    "jobDefinitionArn": "arn:aws:batch:r:1:job-definition/x:2",
    "revision": 2,
    "jobDefinitionName": "x",
}
X = replace(RECORDED, aws_name="x")


async def test_a_registered_revision_is_known_before_aws_lists_it():
    earlier = Revision("arn:1", 1, {})
    batch: Any = Answers(REGISTERED)
    seen = await definitions(batch).act(REGISTER, SCOPE, Observed((earlier,)))
    assert seen is not None
    arn = REGISTERED["jobDefinitionArn"]
    assert [(one.arn, one.number) for one in seen.revisions] == [(arn, 2), ("arn:1", 1)]
    assert seen.revisions[0].tags == {"a": "b"}
    assert batch.asked == [("change", SCOPE, "RegisterJobDefinition", dict(REGISTER.request))]


async def test_a_listing_that_lags_does_not_hide_what_was_registered_a_moment_ago():
    clock = SteppedClock()
    batch: Any = Answers(REGISTERED)
    kind = job_definitions(batch, clock, LeadershipStart())
    of = resource("JobDefinition")
    await kind.act(REGISTER, SCOPE, None)
    batch.answer = ()
    seen = await kind.observe(of, X, SCOPE, fresh=True)
    assert seen is not None
    assert [one.number for one in seen.revisions] == [2]
    await clock.advance(APPEARING_SECONDS + 1)
    assert await kind.observe(of, X, SCOPE, fresh=True) is None, "the listing is right by now"


async def test_what_was_registered_and_deregistered_again_is_not_shown():
    batch: Any = Answers(REGISTERED)
    kind = definitions(batch)
    await kind.act(REGISTER, SCOPE, None)
    arn = REGISTERED["jobDefinitionArn"]
    await kind.act(ApiCall("DeregisterJobDefinition", {"jobDefinition": arn}), SCOPE, None)
    batch.answer = ()
    assert await kind.observe(resource("JobDefinition"), X, SCOPE, fresh=True) is None


async def test_after_a_registration_without_an_answer_the_listing_is_in_doubt_for_a_while():
    clock = SteppedClock()
    batch: Any = Answers(REGISTERED)
    kind = job_definitions(batch, clock, LeadershipStart())
    of = resource("JobDefinition")
    error = AwsError(ErrorKind.TRANSIENT, operation="x", message="lost", outcome_unknown=True)
    batch.error = error
    with pytest.raises(AwsError):
        await kind.act(REGISTER, SCOPE, None)
    batch.error, batch.answer = None, ()
    seen = await kind.observe(of, X, SCOPE, fresh=True)
    assert seen is not None
    assert seen.in_doubt
    assert kind.owned(seen, of, owner(of)) is Ownership.OURS
    await clock.advance(APPEARING_SECONDS + 1)
    assert await kind.observe(of, X, SCOPE, fresh=True) is None


async def test_the_answer_to_any_other_call_is_no_observation():
    batch: Any = Answers({"jobDefinitionArn": "arn:2", "revision": 2})
    call = ApiCall("DeregisterJobDefinition", {"jobDefinition": "arn:2"})
    assert await definitions(batch).act(call, SCOPE, Observed(())) is None
    assert await queues(batch).act(ApiCall("CreateJobQueue", {}), SCOPE, None) is None


def test_a_removal_of_a_kind_goes_to_the_plan_for_removals():
    batch: Any = Answers(None)
    kind = compute_environments(batch)
    of = resource("ComputeEnvironment", deleting=True, deleted_at=NOW, status={"arn": "arn:1"})
    wanted = kind.removal(of, Removal(owner(of), RECORDED))
    assert kind.plan(wanted, None, NOW).released
    tags = {**owner(of).tags(), OWNER_UID: "somebody"}
    found = ObservedEnvironment({"computeEnvironmentArn": "arn:1", "tags": tags})
    assert kind.marks(found) == tags


def test_an_update_of_a_managed_environment_always_names_a_member_of_compute_resources():
    spec = {"type": "MANAGED", "computeResources": {"type": "EC2", "maxvCpus": 9}}
    of = resource("ComputeEnvironment", spec | {"serviceRole": "Batch"})
    desired = desired_environment(of, targets(), owner(of))
    found = ObservedEnvironment(spec)
    assert update_request(desired, found, ("serviceRole",))["computeResources"] == {"maxvCpus": 9}
    assert "computeResources" not in update_request(desired, found, ("state",))


def test_revisions_that_the_status_does_not_show_yet_are_looked_at_again_before_one_goes():
    spec = {"type": "container", "containerProperties": {"image": "x"}, "keepRevisions": 1}
    of = resource("JobDefinition", spec)
    desired = desired_definition(of, targets(), owner(of))
    tags = {**desired.tags.all, "awsbatch.dev/content": desired.content_hash}
    found = tuple(Revision(f"arn:{number}", number, tags, desired.content) for number in (3, 2, 1))
    plan = plan_definition(desired, Observed(found), NOW)
    assert not plan.steps
    assert plan.look_again_seconds == 1.0


async def test_the_jobs_of_a_queue_that_goes_are_counted_in_a_fresh_look_only():
    """Counting takes a call for each state; the look before the fresh one decides nothing."""
    queue = {"jobQueueArn": "arn:q", "jobQueueName": "q", "status": "VALID", "state": "DISABLED"}
    batch: Any = Answers(queue)
    of = resource("JobQueue", deleting=True)
    seen = await queues(batch).observe(of, RECORDED, SCOPE, fresh=False)
    assert seen is not None
    assert seen.jobs is None
    assert [name for name, *_ in batch.asked] == ["job_queue"]


async def test_the_jobs_of_a_queue_that_goes_are_counted_by_their_states():
    class Batch:
        async def job_queue(self, *_: Any, **__: Any) -> Any:
            return {"jobQueueArn": "arn:q", "jobQueueName": "q", "status": "VALID"}

        async def active_jobs(self, *_: Any) -> Any:
            states = ("RUNNING", "RUNNING", "RUNNABLE")
            return [{"jobId": f"j-{n}", "status": each} for n, each in enumerate(states)]

    batch: Any = Batch()
    of = resource("JobQueue", deleting=True)
    seen = await queues(batch).observe(of, RECORDED, SCOPE, fresh=True)
    assert seen is not None
    assert seen.jobs == {"RUNNING": 2, "RUNNABLE": 1}
