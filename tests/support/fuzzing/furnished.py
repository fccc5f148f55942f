"""A simulated account in which something of everything exists, and a sound request for each."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.fuzzing import capacity, images, sound
from tests.support.simulated_aws import make_simulator

from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.context import Caller
from awsbatch_simulator.ec2.store import Ec2Store
from awsbatch_simulator.ports import RawJson

Fields = dict[str, Any]
Known = dict[str, list[str]]
Call = Callable[..., Fields]
BATCH = "batch"
WARM = sound.RESOURCES | {"minvCpus": 2}


@dataclass(frozen=True, slots=True)
class Furnished:
    """A simulator, sound parameters by service and operation, and what exists by member name."""

    simulator: Simulator
    sound: dict[str, dict[str, Fields]]
    known: Known


def furnished() -> Furnished:
    """The same every time: environments, queues, definitions, jobs, instances, logs."""
    simulator = make_simulator(limits=False)
    caller = Caller(simulator.place, f"arn:aws:iam::{simulator.place.account}:user/sandbox", "r")

    def call(service: str, operation: str, **parameters: Any) -> Fields:
        answer = simulator.world.services[service].handlers[operation](caller, parameters)
        return dict(json.loads(answer.body) if isinstance(answer, RawJson) else answer)

    known = (
        _made_in_batch(simulator, call)
        | _made_elsewhere(simulator, call)
        | _words()
        | images.words()
    )
    return Furnished(simulator, sound.requests(known), known)


def _made_in_batch(simulator: Simulator, call: Call) -> Known:
    call(BATCH, "CreateComputeEnvironment", **sound.environment("main", WARM))
    call(BATCH, "CreateComputeEnvironment", **sound.environment("serverless", sound.SERVERLESS))
    simulator.world.advance(20)
    queue = call(BATCH, "CreateJobQueue", **sound.queue_over("main", "main"))["jobQueueArn"]
    call(BATCH, "CreateJobQueue", **sound.queue_over("serverless", "serverless"))
    simulator.world.advance(40)
    definition = call(BATCH, "RegisterJobDefinition", **sound.definition())["jobDefinitionArn"]
    call(BATCH, "RegisterJobDefinition", **sound.definition())
    fair = {"shareDecaySeconds": 9}
    policy = call(BATCH, "CreateSchedulingPolicy", name="fair", fairsharePolicy=fair)["arn"]
    job = {"jobName": "a", "jobQueue": "main", "jobDefinition": "main"}
    jobs = [call(BATCH, "SubmitJob", **job, tags={"team": "a"})["jobId"] for _ in range(4)]
    parent = call(BATCH, "SubmitJob", **job, arrayProperties={"size": 3})["jobId"]
    jobs += [parent, call(BATCH, "SubmitJob", **job, dependsOn=[{"jobId": jobs[3]}])["jobId"]]
    return {
        "jobQueue": ["main", "serverless", queue],
        "computeEnvironment": ["main", "serverless"],
        "jobDefinition": ["main", "main:1", definition],
        "jobId": [*jobs, f"{parent}:1"],
        "jobs": [*jobs, f"{parent}:1"],
        "arn": [policy],
        "schedulingPolicyArn": [policy],
        "resourceArn": [queue, definition, policy],
    }


def _made_elsewhere(simulator: Simulator, call: Call) -> Known:
    place, world = simulator.place, simulator.world
    used, idle, stopped = (
        call("ec2", "RunInstances", **sound.RUN)["Instances"][0]["InstanceId"] for _ in range(3)
    )
    template = _bought_with(call)
    call("ecs", "CreateCluster", clusterName="mine")
    world.advance(40)
    call("ec2", "StopInstances", InstanceIds=[stopped])
    world.advance(20)
    pictured = images.make(call, stopped)
    world.advance(60)
    registered = call("ecs", "RegisterContainerInstance", **sound.registration(used))
    world.advance(3)
    world.logs.write(place, group="logs", stream="one", events=[(1, "hello"), (2, "you")])
    region = world.region(place)
    clusters = ["mine", *(each.name for each in region.ecs.clusters.values())]
    instances = [registered["containerInstance"]["containerInstanceArn"]]
    return (
        {
            "cluster": clusters,
            "clusters": clusters,
            "containerInstance": instances,
            "containerInstances": instances,
            "tasks": [arn for each in region.ecs.clusters.values() for arn in each.tasks],
            "InstanceIds": [idle, *region.ec2.instances],
            "LaunchTemplateId": [template],
            "LaunchTemplateIds": [template],
            "LaunchTemplateName": ["web", "new"],
            "LaunchTemplateNames": ["web"],
            "GroupName": ["near"],
            "GroupNames": ["near"],
            "logGroupName": ["logs", "/aws/batch/job"],
            "logStreamName": ["one"],
            "AccessKeyId": [simulator.key.access_key_id],
            "RoleArn": [f"arn:aws:iam::{place.account}:role/batch-operator"],
        }
        | _of_ec2(region.ec2, [idle, stopped], template)
        | pictured()
    )


def _bought_with(call: Call) -> str:
    """A template, a group, a reservation and a fleet; the template's id."""
    data = {"LaunchTemplateName": "web", "LaunchTemplateData": sound.TEMPLATE}
    template = call("ec2", "CreateLaunchTemplate", **data)["LaunchTemplate"]["LaunchTemplateId"]
    call("ec2", "CreatePlacementGroup", GroupName="near")
    call("ec2", "CreateCapacityReservation", **capacity.RESERVATION)
    call("ec2", "CreateFleet", **capacity.fleet(template))
    return str(template)


