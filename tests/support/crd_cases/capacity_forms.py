"""Texts and sizes in the pools of `capacity`: what is taken, and what people write instead."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.crd_cases.capacity import (
    KEY,
    POOL,
    PROFILE,
    block,
    capacity,
    device,
    ebs,
    pool,
    wanted,
)
from tests.support.crd_cases.cases import Case, bound, case

from awsbatch_operator.schema import forms
from awsbatch_operator.schema.rules import Rule


def _form(
    form: Rule, change: Callable[[str], Any], *, accepts: list[str], refuses: list[str]
) -> Mapping[str, Case]:
    taken, odd = [change(text) for text in accepts], [change(text) for text in ("", *refuses)]
    return {form.id: case(accepts=taken, refuses=odd)}


FORMS: Mapping[str, Case] = {
    **_form(
        forms.POOL_NAME,
        lambda text: pool(name=text),
        accepts=["main", "r7i-2", "a"],
        refuses=["Main", "a_b", "a b", "-a", "a.b"],
    ),
    **_form(
        forms.INSTANCE_TYPE,
        lambda text: pool(instanceTypes=[text]),
        accepts=["r7i.large", "u-6tb1.metal", "m7i-flex.2xlarge"],
        refuses=["r7i", "optimal", "R7i.large", "r7i.*"],
    ),
    **_form(
        forms.INSTANCE_FAMILY,
        lambda text: wanted(families=[text]),
        accepts=["r7i", "m7i-flex"],
        refuses=["r7i.large", "R7I", "r*"],
    ),
    **_form(
        forms.SUBNET_ID,
        lambda text: pool(subnets=[text]),
        accepts=["subnet-0a1b2c3d4e5f67890"],
        refuses=["private-a", "eu-central-1a", "subnet-XYZ"],
    ),
    **_form(
        forms.SECURITY_GROUP_ID,
        lambda text: pool(securityGroupIds=[text]),
        accepts=["sg-0a1b2c3d"],
        refuses=["default", "sg1"],
    ),
    **_form(
        forms.IMAGE_ID,
        lambda text: pool(image={"amiId": text}),
        accepts=["ami-0a1b2c3d4e5f67890"],
        refuses=["my-image", "ami-", "/aws/service/x"],
    ),
    **_form(
        forms.PARAMETER_NAME,
        lambda text: pool(image={"ssmParameter": text}),
        accepts=[
            "golden-ami",
            "/images/atmos",
            "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
        ],
        refuses=["arn:aws:ssm:eu-central-1:111122223333:parameter/a", "/a//b", "resolve:ssm:/a"],
    ),
    **_form(
        forms.PROFILE_ARN,
        lambda text: pool(instanceProfile=text),
        accepts=[PROFILE],
        refuses=["ecsInstanceRole", PROFILE.replace("instance-profile", "role")],
    ),
    **_form(
        forms.PRICE,
        lambda text: pool(market="Spot", maxPricePerHour=text),
        accepts=["0.03", "12.50", "4", "0.000001", "10", "100.0"],
        refuses=["0", "0.00", "$0.03", "-1", "1e3", ".5", "0.03 USD"],
    ),
    **_form(
        forms.KMS_KEY,
        lambda text: ebs(encrypted=True, kmsKeyId=text),
        accepts=[KEY, KEY.rpartition("/")[2], "mrk-0123456789abcdef0123456789abcdef"],
        refuses=["alias/scratch", KEY.replace(":key/", ":alias/")],
    ),
    **_form(
        forms.SNAPSHOT_ID,
        lambda text: ebs(snapshotId=text),
        accepts=["snap-0a1b2c3d"],
        refuses=["ami-0a1b2c3d", "backup"],
    ),
    **_form(
        forms.EPHEMERAL,
        lambda text: device(virtualName=text),
        accepts=["ephemeral0", "ephemeral23"],
        refuses=["/dev/sdb", "ephemeral"],
    ),
    **_form(
        forms.PLACEMENT_GROUP_ID,
        lambda text: pool(placement={"groupId": text}),
        accepts=["pg-0a1b2c3d"],
        refuses=["near"],
    ),
}

_POOL = "spec.capacity.pools[0]"


def _numbers(name: str, low: int, high: int, change: Any = pool, path: str = _POOL) -> Any:
    return bound(
        f"{path}.{name}",
        accepts=[change(**{name: low}), change(**{name: high})],
        refuses=[change(**{name: low - 1}), change(**{name: high + 1})],
    )


_WEEK = 604_800
BOUNDS = (
    bound("spec.capacity.pools", accepts=pool(), refuses=capacity()),
    bound(
        "spec.capacity.pools[1]",
        accepts=capacity(POOL, {**POOL, "name": "other"}),
        refuses=capacity(POOL, POOL),
    ),
    bound(
        f"{_POOL}.subnets",
        accepts=pool(subnets=[f"subnet-{n}" for n in range(16)]),
        refuses=[pool(subnets=[]), pool(subnets=[f"subnet-{n}" for n in range(17)])],
    ),
    bound(f"{_POOL}.market", accepts=pool(market="Spot"), refuses=pool(market="SPOT")),
    bound(
        f"{_POOL}.userData.script",
        accepts=pool(userData={"script": "x" * 65_536}),
        refuses=pool(userData={"script": "x" * 65_537}),
    ),
    bound(
        f"{_POOL}.placement.tenancy",
        accepts=pool(placement={"tenancy": "dedicated"}),
        refuses=pool(placement={"tenancy": "host"}),
    ),
    _numbers("idleSeconds", 0, _WEEK),
    _numbers("drainTimeoutSeconds", 0, _WEEK),
    _numbers("registrationTimeoutSeconds", 60, 86_400),
    _numbers("durationSeconds", 300, 2_592_000, block, f"{_POOL}.spotBlock"),
    _numbers("instanceCount", 1, 1000, block, f"{_POOL}.spotBlock"),
    bound(
        f"{_POOL}.spotBlock.blockDurationMinutes",
        accepts=[block(durationSeconds=None, blockDurationMinutes=n) for n in (5, 43_200)],
        refuses=[block(durationSeconds=None, blockDurationMinutes=n) for n in (4, 43_201)],
    ),
)
