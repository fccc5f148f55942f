"""AWS refuses the same thing again and again, in other words each time: nobody is told twice."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import pytest
from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.batch.model import Status

OF_EACH_KIND = 17  # of six kinds: a hundred
RESYNC = 700.0  # seconds: every object has been tried again
REFUSED = {
    "AWSAccount": ("sts", "AssumeRole"),
    "ComputeEnvironment": ("batch", "CreateComputeEnvironment"),
    "JobQueue": ("batch", "CreateJobQueue"),
    "JobDefinition": ("batch", "RegisterJobDefinition"),
    "SchedulingPolicy": ("batch", "CreateSchedulingPolicy"),
    "BatchJob": ("batch", "SubmitJob"),
}
SAID = (
    "It is not to be had",  # Batch itself puts the id to it, in each ClientException
    "It is not to be had (Service: AmazonECS; Status Code: 400; Error Code: X; Request ID: {id})",
    "You are not authorized to do it. Encoded authorization failure message: {id}",
)


class Telling(Installation):
    """AWS refuses with words that carry the id of the request, another one each time."""

    refused = 0
    invalid: Any = None  # the environment that AWS cannot get on with

    def _called(self, service: str, operation: str) -> None:
        super()._called(service, operation)
        if self.invalid is not None:
            self.invalid.status_reason = f"CLIENT_ERROR - {SAID[1].format(id=uuid.uuid4())}"
        for fault in self.simulator.world.faults:
            if (service, operation) == (fault.spec.service, fault.spec.operation):
                self.refused += 1
                said = fault.spec.name.format(id=uuid.uuid4())
                fault.spec = fault.spec.model_copy(update={"message": said})

    def refuse(self, kind: str, said: str, code: str) -> None:
        service, operation = REFUSED[kind]
        self.fault(
            effect="error", service=service, operation=operation, code=code, status=400, name=said
        )


def spec_of(kind: str) -> dict[str, Any]:
    if kind == "AWSAccount":
        return {"roleArn": "arn:aws:iam::111122223333:role/nobody"}
    if kind == "BatchJob":
        return manifests.job()
    return SPECS[next(key for key in SPECS if key.kind == kind)]


@contextmanager
def nothing_written(there: Installation) -> Iterator[None]:
    """No object and no event is written inside."""
    written: list[str] = []
    stop = there.kube.subscribe(lambda change, body: written.append(f"{change} {body['kind']}"))
    events = dict(there.kube.events)
    yield
    stop()
    assert written == []
    assert there.kube.events == events


async def test_a_resync_of_a_hundred_refused_objects_of_every_kind_writes_nothing():
    there = Telling()
    keys = [
        ObjectKey(kind, "" if kind == "AWSAccount" else NAMESPACE, f"refused-{number}")
        for kind in REFUSED
        for number in range(OF_EACH_KIND)
    ]
    async with there.running():
        for key in (ENVIRONMENT, QUEUE, DEFINITION):
            there.apply(key, SPECS[key])
        await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)
        for kind, said in zip(REFUSED, cycle(SAID), strict=False):
            there.refuse(kind, said, "ClientException")
        for key in keys:
            there.apply(key, spec_of(key.kind))
        await there.clock.run_until(
            lambda: all(there.is_true(key, "Stalled", "InvalidRequest") for key in keys), within=600
        )
        await there.clock.advance(30)
        before = there.refused
        with nothing_written(there):
            await there.clock.advance(RESYNC)
        assert there.refused >= before + len(keys)


async def test_what_refused_jobs_refer_to_is_not_read_again_at_each_of_their_tries():
    there = Telling()
    keys = [ObjectKey("BatchJob", NAMESPACE, f"refused-{number}") for number in range(OF_EACH_KIND)]
    async with there.running():
        for key in (ENVIRONMENT, QUEUE, DEFINITION):
            there.apply(key, SPECS[key])
        await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)
        there.refuse("BatchJob", SAID[0], "ClientException")
        for key in keys:
            there.apply(key, spec_of(key.kind))
        await there.clock.run_until(
            lambda: all(there.is_true(key, "Stalled", "InvalidRequest") for key in keys), within=60
        )
        there.calls.clear()
        await there.clock.advance(RESYNC)
    assert there.calls.count("batch:SubmitJob") >= len(keys)
    assert there.calls.count("batch:DescribeJobDefinitions") < OF_EACH_KIND / 2  # the feed's own


async def test_an_invalid_environment_is_told_once_although_aws_tries_and_tries():
    there = Telling()
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        await there.until_ready(ENVIRONMENT)
        [there.invalid] = there.batch.environments.values()
        there.invalid.timer.cancel()  # else the simulator would find it VALID again
        there.invalid.status = Status.INVALID
        message = await there.until(ENVIRONMENT, "Stalled", "EnvironmentInvalid")
        assert "CLIENT_ERROR - It is not to be had (Service: AmazonECS;" in message
        with nothing_written(there):
            await there.clock.advance(RESYNC)
    assert there.status(ENVIRONMENT)["statusReason"] in message


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ("CreateComputeEnvironment", manifests.environment(spotIamFleetRole=manifests.ROLE)),
        ("CreateComputeEnvironment", manifests.fargate()),
        ("UpdateComputeEnvironment", manifests.environment(instanceTypes=["c7i.large"])),
        ("UpdateComputeEnvironment", manifests.environment(maxvCpus=32)),
    ],
    ids=["replacement", "another sort", "infrastructure", "in place"],
)
async def test_a_refused_change_of_an_environment_is_tried_rarely_and_writes_nothing(
    operation, changed
):
    """A record that is written again before each try would wake all that follow the object."""
    there = Telling()
    async with there.running():
        there.apply(ENVIRONMENT, SPECS[ENVIRONMENT])
        await there.until_ready(ENVIRONMENT)
        there.fault(
            effect="error",
            service="batch",
            operation=operation,
            code="ClientException",
            status=400,
            name=SAID[0],
        )
        there.apply(ENVIRONMENT, changed)
        await there.until(ENVIRONMENT, "Stalled", "InvalidRequest")
        await there.clock.advance(30)
        there.refused = 0
        with nothing_written(there):
            await there.clock.advance(3 * RESYNC)
    assert 3 <= there.refused <= 4


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("code", ["ClientException", "AccessDeniedException", "SomethingNew"])
async def test_nothing_that_differs_with_each_answer_is_shown(said, code):
    there = Telling()
    there.refuse("SchedulingPolicy", said, code)
    async with there.running():
        there.apply(manifests.POLICY, manifests.policy())
        message = await there.until(manifests.POLICY, "Stalled")
        tried = there.refused
        with nothing_written(there):
            await there.clock.advance(RESYNC)
        assert there.refused > tried
    assert "It is not to be had" in message or "You are not authorized to do it." in message
    shown = f"{there.status(manifests.POLICY)} {there.events(manifests.POLICY)}"
    assert "equest ID" not in shown
    assert "RequestId" not in shown
    assert "Encoded" not in shown
