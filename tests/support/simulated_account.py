"""The operator's AWS side in a simulated account, without sockets, on one clock for both."""

import asyncio
import random
from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.support.simulated_aws import FreeFence, catch_up, make_simulator

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.aws_settings import AwsSettings
from awsbatch_operator.aws.connect import connect
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.interruption_queue import Queue
from awsbatch_operator.aws.runner import InlineRunner
from awsbatch_operator.aws.sender import AwsContext
from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.inprocess import InProcess

CLUSTER = "c1"
ENVIRONMENT = ObjectKey("ComputeEnvironment", "ns", "env")
QUEUE = ObjectKey("JobQueue", "ns", "main")
DEFINITION = {
    "jobDefinitionName": "d",
    "type": "container",
    "platformCapabilities": ["FARGATE"],
    "containerProperties": {
        "image": "busybox",
        "executionRoleArn": "arn:aws:iam::111122223333:role/ecsTaskExecutionRole",
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "2048"},
        ],
    },
}


class Account:
    """A simulated account, the operator's AWS side in it, and one clock for both."""

    def __init__(self, loader: Any, queue: Queue | None = None) -> None:
        self.clock = SteppedClock()
        self.simulator = make_simulator()
        self.world = self.simulator.world
        self.scope = Scope(self.simulator.place.account, self.simulator.place.region)
        self.woken: list[ObjectKey] = []
        transport = InProcess(
            self.simulator, on_call=lambda *_: catch_up(self.simulator, self.clock)
        )
        context = AwsContext(
            clock=self.clock,
            fence=FreeFence(),
            runner=InlineRunner(),
            jitter=random.Random(1),
            observe=lambda *_: None,
            on_client=transport.connect,
            loader=loader,
        )
        settings = AwsSettings(
            cluster_id=CLUSTER, region=self.scope.region, interruption_queue=queue
        )
        self.aws = connect(settings, context, self.woken.append)
        self.batch = self.aws.batch

    def fault(self, effect: Effect, operation: str, **more: Any) -> None:
        self.world.faults.add(FaultSpec(effect=effect, operation=operation, **more))

    def calls(self, operation: str) -> int:
        return self.simulator.dispatcher.calls.count("batch", operation)

    async def refused(self, call: Any) -> AwsError:
        task = asyncio.ensure_future(call)
        await self.clock.run_until(task.done)
        with pytest.raises(AwsError) as caught:
            await task
        return caught.value

    async def environment(self, name: str = "e") -> str:
        role = f"arn:aws:iam::{self.scope.account_id}:role/service-role/AWSBatchServiceRole"
        request = {
            "computeEnvironmentName": name,
            "type": "MANAGED",
            "serviceRole": role,
            "computeResources": {
                "type": "FARGATE",
                "maxvCpus": 4096,
                "subnets": ["subnet-1"],
                "securityGroupIds": ["sg-1"],
            },
            "tags": Owner(CLUSTER, ENVIRONMENT, "uid").tags(),
        }
        answer = await self.change("CreateComputeEnvironment", request)
        await self.clock.advance(15)
        return str(answer["computeEnvironmentArn"])

    async def queue(self, environment: str, name: str = "q") -> str:
        request = {
            "jobQueueName": name,
            "priority": 1,
            "state": "ENABLED",
            "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": environment}],
            "tags": Owner(CLUSTER, QUEUE, "uid").tags(),
        }
        answer = await self.change("CreateJobQueue", request)
        await self.clock.advance(10)
        return str(answer["jobQueueArn"])

    async def submit(self, queue: str, name: str = "j") -> str:
        request = {"jobName": name, "jobQueue": queue, "jobDefinition": "d"}
        await self.permitted("SubmitJob", holder=name)
        return str((await self.batch.submit_job(self.scope, request))["jobId"])

    async def change(self, operation: str, request: dict[str, Any]) -> Shape:
        return await self.batch.change(self.scope, operation, request)

    async def permitted(self, operation: str, *, holder: str) -> None:
        """Come again as the engine does, until there is a token."""
        while True:
            try:
                self.batch.permit(self.scope, operation, holder)
            except NoTokenError as error:
                await self.clock.sleep(error.seconds)
            else:
                return
