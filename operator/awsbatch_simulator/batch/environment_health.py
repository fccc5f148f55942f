"""What AWS finds wrong with a compute environment, in its words: why one is INVALID.

Sources: AWS Batch user guide, "INVALID compute environment"; words quoted in public reports, each
beside its check. Batch launches through an Auto Scaling group and passes on what that says of the
launch template which it makes: "You must use a valid fully-formed launch template." and EC2's own
words for what is missing.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from awsbatch_simulator.batch.environment_rules import service_linked
from awsbatch_simulator.batch.model import Environment
from awsbatch_simulator.ec2 import placement_groups, templates
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

# eksctl-io/eksctl#1989 quotes it for a key pair; Batch's own INVALID for an image begins so, too.
_ILL_FORMED = "CLIENT_ERROR - You must use a valid fully-formed launch template. "


def trouble(region: Region, environment: Environment) -> str:
    """What is wrong with the environment; empty if nothing is."""
    found = (
        role_trouble(region, environment)
        or _network_trouble(region, environment.resources or {})
        or _launch_trouble(region, environment.resources or {})
    )
    if found:
        return found
    cluster = region.ecs.cluster(environment.cluster_arn)
    if cluster is None or not cluster.active:
        return "CLIENT_ERROR - Clusters can not be blank."  # aws-samples/aws-batch-genomics#9
    return ""


def role_trouble(region: Region, environment: Environment) -> str:
    """What is wrong with the service role; empty if nothing is."""
    role = environment.service_role
    vanished = region.world.faults.active(
        "role_vanished", computeEnvironment=environment.name, role=role
    )
    known = service_linked(role) or region.world.lookup.role_exists(region.place, role)
    if known and vanished is None:
        return ""
    return (
        "CLIENT_ERROR - User: arn:aws:sts::batch:assumed-role/batch is not authorized to perform: "
        f"sts:AssumeRole on resource: {role}"
    )


def _network_trouble(region: Region, resources: Mapping[str, Any]) -> str:
    lookup, place = region.world.lookup, region.place
    for subnet in resources.get("subnets", ()):
        if lookup.subnet_zone(place, subnet) is None:
            return f"CLIENT_ERROR - The subnet ID '{subnet}' does not exist"
    for group in resources.get("securityGroupIds", ()):
        if not lookup.security_group_exists(place, group):
            return f"CLIENT_ERROR - The security group '{group}' does not exist"
    return ""


def _launch_trouble(region: Region, resources: Mapping[str, Any]) -> str:
    """What would keep instances from being launched."""
    lookup, place = region.world.lookup, region.place
    profile = resources.get("instanceRole")
    if profile and not lookup.instance_profile_exists(place, profile):
        return f"CLIENT_ERROR - Invalid IAM Instance Profile name: {profile}"
    data: Mapping[str, Any] = {}
    for number, specification in enumerate(_templates(resources)):
        try:
            found = _data(region, specification)
        except AwsFailure as failure:
            return f"CLIENT_ERROR - {failure.message}"
        if not _multipart(found.get("UserData") or ""):
            # aws/aws-cdk#6427, aws-samples/quant-research-sample-using-amazon-ecs-and-aws-batch#4
            return "CLIENT_ERROR - Launch Template UserData is not MIME multipart format"
        data = found if number == 0 else data
    key = resources.get("ec2KeyPair") or data.get("KeyName")
    if key and not lookup.key_pair_exists(place, key):
        return f"{_ILL_FORMED}The key pair '{key}' does not exist"
    group = resources.get("placementGroup")
    try:
        placement_groups.check(
            region, {"GroupName": group} if group else data.get("Placement") or {}
        )
    except AwsFailure as failure:
        return f"{_ILL_FORMED}{failure.message}"
    return ""


def names_image(region: Region, resources: Mapping[str, Any]) -> bool:
    """Whether the launch template of an environment has an image of its own."""
    try:
        return any(_data(region, each).get("ImageId") for each in _templates(resources))
    except AwsFailure:
        return False


def _templates(resources: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The launch template, and those for some of the instance types."""
    if template := resources.get("launchTemplate"):
        yield template
        yield from template.get("overrides", ())


def _data(region: Region, specification: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the version of a template says. Raises AwsFailure where there is none."""
    names = ("launchTemplateId", "launchTemplateName", "version")
    asked = {name[0].upper() + name[1:]: specification.get(name) for name in names}
    return templates.resolve(region, asked).data


def _multipart(encoded: str) -> bool:
    """Whether Batch could add its own part to the user data; there may be none."""
    try:
        content = base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return False
    return not content or b"multipart/" in content.lower()
