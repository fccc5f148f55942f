"""A simulated account on a stepped clock, without transport: handlers are called directly."""

import copy
import json
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator
from tests.simulator.known import KnownThings

from awsbatch_simulator import notices
from awsbatch_simulator.batch.service import BatchService
from awsbatch_simulator.clock import SimulatedClock
from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.ec2.service import Ec2Service
from awsbatch_simulator.ecs.service import EcsService
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.hosting import Hosts, UserDataMode
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.ports import RawJson, Service
from awsbatch_simulator.pricing import Pricing
from awsbatch_simulator.region import Region
from awsbatch_simulator.service_quotas import ServiceQuotas
from awsbatch_simulator.settings import Settings
from awsbatch_simulator.ssm.service import SsmService
from awsbatch_simulator.world import World

PLACE = Place("111122223333", "eu-central-1")
TASK_ROLE = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole"
ROLE = "arn:aws:iam::111122223333:role/service-role/AWSBatchServiceRole"
PROFILE = "arn:aws:iam::111122223333:instance-profile/ecsInstanceRole"


@cache
def service_model(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


def breaches(value: dict[str, Any], shape: Shape | None) -> list[str]:
    """What a request or an answer has against the service model.

    JobDetail says that startedAt is required; AWS leaves it out until the job has started.
    """
    if shape is None:
        return [f"nothing expected: {value}"] if value else []
    report = ParamValidator().validate(value, shape).generate_report()
    return [line for line in report.splitlines() if line and not line.endswith('"startedAt"')]


class Lines:
    """A LogSink that keeps what is written, by stream."""

    def __init__(self) -> None:
        self.streams: dict[str, list[str]] = {}
        self.groups: set[str] = set()
        self.regions: set[str] = set()

    def write(
        self, place: Place, *, group: str, stream: str, events: Sequence[tuple[int, str]]
    ) -> None:
        self.groups.add(group)
        self.regions.add(place.region)
        self.streams.setdefault(stream, []).extend(text for _, text in events)


class Mail:
    """A Messages that keeps what is sent, by queue."""

    def __init__(self) -> None:
        self.queues: dict[str, list[dict[str, Any]]] = {}

    def send(self, place: Place, queue: str, body: str) -> None:
        self.queues.setdefault(queue, []).append(json.loads(body))


class Cloud:
    """One account and region; operations of all our services are called by their AWS names."""

    def __init__(self, *scripts: JobScript, settings: Settings | None = None) -> None:
        clock = SimulatedClock(stepped=True, start=1_800_000_000.0)
        settings = settings or Settings(hosts=Hosts(user_data=UserDataMode.INTERPRET))
        if scripts:
            settings = settings.model_copy(update={"job_scripts": scripts})
        self.world = World(clock, settings, random.Random(7))
        self.known = KnownThings()
        self.platform = "EC2"  # of the definitions to come; FARGATE once there is such a place
        self.lines = Lines()
        self.world.lookup = self.known
        self.mail = Mail()
        self.world.logs = self.lines
        self.world.ec2_listeners.append(notices.pass_on)
        self.world.messages = self.mail
        self.caller = Caller(PLACE, "arn:aws:iam::111122223333:user/test", "request-1")
        self.services: dict[str, Service] = {
            "batch": BatchService(self.world),
            "ecs": EcsService(self.world),
            "ec2": Ec2Service(self.world),
            "pricing": Pricing(self.world),
            "service-quotas": ServiceQuotas(self.world),
            "ssm": SsmService(self.world),
        }

    def elsewhere(self, region: str = "us-east-1", account: str = PLACE.account) -> "Cloud":
        """The same world as it is seen from another region or account."""
        other = copy.copy(self)
        place = Place(account, region)
        other.caller = Caller(place, f"arn:aws:iam::{account}:user/test", "request-1")
        return other

    def __call__(self, operation: str, /, **request: Any) -> dict[str, Any]:
        """Call an operation; request and answer must be as AWS's service model has them.

        Of several services that have it the first is meant, unless it is `SERVICE:OPERATION`.
        """
        service, _, operation = operation.rpartition(":")
        service = service or next(
            name for name, each in self.services.items() if operation in each.handlers
        )
        model = service_model(service).operation_model(operation)
        assert not breaches(request, model.input_shape)
        answer = self.services[service].handlers[operation](self.caller, request)
        decoded = json.loads(answer.body) if isinstance(answer, RawJson) else copy.deepcopy(answer)
        assert not breaches(decoded, model.output_shape)
        return dict(decoded)

    def refused(self, operation: str, /, **request: Any) -> str:
        """Call an operation that must be refused; what AWS would say."""
        with pytest.raises(AwsFailure) as refusal:
            self(operation, **request)
        assert 400 <= refusal.value.status < 600
        return f"{refusal.value.code}: {refusal.value.message}"

    @property
    def region(self) -> Region:
        return self.world.region(self.caller.place)

    def step(self, seconds: float) -> None:
        self.world.advance(seconds)

    def fault(self, name: str, /, *, seconds: float = 0, **match: str) -> None:
        spec = FaultSpec(effect=Effect.WORLD, name=name, seconds=seconds, match=match)
        self.world.faults.add(spec)

    def hide(self, operation: str, seconds: float) -> None:
        """EC2 does not see with that operation what is younger."""
        spec = FaultSpec(effect=Effect.HIDE, service="ec2", operation=operation, seconds=seconds)
        self.world.faults.add(spec)

    def delays(self, **figures: float) -> None:
        delays = self.world.settings.delays.model_copy(update=figures)
        self.world.change(self.world.settings.model_copy(update={"delays": delays}))

    def environment(self, name: str = "main", **resources: Any) -> str:
        """A MANAGED EC2 environment, CREATING; fields of computeResources as given."""
        given = {
            "type": "EC2",
            "maxvCpus": 16,
            "instanceTypes": ["m7i.large", "m7i.xlarge"],
            "allocationStrategy": "BEST_FIT_PROGRESSIVE",
            "subnets": ["subnet-1"],
            "securityGroupIds": ["sg-1"],
            "instanceRole": PROFILE,
        } | resources
        arn: str = self(
            "CreateComputeEnvironment",
            computeEnvironmentName=name,
            type="MANAGED",
            computeResources=given,
        )["computeEnvironmentArn"]
        return arn

    def fargate(self, name: str = "serverless", maximum: int = 4) -> str:
        """A FARGATE environment, VALID; from now on definitions are for such."""
        self.platform = "FARGATE"
        arn: str = self(
            "CreateComputeEnvironment",
            computeEnvironmentName=name,
            type="MANAGED",
            computeResources={
                "type": "FARGATE",
                "maxvCpus": maximum,
                "subnets": ["subnet-1"],
                "securityGroupIds": ["sg-1"],
            },
        )["computeEnvironmentArn"]
        self.step(10)
        return arn

    def queue(self, name: str = "main", *environments: str, **fields: Any) -> str:
        """A VALID queue over environments, by default one that is made for it."""
        if not environments:
            environments = (self.environment(),)
            self.step(10)
        arn: str = self(
            "CreateJobQueue",
            jobQueueName=name,
            **{"priority": 1, "state": "ENABLED"} | fields,
            computeEnvironmentOrder=[
                {"order": number, "computeEnvironment": each}
                for number, each in enumerate(environments, start=1)
            ],
        )["jobQueueArn"]
        self.step(5)
        return arn

    def definition(self, name: str = "simulate", **fields: Any) -> str:
        """A definition of one vCPU (EC2: 1 GiB, Fargate: 2); in `container` further members."""
        fargate = self.platform == "FARGATE" and "platformCapabilities" not in fields
        vcpus = fields.pop("vcpus", 1)
        memory = fields.pop("memory", vcpus * 2048 if fargate else 1024)
        container = {
            "image": "busybox",
            "command": ["echo", "hello"],
            "resourceRequirements": [
                {"type": "VCPU", "value": str(vcpus)},
                {"type": "MEMORY", "value": str(memory)},
            ],
        }
        if fargate:
            container["executionRoleArn"] = TASK_ROLE
            fields["platformCapabilities"] = ["FARGATE"]
        container |= fields.pop("container", {})
        arn: str = self(
            "RegisterJobDefinition",
            jobDefinitionName=name,
            type="container",
            containerProperties=container,
            **fields,
        )["jobDefinitionArn"]
        return arn

    def submit(self, name: str = "job", *, definition: str = "simulate", **fields: Any) -> str:
        """A job's id."""
        request = {"jobQueue": "main", "jobName": name, "jobDefinition": definition} | fields
        job_id: str = self("SubmitJob", **request)["jobId"]
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        """JobDetail."""
        found: dict[str, Any] = self("DescribeJobs", jobs=[job_id])["jobs"][0]
        return found

    def status(self, job_id: str) -> str:
        return str(self.job(job_id)["status"])


def ready(*scripts: JobScript, **resources: Any) -> Cloud:
    """A cloud with the queue `main` over the EC2 environment `main`, and a definition."""
    cloud = Cloud(*scripts)
    cloud.environment(**resources)
    cloud.step(10)
    cloud.queue("main", "main")
    cloud.definition()
    return cloud


def serverless(*scripts: JobScript, maximum: int = 4) -> Cloud:
    """A cloud with the queue `main` over a FARGATE environment: jobs start at once."""
    cloud = Cloud(*scripts)
    cloud.fargate(maximum=maximum)
    cloud.queue("main", "serverless")
    cloud.definition()
    return cloud
