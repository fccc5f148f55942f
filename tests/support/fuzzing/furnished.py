"""A simulated account in which something of everything exists, and a sound request for each."""

import json
from dataclasses import dataclass
from typing import Any

from tests.support.simulated_aws import make_simulator

from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.context import Caller
from awsbatch_simulator.ports import RawJson

Fields = dict[str, Any]
CONTAINER: Fields = {
    "image": "busybox",
    "command": ["sleep", "Ref::seconds"],
    "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
    "environment": [{"name": "A", "value": "b"}],
}
RESOURCES: Fields = {
    "type": "EC2",
    "minvCpus": 0,
    "maxvCpus": 16,
    "instanceTypes": ["m7i.large"],
    "subnets": ["subnet-1"],
    "securityGroupIds": ["sg-1"],
    "instanceRole": "ecsInstanceRole",
}
SERVERLESS: Fields = {
    "type": "FARGATE",
    "maxvCpus": 16,
    "subnets": ["subnet-1"],
    "securityGroupIds": ["sg-1"],
}
IMAGE = "ami-12c6146b"
RUN: Fields = {"ImageId": IMAGE, "InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1}
SIZE = [
    {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
    {"name": "MEMORY", "type": "INTEGER", "integerValue": 4096},
]


@dataclass(frozen=True, slots=True)
class Furnished:
    """A simulator, sound parameters by service and operation, and what exists by member name."""

    simulator: Simulator
    sound: dict[str, dict[str, Fields]]
    known: dict[str, list[str]]


def furnished() -> Furnished:
    """The same every time: environments, queues, definitions, jobs, instances, logs."""
    simulator = make_simulator(limits=False)
    caller = Caller(simulator.place, f"arn:aws:iam::{simulator.place.account}:user/sandbox", "r")

    def call(service: str, operation: str, **parameters: Any) -> Fields:
        answer = simulator.world.services[service].handlers[operation](caller, parameters)
        return dict(json.loads(answer.body) if isinstance(answer, RawJson) else answer)

    def batch(operation: str, **parameters: Any) -> Fields:
        return call("batch", operation, **parameters)

    for name, resources in (("main", RESOURCES | {"minvCpus": 2}), ("serverless", SERVERLESS)):
        batch("CreateComputeEnvironment", **_environment(name, resources))
    policy = batch("CreateSchedulingPolicy", name="fair", fairsharePolicy={"shareDecaySeconds": 9})
    simulator.world.advance(20)
    queue = batch("CreateJobQueue", **_queue("main", "main"))["jobQueueArn"]
    batch("CreateJobQueue", **_queue("serverless", "serverless"))
    simulator.world.advance(40)
    definition = batch("RegisterJobDefinition", **_definition())["jobDefinitionArn"]
    batch("RegisterJobDefinition", **_definition())
    job = {"jobName": "a", "jobQueue": "main", "jobDefinition": "main"}
    jobs = [batch("SubmitJob", **job, tags={"team": "a"})["jobId"] for _ in range(4)]
    parent = batch("SubmitJob", **job, arrayProperties={"size": 3})["jobId"]
    waits = batch("SubmitJob", **job, dependsOn=[{"jobId": jobs[3]}])["jobId"]
    instance, idle = (
        call("ec2", "RunInstances", **RUN)["Instances"][0]["InstanceId"] for _ in range(2)
    )
    call("ecs", "CreateCluster", clusterName="mine")
    simulator.world.advance(40)
    registered = call("ecs", "RegisterContainerInstance", **_registration(instance))
    simulator.world.advance(3)
    place = simulator.place
    region = simulator.world.region(place)
    simulator.world.logs.write(place, group="logs", stream="one", events=[(1, "hello"), (2, "you")])
    known = {
        "jobQueue": ["main", "serverless", queue],
        "computeEnvironment": ["main", "serverless"],
        "jobDefinition": ["main", "main:1", definition],
        "jobId": [*jobs, parent, waits, f"{parent}:1"],
        "jobs": [*jobs, parent, waits, f"{parent}:1"],
        "arn": [policy["arn"]],
        "schedulingPolicyArn": [policy["arn"]],
        "resourceArn": [queue, definition, policy["arn"]],
        "cluster": ["mine", *(each.name for each in region.ecs.clusters.values())],
        "containerInstance": [registered["containerInstance"]["containerInstanceArn"]],
        "tasks": [arn for each in region.ecs.clusters.values() for arn in each.tasks],
        "InstanceIds": [idle, instance, *region.ec2.instances],
        "Resources": list(region.ec2.instances),
        "logGroupName": ["logs", "/aws/batch/job"],
        "logStreamName": ["one"],
        "AccessKeyId": [simulator.key.access_key_id],
        "RoleArn": [f"arn:aws:iam::{place.account}:role/batch-operator"],
        **_words(),
    }
    known["clusters"] = known["cluster"]
    known["containerInstances"] = known["containerInstance"]
    return Furnished(simulator, _sound(known), known)


def _words() -> dict[str, list[str]]:
    """What only the text of the documentation says of members that are plain strings."""
    return {
        "type": ["VCPU", "MEMORY", "GPU", "EC2", "FARGATE", "SPOT", "container", "MANAGED"],
        "value": ["1", "2", "0.25", "512", "2048"],
        "subnets": ["subnet-1", "subnet-2"],
        "SubnetId": ["subnet-1"],
        "securityGroupIds": ["sg-1"],
        "Groups": ["sg-1"],
        "instanceTypes": ["m7i.large", "optimal", "c7i"],
        "InstanceType": ["m7i.large"],
        "ImageId": [IMAGE],
        "instanceRole": ["ecsInstanceRole"],
        "targetNodes": ["0", "0:", ":1", "1:3"],
        "onExitCode": ["1", "1*", "*"],
        "nextToken": ["0", "1", "f/1", "b/0"],
        "NextToken": ["i-0", "1"],
        "filter": ["ec2InstanceId exists", "runningTasksCount == 0", "attribute:a =~ (b*)*"],
        "Name": ["instance-id", "tag:a", "tag-key", "launch-time", "network-interface.status"],
        "Values": ["*", "a?", "[a]", "\\"],
        "ResourceType": ["instance", "volume"],
        "DeviceName": ["/dev/sdf", "/dev/xvda"],
        "instanceIdentityDocument": ["{}", "[]", "null", "1", '{"instanceId": []}', "[" * 99_999],
    }


def _environment(name: str, resources: Fields) -> Fields:
    return {
        "computeEnvironmentName": name,
        "type": "MANAGED",
        "state": "ENABLED",
        "computeResources": resources,
    }


def _queue(name: str, environment: str) -> Fields:
    order = [{"order": 1, "computeEnvironment": environment}]
    return {"jobQueueName": name, "priority": 1, "computeEnvironmentOrder": order}


def _definition() -> Fields:
    return {
        "jobDefinitionName": "main",
        "type": "container",
        "parameters": {"seconds": "5"},
        "containerProperties": CONTAINER,
        "retryStrategy": {"attempts": 2, "evaluateOnExit": [{"action": "EXIT", "onReason": "x*"}]},
        "timeout": {"attemptDurationSeconds": 60},
    }


def _registration(instance: str) -> Fields:
    document = json.dumps({"instanceId": instance, "region": "eu-central-1"})
    return {"cluster": "mine", "instanceIdentityDocument": document, "totalResources": SIZE}


def _sound(known: dict[str, list[str]]) -> dict[str, dict[str, Fields]]:
    """Parameters with which each operation does something, as far as the order of calls lets it."""
    return {
        "batch": _batch(known["jobId"], known["resourceArn"][0], known["arn"][0]),
        "ec2": _ec2(known["InstanceIds"]),
        "ecs": _ecs(known),
        "logs": _logs(),
        "sts": {
            "AssumeRole": {"RoleArn": known["RoleArn"][0], "RoleSessionName": "me"},
            "GetAccessKeyInfo": {"AccessKeyId": known["AccessKeyId"][0]},
            "GetCallerIdentity": {},
            "GetSessionToken": {"DurationSeconds": 900},
        },
    }


def _batch(jobs: list[str], queue: str, policy: str) -> dict[str, Fields]:
    overrides = {"command": ["true"], "environment": [{"name": "A", "value": "c"}]}
    submission = {"jobName": "b", "jobQueue": "main", "jobDefinition": "main"}
    return {
        "CreateComputeEnvironment": _environment("new", RESOURCES),
        "UpdateComputeEnvironment": {
            "computeEnvironment": "main",
            "computeResources": {"maxvCpus": 8, "minvCpus": 2},
        },
        "DescribeComputeEnvironments": {"computeEnvironments": ["main", "serverless"]},
        "DeleteComputeEnvironment": {"computeEnvironment": "serverless"},
        "CreateJobQueue": _queue("new", "main"),
        "UpdateJobQueue": {"jobQueue": "main", "state": "ENABLED", "priority": 2},
        "DescribeJobQueues": {"jobQueues": ["main"]},
        "DeleteJobQueue": {"jobQueue": "serverless"},
        "GetJobQueueSnapshot": {"jobQueue": "main"},
        "RegisterJobDefinition": _definition(),
        "DescribeJobDefinitions": {"jobDefinitionName": "main", "status": "ACTIVE"},
        "DeregisterJobDefinition": {"jobDefinition": "main:1"},
        "CreateSchedulingPolicy": {"name": "new", "fairsharePolicy": {"shareDecaySeconds": 60}},
        "UpdateSchedulingPolicy": {"arn": policy, "fairsharePolicy": {"shareDecaySeconds": 60}},
        "DescribeSchedulingPolicies": {"arns": [policy]},
        "ListSchedulingPolicies": {},
        "DeleteSchedulingPolicy": {"arn": policy},
        "SubmitJob": {
            **submission,
            "arrayProperties": {"size": 2},
            "dependsOn": [{"jobId": jobs[3]}, {"type": "SEQUENTIAL"}],
            "containerOverrides": overrides,
            "parameters": {"seconds": "3"},
            "retryStrategy": {"attempts": 1},
            "timeout": {"attemptDurationSeconds": 60},
            "tags": {"a": "b"},
        },
        "DescribeJobs": {"jobs": jobs},
        "ListJobs": {"jobQueue": "main", "filters": [{"name": "JOB_NAME", "values": ["a*"]}]},
        "CancelJob": {"jobId": jobs[2], "reason": "no need"},
        "TerminateJob": {"jobId": jobs[1], "reason": "no need"},
        "CancelJobs": {"jobs": jobs[:2], "reason": "no need"},
        "TerminateJobs": {"jobs": jobs[1:3], "reason": "no need"},
        "TagResource": {"resourceArn": queue, "tags": {"a": "b"}},
        "UntagResource": {"resourceArn": queue, "tagKeys": ["a"]},
        "ListTagsForResource": {"resourceArn": queue},
    }


def _ec2(instances: list[str]) -> dict[str, Fields]:
    tags = [{"Key": "a", "Value": "b"}]
    return {
        "RunInstances": RUN
        | {
            "TagSpecifications": [{"ResourceType": "instance", "Tags": tags}],
            "NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-1", "Groups": ["sg-1"]}],
            "InstanceMarketOptions": {"MarketType": "spot"},
            "ClientToken": "token",
        },
        "TerminateInstances": {"InstanceIds": instances[:1]},
        "DescribeInstances": {"Filters": [{"Name": "tag:a", "Values": ["b*"]}], "MaxResults": 5},
        "CreateTags": {"Resources": instances, "Tags": tags},
        "DeleteTags": {"Resources": instances, "Tags": tags},
        "DescribeTags": {"Filters": [{"Name": "key", "Values": ["a"]}]},
    }


