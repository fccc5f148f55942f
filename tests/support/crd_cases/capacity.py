"""`capacity` of a ComputeEnvironment."""

from typing import Any

from tests.support.crd_cases.cases import Patch, case

from awsbatch_operator.schema.hosts import IOPS, SIZES

ROLE = "arn:aws:iam::111122223333:role/batch-service"
PROFILE = "arn:aws:iam::111122223333:instance-profile/ecsInstanceRole"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-1111-2222-3333-444455556666"
POOL = {
    "name": "main",
    "market": "OnDemand",
    "instanceTypes": ["r7i.large"],
    "subnets": ["subnet-1"],
    "instanceProfile": PROFILE,
}
BLOCK = {"durationSeconds": 14400, "instanceCount": 4}


def capacity(*pools: Patch, **members: Any) -> dict[str, Any]:
    """An UNMANAGED environment with these pools."""
    return {
        "type": "UNMANAGED",
        "computeResources": None,
        "serviceRole": ROLE,
        "capacity": {"limits": {"maxvCpus": 64}, "pools": [*pools], **members},
    }


def pool(**members: Any) -> dict[str, Any]:
    """An environment whose only pool has these members; those that are None are left out."""
    made = {**POOL, **members}
    return capacity({name: value for name, value in made.items() if value is not None})


def block(**members: Any) -> dict[str, Any]:
    """An environment with a spot block of these members; those that are None are left out."""
    made = {**BLOCK, **members}
    kept = {name: value for name, value in made.items() if value is not None}
    return pool(market="SpotBlock", spotBlock=kept)


def wanted(**members: Any) -> dict[str, Any]:
    """A pool of types that have this."""
    return pool(instanceTypes=None, instanceRequirements=members)


def ebs(**members: Any) -> dict[str, Any]:
    """A pool with a volume like this."""
    return pool(blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": members}])


def device(**members: Any) -> dict[str, Any]:
    """A pool with a device like this."""
    return pool(blockDeviceMappings=[{"deviceName": "/dev/sdf", **members}])


def agent(**settings: str) -> dict[str, Any]:
    """A pool whose instances have these settings of the ECS agent."""
    return pool(userData={"ecsConfig": settings})


_EVERYTHING = pool(
    priority=2,
    minInstances=1,
    maxInstances=16,
    idleSeconds=0,
    registrationTimeoutSeconds=900,
    drainTimeoutSeconds=0,
    replacePolicy="Never",
    securityGroupIds=["sg-1"],
    keyName="operations",
    image={"amiRef": {"name": "atmos"}},
    blockDeviceMappings=[
        {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 111, "volumeType": "gp3"}}
    ],
    cpuOptions={"threadsPerCore": 1},
    placement={"groupName": "near", "tenancy": "default"},
    metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 2},
    userData={
        "script": "#!/bin/sh\nmkdir -p /scratch\n",
        "cloudConfig": "#cloud-config\npackages: [htop]\n",
        "ecsConfig": {"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"},
    },
)

