"""Letting go of all objects before the operator is removed."""

import asyncio
import shlex

import botocore.session
import pytest
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import DEFAULT_ACCOUNT, ENVIRONMENT, LASTING, POLICY, QUEUE, SPECS

from awsbatch_operator import uninstall as removal
from awsbatch_operator.api.metadata import FINALIZER, ObjectKey
from awsbatch_operator.assembly import KINDS
from awsbatch_operator.kube.port import ConflictError, DeniedError, UnavailableError
from awsbatch_operator.uninstall import Exit, uninstall

LEASE = ObjectKey("Lease", NAMESPACE, "aws-batch-operator")


async def installed() -> Installation:
    there = Installation()
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {})
        for key in LASTING:
            there.apply(key, SPECS[key])
        await there.until_ready(*LASTING, DEFAULT_ACCOUNT, within=900)
    return there


async def removed(there: Installation) -> tuple[Exit, str]:
    """The exit code, and what was said."""
    said: list[str] = []
    code = await uninstall(there.kube, KINDS, lease=LEASE, clock=there.clock, say=said.append)
    return code, "\n".join(said)


def held(there: Installation) -> list[ObjectKey]:
    keys = (*LASTING, DEFAULT_ACCOUNT)
    return [key for key in keys if there.kube.see(key)["metadata"].get("finalizers")]


async def leased(there: Installation, holder: str, seconds: int = 30) -> None:
    spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds}
    await there.kube.create_lease(LEASE.namespace, LEASE.name, spec)


async def test_every_object_can_be_deleted_afterwards_and_aws_is_neither_asked_nor_changed():
    there = await installed()
    calls = len(there.calls)
    code, said = await removed(there)
    assert code is Exit.DONE
    for key in (*LASTING, DEFAULT_ACCOUNT):
        there.kube.remove(key)
        assert there.gone(key)
        assert f"{key.kind}  " in said
    assert len(there.calls) == calls
    assert there.aws().describe_job_queues()["jobQueues"]


async def test_it_says_what_is_left_in_aws_and_a_command_that_finds_it():
    there = await installed()
    _, said = await removed(there)
    region = there.simulator.place.region
    assert f"in account {ACCOUNT}, region {region}: 1 ComputeEnvironment" in said
    assert "1 JobQueue" in said
    assert "instance" not in said  # none was launched
    [command] = [line for line in said.splitlines() if line.startswith("  aws ")]
    words = shlex.split(command)
    model = botocore.session.Session().get_service_model(words[1])
    parameters = model.operation_model("GetResources").input_shape.members
    tag_filter = parameters["TagFilters"].member.members
    assert words[2] == "get-resources"
    assert words[-1].split("=")[0] in tag_filter
    tags = there.aws().describe_job_queues()["jobQueues"][0]["tags"]
    assert words[-1].split("=")[1] in tags


async def test_what_goes_on_costing_money_is_counted_and_said():
    there = await installed()
    shown = {"pools": [{"name": "a", "launched": 2}, {"name": "b", "launched": 1}, {"name": "c"}]}
    environment = there.kube.see(ENVIRONMENT)
    status = environment["status"] | {"capacity": shown}
    there.kube.objects.save(ENVIRONMENT, environment | {"status": status})
    other = ObjectKey("SchedulingPolicy", NAMESPACE, "other")
    there.apply(other, SPECS[POLICY])
    fields = {
        name: there.kube.see(POLICY)["metadata"][name] for name in ("annotations", "finalizers")
    }
    body = there.kube.see(other)
    there.kube.objects.save(other, body | {"metadata": body["metadata"] | fields})
    _, said = await removed(there)
    assert "1 ComputeEnvironment, 3 instances, 2 SchedulingPolicies, 1 JobQueue" in said
    assert "cost money until somebody ends them" in said


@pytest.mark.parametrize(
    ("conditions", "counted"),
    [
        ([], "1 BatchJob"),
        ([{"type": "Complete", "status": "True"}], ""),
        ([{"type": "Failed", "status": "True", "reason": "DependencyFailed"}], ""),
    ],
)
async def test_a_job_is_left_in_aws_unless_it_has_ended(conditions, counted):
    there = await installed()
    job = ObjectKey("BatchJob", NAMESPACE, "run")
    there.apply(job, {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "simulate"}})
    body, policy = there.kube.see(job), there.kube.see(POLICY)["metadata"]
    fields = {name: policy[name] for name in ("annotations", "finalizers")}
    metadata = body["metadata"] | fields
    there.kube.objects.save(
        job, body | {"metadata": metadata, "status": {"conditions": conditions}}
    )
    _, said = await removed(there)
    assert ("1 BatchJob" in said) is bool(counted)
    assert ("Jobs run on there" in said) is bool(counted)
    assert "BatchJob            1 let go" in said


async def test_a_second_run_finds_nothing_to_do_and_writes_nothing():
    there = await installed()
    await removed(there)
    versions = [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING]
    code, said = await removed(there)
    assert code is Exit.DONE
    assert "there was nothing to do" in said
    assert "Left in AWS" not in said
    assert [there.kube.see(key)["metadata"]["resourceVersion"] for key in LASTING] == versions


async def test_objects_that_are_let_go_at_the_same_time_are_all_counted(monkeypatch):
    there = await installed()
    for number in range(40):
        there.apply(ObjectKey("BatchJob", NAMESPACE, f"job-{number}"), {}, finalizers=[FINALIZER])
    patch = there.kube.patch

    async def slow(*arguments):
        await asyncio.sleep(0)  # others have their turn before the answer
        return await patch(*arguments)

    monkeypatch.setattr(there.kube, "patch", slow)
    _, said = await removed(there)
    assert "BatchJob            40 let go\n" in said


