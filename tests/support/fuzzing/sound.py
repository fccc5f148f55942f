"""A sound request for each operation of ours, in the account of `furnished`."""

import json
from typing import Any

from tests.support.fuzzing import capacity, images

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
RUN: Fields = {
    "ImageId": IMAGE,
    "InstanceType": "m7i.large",
    "MinCount": 1,
    "MaxCount": 1,
    "IamInstanceProfile": {"Name": "ecsInstanceRole"},
}
USER_DATA = (
    b"#!/bin/sh\necho ECS_CLUSTER=mine >> /etc/ecs/ecs.config\nshutdown -P +9\n",
    b"#cloud-config\nwrite_files: [{path: /etc/ecs/ecs.config, content: ECS_CLUSTER=mine}]\n",
    b"#cloud-config\nruncmd: 7\nbootcmd: {a: b}\nmounts: x\nwrite_files: [[], {path: []}]\n",
    b"#cloud-boothook\nsystemd-run --on-active=99999999999999999999 poweroff\n",
    b"\x1f\x8b no gzip",
)
TEMPLATE: Fields = {
    "ImageId": IMAGE,
    "InstanceType": "m7i.large",
    "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
    "BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 9}}],
}
SIZE = [
    {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
    {"name": "MEMORY", "type": "INTEGER", "integerValue": 4096},
]


def environment(name: str, resources: Fields) -> Fields:
    return {
        "computeEnvironmentName": name,
        "type": "MANAGED",
        "state": "ENABLED",
        "computeResources": resources,
    }


def queue_over(name: str, environment: str) -> Fields:
    order = [{"order": 1, "computeEnvironment": environment}]
    return {"jobQueueName": name, "priority": 1, "computeEnvironmentOrder": order}


def definition() -> Fields:
    return {
        "jobDefinitionName": "main",
        "type": "container",
        "parameters": {"seconds": "5"},
        "containerProperties": CONTAINER,
        "retryStrategy": {"attempts": 2, "evaluateOnExit": [{"action": "EXIT", "onReason": "x*"}]},
        "timeout": {"attemptDurationSeconds": 60},
    }


def registration(instance: str) -> Fields:
    document = json.dumps({"instanceId": instance, "region": "eu-central-1"})
    return {"cluster": "mine", "instanceIdentityDocument": document, "totalResources": SIZE}


def requests(known: dict[str, list[str]]) -> dict[str, dict[str, Fields]]:
    """Parameters with which each operation does something, as far as the order of calls lets it."""
    return {
        "batch": _batch(known["jobId"], known["resourceArn"][0], known["arn"][0]),
        "ec2": _ec2(known["InstanceIds"])
        | _templates(known["LaunchTemplateId"][0], known["InstanceIds"][0])
        | capacity.requests(known)
        | images.of_ec2(known),
        "ecs": _ecs(known),
        "logs": _logs(),
        "pricing": {"GetProducts": {"ServiceCode": "AmazonEC2", "Filters": capacity.FILTERS}},
        "service-quotas": {
            "GetServiceQuota": {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"},
            "GetAWSDefaultServiceQuota": {"ServiceCode": "ec2", "QuotaCode": "L-1216C47A"},
            "ListServiceQuotas": {"ServiceCode": "ec2", "MaxResults": 5},
            "ListAWSDefaultServiceQuotas": {"ServiceCode": "ec2"},
        },
        "ssm": images.of_ssm(),
        "sts": {
            "AssumeRole": {"RoleArn": known["RoleArn"][0], "RoleSessionName": "me"},
            "GetAccessKeyInfo": {"AccessKeyId": known["AccessKeyId"][0]},
            "GetCallerIdentity": {},
            "GetSessionToken": {"DurationSeconds": 900},
        },
    }


def _batch(jobs: list[str], queue: str, policy: str) -> dict[str, Fields]:
    return {
        "CreateComputeEnvironment": environment("new", RESOURCES),
        "UpdateComputeEnvironment": {
            "computeEnvironment": "main",
            "computeResources": {"maxvCpus": 8, "minvCpus": 2},
        },
        "DescribeComputeEnvironments": {"computeEnvironments": ["main", "serverless"]},
        "DeleteComputeEnvironment": {"computeEnvironment": "serverless"},
        "CreateJobQueue": queue_over("new", "main"),
        "UpdateJobQueue": {"jobQueue": "main", "state": "ENABLED", "priority": 2},
        "DescribeJobQueues": {"jobQueues": ["main"]},
        "DeleteJobQueue": {"jobQueue": "serverless"},
        "GetJobQueueSnapshot": {"jobQueue": "main"},
        "RegisterJobDefinition": definition(),
        "DescribeJobDefinitions": {"jobDefinitionName": "main", "status": "ACTIVE"},
        "DeregisterJobDefinition": {"jobDefinition": "main:1"},
        "CreateSchedulingPolicy": {"name": "new", "fairsharePolicy": {"shareDecaySeconds": 60}},
        "UpdateSchedulingPolicy": {"arn": policy, "fairsharePolicy": {"shareDecaySeconds": 60}},
        "DescribeSchedulingPolicies": {"arns": [policy]},
        "ListSchedulingPolicies": {},
        "DeleteSchedulingPolicy": {"arn": policy},
        "TagResource": {"resourceArn": queue, "tags": {"a": "b"}},
        "UntagResource": {"resourceArn": queue, "tagKeys": ["a"]},
        "ListTagsForResource": {"resourceArn": queue},
    } | _jobs(jobs)


def _jobs(jobs: list[str]) -> dict[str, Fields]:
    return {
        "SubmitJob": {
            "jobName": "b",
            "jobQueue": "main",
            "jobDefinition": "main",
            "arrayProperties": {"size": 2},
            "dependsOn": [{"jobId": jobs[3]}, {"type": "SEQUENTIAL"}],
            "containerOverrides": {
                "command": ["true"],
                "environment": [{"name": "A", "value": "c"}],
            },
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


def _templates(template: str, instance: str) -> dict[str, Fields]:
    """Launch templates and placement groups."""
    tags = [{"Key": "a", "Value": "b"}]
    return {
        "CreateLaunchTemplate": {
            "LaunchTemplateName": "new",
            "LaunchTemplateData": TEMPLATE,
            "TagSpecifications": [{"ResourceType": "launch-template", "Tags": tags}],
            "ClientToken": "token",
        },
        "CreateLaunchTemplateVersion": {
            "LaunchTemplateId": template,
            "SourceVersion": "$Latest",
            "LaunchTemplateData": {"InstanceType": "m7i.large"},
        },
        "ModifyLaunchTemplate": {"LaunchTemplateId": template, "DefaultVersion": "1"},
        "DescribeLaunchTemplates": {"LaunchTemplateIds": [template], "MaxResults": 5},
        "DescribeLaunchTemplateVersions": {
            "LaunchTemplateId": template,
            "Filters": [{"Name": "image-id", "Values": ["ami-*"]}],
        },
        "GetLaunchTemplateData": {"InstanceId": instance},
        "DeleteLaunchTemplateVersions": {"LaunchTemplateId": template, "Versions": ["2"]},
        "DeleteLaunchTemplate": {"LaunchTemplateId": template},
        "CreatePlacementGroup": {"GroupName": "new", "Strategy": "spread"},
        "DescribePlacementGroups": {"GroupNames": ["near"]},
        "DeletePlacementGroup": {"GroupName": "near"},
    }


def _ecs(known: dict[str, list[str]]) -> dict[str, Fields]:
    cluster, instances = known["cluster"][0], known["containerInstance"]
    return {
        "CreateCluster": {"clusterName": "new", "tags": [{"key": "a", "value": "b"}]},
        "DescribeClusters": {"clusters": known["cluster"]},
        "ListClusters": {"maxResults": 1},
        "DeleteCluster": {"cluster": cluster},
        "RegisterContainerInstance": registration(known["InstanceIds"][0]),
        "DescribeContainerInstances": {
            "cluster": cluster,
            "containerInstances": instances,
            "include": ["TAGS"],
        },
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