def _of_ec2(store: Ec2Store, first: list[str], template: str) -> Known:
    """Ids by member; `first` are an instance that nothing happens to and one that is stopped."""
    return {
        "InstanceId": [*first, *store.instances],
        "Resources": [
            *(*store.instances, template, *store.fleets, *store.volumes),
            *(*store.spot_requests, *store.reservations, *store.interfaces),
            *(*store.images, *store.snapshots),
        ],
        "FleetId": [*store.fleets],
        "FleetIds": [*store.fleets],
        "VolumeId": [*store.volumes],
        "VolumeIds": [*store.volumes],
        "SpotInstanceRequestIds": [*store.spot_requests],
        "CapacityReservationId": [*store.reservations],
        "ImageId": [sound.IMAGE, *store.images],
        "CapacityReservationIds": [*store.reservations],
    }


def _words() -> Known:
    """What only the text of the documentation says of members that are plain strings."""
    return {
        "type": ["VCPU", "MEMORY", "GPU", "EC2", "FARGATE", "SPOT", "container", "MANAGED"],
        "value": ["1", "2", "0.25", "512", "2048"],
        "subnets": ["subnet-1", "subnet-2"],
        "SubnetId": ["subnet-1"],
        "Version": ["1", "$Latest", "$Default"],
        "SourceVersion": ["1", "$Latest"],
        "DefaultVersion": ["1"],
        "securityGroupIds": ["sg-1"],
        "Groups": ["sg-1"],
        "instanceTypes": ["m7i.large", "optimal", "c7i"],
        "InstanceType": ["m7i.large"],
        "InstanceTypes": ["m7i.large", "m5.large", "g4dn.xlarge"],
        "Type": ["instant", "TERM_MATCH"],
        "AvailabilityZone": ["eu-central-1a"],
        "InstancePlatform": ["Linux/UNIX"],
        "Attribute": ["instanceType", "userData", "groupSet", *images.ATTRIBUTES],
        "MaxPrice": ["0.5"],
        "MaxTotalPrice": ["5"],
        "ServiceCode": ["AmazonEC2", "ec2"],
        "QuotaCode": ["L-1216C47A"],
        "Field": ["instanceType", "regionCode", "operatingSystem"],
        "Value": ["m7i.large", "us-east-1", "Linux"],
        "UserData": [base64.b64encode(text).decode() for text in sound.USER_DATA],
        "instanceRole": ["ecsInstanceRole"],
        "targetNodes": ["0", "0:", ":1", "1:3"],
        "onExitCode": ["1", "1*", "*"],
        "nextToken": ["0", "1", "f/1", "b/0"],
        "NextToken": ["i-0", "1"],
        "filter": ["ec2InstanceId exists", "runningTasksCount == 0", "attribute:a =~ (b*)*"],
        "Name": ["instance-id", "tag:a", "tag-key", "network-interface.status", *images.NAMES],
        "Values": ["*", "a?", "[a]", "\\"],
        "ResourceType": ["instance", "volume", "image", "snapshot", "Parameter", "ec2:Instance"],
        "DeviceName": ["/dev/sdf", "/dev/xvda"],
        "instanceIdentityDocument": ["{}", "[]", "null", "1", '{"instanceId": []}', "[" * 99_999],
    }