def _ecs(known: dict[str, list[str]]) -> dict[str, Fields]:
    cluster, instances = known["cluster"][0], known["containerInstance"]
    return {
        "CreateCluster": {"clusterName": "new", "tags": [{"key": "a", "value": "b"}]},
        "DescribeClusters": {"clusters": known["cluster"]},
        "ListClusters": {"maxResults": 1},
        "DeleteCluster": {"cluster": cluster},
        "RegisterContainerInstance": _registration(known["InstanceIds"][0]),
        "DescribeContainerInstances": {"cluster": cluster, "containerInstances": instances},
        "ListContainerInstances": {"cluster": cluster, "filter": "agentConnected == true"},
        "UpdateContainerInstancesState": {
            "cluster": cluster,
            "containerInstances": instances,
            "status": "DRAINING",
        },
        "DeregisterContainerInstance": {
            "cluster": cluster,
            "containerInstance": instances[0],
            "force": True,
        },
        "ListTasks": {"cluster": known["cluster"][-1]},
        "DescribeTasks": {"cluster": known["cluster"][-1], "tasks": known["tasks"] or ["a"]},
    }


def _logs() -> dict[str, Fields]:
    where = {"logGroupName": "logs", "logStreamName": "one"}
    return {
        "CreateLogGroup": {"logGroupName": "new"},
        "CreateLogStream": {"logGroupName": "logs", "logStreamName": "two"},
        "DeleteLogGroup": {"logGroupName": "/aws/batch/job"},
        "DeleteLogStream": {"logGroupName": "logs", "logStreamName": "two"},
        "DescribeLogGroups": {"logGroupNamePrefix": "l"},
        "DescribeLogStreams": {"logGroupName": "logs", "orderBy": "LastEventTime"},
        "FilterLogEvents": {"logGroupName": "logs", "filterPattern": "hello"},
        "GetLogEvents": where | {"startFromHead": True, "limit": 1},
        "PutLogEvents": where | {"logEvents": [{"timestamp": 3, "message": "bye"}]},
        "PutRetentionPolicy": {"logGroupName": "logs", "retentionInDays": 7},
    }