CASES = {
    "capacity-unmanaged": case(
        accepts=[_EVERYTHING, pool()],
        refuses={"capacity": pool()["capacity"]},
    ),
    "capacity-limited": case(
        accepts=[
            capacity(POOL, limits={"maxInstances": 1}),
            capacity(POOL, limits={"maxHourlyCost": "12.50"}),
        ],
        refuses=capacity(POOL, limits={}),
    ),
    "kept-within-limit": case(
        accepts=[
            capacity({**POOL, "minInstances": 4}, limits={"maxInstances": 4}),
            capacity({**POOL, "minInstances": 4}),
        ],
        refuses=capacity(
            {**POOL, "minInstances": 2},
            {**POOL, "name": "other", "minInstances": 3},
            limits={"maxInstances": 4},
        ),
    ),
    "block-within-limit": case(
        accepts=capacity(
            {**POOL, "market": "SpotBlock", "spotBlock": BLOCK}, limits={"maxInstances": 4}
        ),
        refuses=capacity(
            {**POOL, "market": "SpotBlock", "spotBlock": BLOCK}, limits={"maxInstances": 3}
        ),
    ),
    "instances-chosen-once": case(
        accepts=[pool(), wanted(families=["r7i"])],
        refuses=[
            pool(instanceTypes=None),
            pool(instanceRequirements={"families": ["r7i"]}),
        ],
    ),
    "block-with-its-market": case(
        accepts=[block(), pool()],
        refuses=[
            pool(market="SpotBlock"),
            pool(spotBlock=BLOCK),
            pool(market="Spot", spotBlock=BLOCK),
        ],
    ),
    "block-has-its-count": case(
        accepts=block(),
        refuses=[
            pool(market="SpotBlock", spotBlock=BLOCK, minInstances=1),
            pool(market="SpotBlock", spotBlock=BLOCK, maxInstances=4),
        ],
    ),
    "instances-ordered": case(
        accepts=[pool(minInstances=2, maxInstances=2), pool(maxInstances=0)],
        refuses=pool(minInstances=3, maxInstances=2),
    ),
    "price-of-spot": case(
        accepts=[
            pool(market="Spot", maxPricePerHour="0.03"),
            pool(market="SpotBlock", spotBlock=BLOCK, maxPricePerHour="0.03"),
        ],
        refuses=pool(maxPricePerHour="0.03"),
    ),
    "rebalance-of-spot": case(
        accepts=[pool(market="Spot", onRebalance="Drain"), pool(onRebalance="Ignore")],
        refuses=pool(onRebalance="Replace"),
    ),
    "range-ordered": case(
        accepts=[
            wanted(vCPUs={"min": 2}),
            wanted(vCPUs={"max": 2}),
            wanted(memoryMiB={"min": 8192, "max": 8192}),
        ],
        refuses=[wanted(vCPUs={}), wanted(memoryMiB={"min": 2, "max": 1})],
    ),
    "requirements-narrow": case(
        accepts=wanted(vCPUs={"min": 2, "max": 8}, architecture="arm64", acceleratorCount=1),
        refuses=[wanted(), wanted(architecture="arm64"), wanted(acceleratorCount=1)],
    ),
    "image-source-once": case(
        accepts=[pool(image={"amiId": "ami-0a1b2c3d"}), pool(image={})],
        refuses=pool(image={"amiId": "ami-0a1b2c3d", "ssmParameter": "/images/atmos"}),
    ),
    "user-data-mime-alone": case(
        accepts=[pool(userData={"mime": "MIME-Version: 1.0"}), pool(userData={"script": "true"})],
        refuses=[
            pool(userData={"mime": "MIME-Version: 1.0", other: "x"})
            for other in ("script", "cloudConfig")
        ],
    ),
    "agent-setting-names": case(
        accepts=agent(ECS_RESERVED_MEMORY="64", NO_PROXY="169.254.169.254"),
        refuses=[agent(**{name: "x"}) for name in ("ecs_loglevel", "ECS LOGLEVEL", "A=B\nC", "")],
    ),
    "cluster-is-ours": case(
        accepts=agent(ECS_LOGLEVEL="debug"), refuses=agent(ECS_CLUSTER="default")
    ),
    "agent-setting-one-line": case(
        accepts=agent(ECS_LOGLEVEL=""),
        refuses=[agent(ECS_LOGLEVEL=f"debug{end}ECS_CLUSTER=other") for end in ("\n", "\r")],
    ),
    "block-lasts-once": case(
        accepts=block(durationSeconds=None, blockDurationMinutes=240),
        refuses=[block(durationSeconds=None), block(blockDurationMinutes=240)],
    ),
    "block-request-grows": case(
        before=block(request=2),
        accepts=[block(request=2), block(request=3)],
        refuses=[block(request=1), block()],
    ),
    "fallback-once": case(
        accepts=block(fallback=["Spot", "OnDemandUntilDeadline", "NewReservation"]),
        refuses=block(fallback=["Spot", "OwnReservation", "Spot"]),
    ),
    "block-device-is-one-thing": case(
        accepts=[device(ebs={}), device(virtualName="ephemeral0"), device(noDevice="")],
        refuses=[device(), device(ebs={}, noDevice="")],
    ),
    "volume-size": case(
        accepts=[
            ebs(volumeSize=SIZES["gp3"][1], volumeType="gp3"),
            ebs(volumeSize=SIZES["io1"][0], volumeType="io1", iops=IOPS["io1"][0]),
            ebs(volumeSize=SIZES["st1"][0], volumeType="st1"),
            ebs(volumeSize=SIZES["standard"][1], volumeType="standard"),
            ebs(volumeSize=65536),
        ],
        refuses=[
            ebs(volumeSize=3, volumeType="io1", iops=100),
            ebs(volumeSize=16385, volumeType="gp2"),
            ebs(volumeSize=124, volumeType="st1"),
            ebs(volumeSize=1025, volumeType="standard"),
        ],
    ),
    "volume-iops": case(
        accepts=[
            ebs(volumeType=name, iops=number) for name, bounds in IOPS.items() for number in bounds
        ],
        refuses=[
            ebs(iops=3000),
            ebs(volumeType="gp2", iops=3000),
            ebs(volumeType="gp3", iops=2999),
            ebs(volumeType="io1", iops=64001),
        ],
    ),
    "volume-needs-iops": case(
        accepts=ebs(volumeType="gp3"), refuses=[ebs(volumeType="io1"), ebs(volumeType="io2")]
    ),
    "volume-throughput": case(
        accepts=ebs(volumeType="gp3", throughput=125),
        refuses=[ebs(throughput=125), ebs(volumeType="gp2", throughput=125)],
    ),
    "volume-key": case(
        accepts=ebs(encrypted=True, kmsKeyId=KEY),
        refuses=[ebs(kmsKeyId=KEY), ebs(encrypted=False, kmsKeyId=KEY)],
    ),
    "volume-ends-with-instance": case(
        accepts=ebs(deleteOnTermination=True), refuses=ebs(deleteOnTermination=False)
    ),
    "metadata-endpoint": case(
        accepts=pool(metadataOptions={"httpEndpoint": "enabled", "httpTokens": "optional"}),
        refuses=pool(metadataOptions={"httpEndpoint": "disabled"}),
    ),
    "placement-group-named-once": case(
        accepts=[pool(placement={"groupName": "near"}), pool(placement={"groupId": "pg-1"})],
        refuses=pool(placement={"groupName": "near", "groupId": "pg-1"}),
    ),
    "partition-of-a-group": case(
        accepts=pool(placement={"groupName": "apart", "partitionNumber": 2}),
        refuses=pool(placement={"partitionNumber": 2}),
    ),
}
