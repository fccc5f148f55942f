"""What AWS finds wrong with a compute environment, in its words: why one is INVALID.

Sources: AWS Batch user guide, "INVALID compute environment"; words quoted in public reports, each
beside its check. Batch launches through an Auto Scaling group and passes on what that says of the
launch template which it makes: "You must use a valid fully-formed launch template." and EC2's own
words for what is missing.
"""

import base64
import binascii

from awsbatch_simulator.batch import environment_kinds, launching
from awsbatch_simulator.batch.environment_rules import service_linked
from awsbatch_simulator.batch.model import MANAGED_TYPE, Environment
from awsbatch_simulator.ec2 import disks, images, placement_groups
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

# eksctl-io/eksctl#1989 quotes it for a key pair; Batch's own INVALID for an image begins so, too.
_ILL_FORMED = "CLIENT_ERROR - You must use a valid fully-formed launch template. "


def trouble(region: Region, environment: Environment) -> str:
    """What is wrong with the environment; empty if nothing is."""
    found = (
        _injected(region, environment)
        or role_trouble(region, environment)
        or _network_trouble(region, environment)
        or _launch_trouble(region, environment)
    )
    if found:
        return found
    if environment.kubernetes is not None:
        words = environment_kinds.cluster_trouble(region, environment.on_cluster)
        return f"CLIENT_ERROR - {words}" if words else ""
    cluster = region.ecs.cluster(environment.cluster_arn)
    if cluster is None or not cluster.active:
        return "CLIENT_ERROR - Clusters can not be blank."  # aws-samples/aws-batch-genomics#9
    return ""


def role_trouble(region: Region, environment: Environment) -> str:
    """What is wrong with the service role; empty if nothing is."""
    return _assuming_trouble(region, environment, environment.service_role)


def _assuming_trouble(region: Region, environment: Environment, role: str) -> str:
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


def _network_trouble(region: Region, environment: Environment) -> str:
    lookup, place, resources = region.world.lookup, region.place, environment.resources or {}
    subnets, groups = resources.get("subnets", ()), resources.get("securityGroupIds", ())
    if environment.kind == MANAGED_TYPE:
        subnets, groups, *_ = environment_kinds.named(resources)
    for subnet in subnets:
        if lookup.subnet_zone(place, subnet) is None:
            return f"CLIENT_ERROR - The subnet ID '{subnet}' does not exist"
    for group in groups:
        if not lookup.security_group_exists(place, group):
            return f"CLIENT_ERROR - The security group '{group}' does not exist"
    return ""


def _injected(region: Region, environment: Environment) -> str:
    """What a fault says of the environment."""
    fault = region.world.faults.active("environment_invalid", computeEnvironment=environment.name)
    return fault.spec.message if fault else ""


def _launch_trouble(region: Region, environment: Environment) -> str:
    """What would keep instances from being launched."""
    lookup, place, resources = region.world.lookup, region.place, environment.resources or {}
    profile, infrastructure_role = resources.get("instanceRole"), ""
    if environment.kind == MANAGED_TYPE:
        _, _, profile, infrastructure_role = environment_kinds.named(resources)
    if infrastructure_role:
        found = _assuming_trouble(region, environment, infrastructure_role)
        if found:
            return found
    if profile and not lookup.instance_profile_exists(place, profile):
        return f"CLIENT_ERROR - Invalid IAM Instance Profile name: {profile}"
    fleet_role = resources.get("spotIamFleetRole")
    if fleet_role and not lookup.role_exists(place, fleet_role):  # aws/aws-cdk#6706
        return "CLIENT_ERROR - Parameter: SpotFleetRequestConfig.IamFleetRole is invalid."
    if not environment.launches:
        return ""
    launching.read_again(region, environment)
    return (
        _template_trouble(region, environment)
        or _image_trouble(region, environment)
        or _key_and_group_trouble(region, environment)
    )


def _template_trouble(region: Region, environment: Environment) -> str:
    """Of the versions that Batch has read: a newer one behind `$Latest` does not count."""
    if environment.launching.trouble:
        return f"CLIENT_ERROR - {environment.launching.trouble}"
    for each in environment.launching.templates:
        specification = {"launchTemplateId": each.template_id, "version": str(each.version)}
        try:
            launching.resolve(region, specification)
        except AwsFailure as failure:
            return f"CLIENT_ERROR - {failure.message}"
        if not _multipart(each.data.get("UserData") or ""):
            # aws/aws-cdk#6427, aws-samples/quant-research-sample-using-amazon-ecs-and-aws-batch#4
            return "CLIENT_ERROR - Launch Template UserData is not MIME multipart format"
    return ""


def _image_trouble(region: Region, environment: Environment) -> str:
    """Of images that users have named: Batch's own are always there."""
    for image in launching.own_images(environment):
        if trouble := images.trouble(region, image):
            return f"{_ILL_FORMED}{trouble}"
        if region.world.faults.active("image_not_allowed", image=image):
            return f"{_ILL_FORMED}Not authorized for images: [{image}]"
        if trouble := _disk_trouble(region, environment, image):
            return f"{_ILL_FORMED}{trouble}"
    return ""


def _disk_trouble(region: Region, environment: Environment, image_id: str) -> str:
    """What the templates ask of the disks of a user's image that cannot be."""
    found = images.visible(region, image_id)
    for each in environment.launching.templates:
        named = not each.image or each.image == image_id
        if found is not None and named:
            try:
                disks.check(region, found, each.data.get("BlockDeviceMappings") or ())
            except AwsFailure as failure:
                return failure.message
    return ""


def _key_and_group_trouble(region: Region, environment: Environment) -> str:
    resources = environment.resources or {}
    data = next((each.data for each in environment.launching.templates if not each.types), {})
    key = resources.get("ec2KeyPair") or data.get("KeyName")
    if key and not region.world.lookup.key_pair_exists(region.place, key):
        return f"{_ILL_FORMED}The key pair '{key}' does not exist"
    group = resources.get("placementGroup")
    try:
        placement_groups.check(
            region, {"GroupName": group} if group else data.get("Placement") or {}
        )
    except AwsFailure as failure:
        return f"{_ILL_FORMED}{failure.message}"
    return ""


def _multipart(encoded: str) -> bool:
    """Whether Batch could add its own part to the user data; there may be none."""
    try:
        content = base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return False
    return not content or b"multipart/" in content.lower()
