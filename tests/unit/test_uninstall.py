"""Letting go of all objects before the operator is removed."""

from structlog.testing import capture_logs
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFAULT_ACCOUNT, LASTING, POLICY, SPECS

from awsbatch_operator.api.metadata import FINALIZER, ObjectKey
from awsbatch_operator.assembly import KINDS
from awsbatch_operator.kube.port import ConflictError
from awsbatch_operator.uninstall import release_all, release_served


async def installed() -> Installation:
    there = Installation()
    async with there.running():
        there.apply(DEFAULT_ACCOUNT, {})
        for key in LASTING:
            there.apply(key, SPECS[key])
        await there.until_ready(*LASTING, DEFAULT_ACCOUNT, within=900)
    return there


async def test_every_object_can_be_deleted_afterwards_and_aws_is_left_as_it_is():
    there = await installed()
    calls = len(there.calls)
    released = sum([await release_all(there.kube, kind) for kind in KINDS])
    assert released == len(LASTING) + 1
    for key in (*LASTING, DEFAULT_ACCOUNT):
        there.kube.remove(key)
        assert there.gone(key)
    assert len(there.calls) == calls
    assert there.aws().describe_job_queues()["jobQueues"]


async def test_other_finalizers_stay_and_what_was_released_is_not_written_again():
    there = await installed()
    body = there.kube.see(POLICY)
    kept = [*body["metadata"]["finalizers"], "example.org/theirs"]
    there.kube.objects.save(POLICY, {**body, "metadata": {**body["metadata"], "finalizers": kept}})
    assert await release_all(there.kube, "SchedulingPolicy") == 1
    version = there.kube.see(POLICY)["metadata"]["resourceVersion"]
    assert there.kube.see(POLICY)["metadata"]["finalizers"] == ["example.org/theirs"]
    assert await release_all(there.kube, "SchedulingPolicy") == 0
    assert there.kube.see(POLICY)["metadata"]["resourceVersion"] == version


async def test_a_kind_whose_crd_has_gone_keeps_no_other_object_held():
    """CRDs were deleted after the operator: this is what lets their last objects go."""
    there = await installed()
    del there.kube.definitions["AWSAccount"]
    with capture_logs() as lines:
        await release_served(there.kube, KINDS)
    assert not any(there.kube.see(key)["metadata"].get("finalizers") for key in LASTING)
    said = {line["kind"]: line for line in lines}
    assert said["AWSAccount"]["log_level"] == "warning"
    assert said["JobQueue"]["objects"] == 1


async def test_somebody_who_writes_meanwhile_does_not_keep_an_object_held(monkeypatch):
    there = await installed()
    patch = there.kube.patch
    refused: list[ObjectKey] = []

    async def overtaken(key, operations):
        if len(refused) < 2:
            refused.append(key)
            there.kube.annotate(key, **{"example.org/busy": str(len(refused))})
            raise ConflictError("it has changed")
        return await patch(key, operations)

    monkeypatch.setattr(there.kube, "patch", overtaken)
    assert await release_all(there.kube, "SchedulingPolicy") == 1
    assert FINALIZER not in there.kube.see(POLICY)["metadata"].get("finalizers", ())
    assert there.kube.see(POLICY)["metadata"]["namespace"] == NAMESPACE