async def test_other_finalizers_stay():
    there = await installed()
    body = there.kube.see(POLICY)
    kept = [*body["metadata"]["finalizers"], "example.org/theirs"]
    there.kube.objects.save(POLICY, {**body, "metadata": {**body["metadata"], "finalizers": kept}})
    await removed(there)
    assert there.kube.see(POLICY)["metadata"]["finalizers"] == ["example.org/theirs"]


@pytest.mark.parametrize("gone", KINDS)
async def test_a_kind_whose_crd_has_gone_has_no_objects_and_keeps_no_other_held(gone):
    """CRDs were deleted after the operator: this is what lets their last objects go."""
    there = await installed()
    definition = there.kube.definitions.pop(gone)
    code, said = await removed(there)
    there.kube.definitions[gone] = definition
    assert code is Exit.DONE
    assert {key.kind for key in held(there)} <= {gone}
    [line] = [line for line in said.splitlines() if line.startswith(gone)]
    assert line.endswith("not served (its CRD is gone), so there are no objects")


async def test_a_crd_that_goes_with_its_last_object_in_the_middle_is_no_trouble(monkeypatch):
    there = await installed()
    patch = there.kube.patch

    async def last(key, operations):
        body = await patch(key, operations)
        if key.kind == "JobQueue":
            del there.kube.definitions["JobQueue"]
            raise UnavailableError("404 page not found")
        return body

    monkeypatch.setattr(there.kube, "patch", last)
    code, said = await removed(there)
    assert code is Exit.DONE
    assert "JobQueue" not in there.kube.definitions
    assert "Some objects may still be held" not in said


async def test_trouble_with_one_kind_is_told_and_what_was_held_by_it_goes_with_the_next_run(
    monkeypatch,
):
    there = await installed()
    patch = there.kube.patch

    async def refused(key, operations):
        if key == QUEUE:
            raise DeniedError("Cannot patch it: forbidden (403). Grant it.")
        return await patch(key, operations)

    with monkeypatch.context() as broken:
        broken.setattr(there.kube, "patch", refused)
        code, said = await removed(there)
    assert code is Exit.FAILED
    assert held(there) == [QUEUE]
    assert "Grant it." in said
    assert "run this again" in said
    code, said = await removed(there)
    assert code is Exit.DONE
    assert held(there) == []


async def test_somebody_who_writes_meanwhile_does_not_keep_an_object_held(monkeypatch):
    there = await installed()
    patch = there.kube.patch
    refused: list[ObjectKey] = []

    async def overtaken(key, operations):
        if key == POLICY and len(refused) < 2:
            refused.append(key)
            there.kube.annotate(key, **{"example.org/busy": str(len(refused))})
            raise ConflictError("it has changed")
        return await patch(key, operations)

    monkeypatch.setattr(there.kube, "patch", overtaken)
    await removed(there)
    assert FINALIZER not in there.kube.see(POLICY)["metadata"].get("finalizers", ())
    assert there.kube.see(POLICY)["metadata"]["namespace"] == NAMESPACE


async def test_while_an_operator_renews_its_lease_nothing_is_done(monkeypatch):
    there = await installed()
    await leased(there, "operator-1")
    sleep = there.clock.sleep

    async def renewing(seconds):
        there.clock.skip(seconds)
        lease = await there.kube.read_lease(LEASE.namespace, LEASE.name)
        assert lease is not None
        await there.kube.replace_lease(lease, lease["spec"])
        await sleep(0)

    monkeypatch.setattr(there.clock, "sleep", renewing)
    before = held(there)
    code, said = await removed(there)
    assert code is Exit.OPERATOR_RUNS
    assert held(there) == before != []
    assert "operator-1 still runs" in said
    assert f"kubectl scale deployment -n {NAMESPACE} aws-batch-operator --replicas=0" in said


async def test_the_deployment_to_stop_has_the_name_of_its_lease(monkeypatch):
    """As in each release of the chart."""

    async def leads(*_):
        return "operator-1"

    monkeypatch.setattr(removal, "still_leads", leads)
    said: list[str] = []
    there, lease = Installation(), LEASE._replace(name="lab-aws-batch-operator")
    code = await uninstall(there.kube, KINDS, lease=lease, clock=there.clock, say=said.append)
    assert code is Exit.OPERATOR_RUNS
    assert f"kubectl scale deployment -n {NAMESPACE} lab-aws-batch-operator --replicas=0" in said[0]


@pytest.mark.parametrize("seconds", [30, 300])
async def test_an_operator_that_died_is_waited_for_as_long_as_its_lease_lasts(monkeypatch, seconds):
    there = await installed()
    await leased(there, "operator-1", seconds)
    waited: list[float] = []

    async def sleep(seconds):
        waited.append(seconds)
        there.clock.skip(seconds)

    monkeypatch.setattr(there.clock, "sleep", sleep)
    code, _ = await removed(there)
    assert code is Exit.DONE
    assert seconds <= sum(waited) < seconds + removal.PATIENCE_SECONDS


async def test_whoever_may_not_read_leases_is_believed(monkeypatch):
    there = await installed()
    await leased(there, "operator-1")

    async def denied(namespace, name):
        raise DeniedError(f"{namespace}/{name}")

    monkeypatch.setattr(there.kube, "read_lease", denied)
    code, _ = await removed(there)
    assert code is Exit.DONE
