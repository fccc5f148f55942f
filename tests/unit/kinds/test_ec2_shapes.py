"""The shapes of EC2 in `capacity` are EC2's: names, types and words, or left out for a reason."""

from collections.abc import Mapping

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from awsbatch_operator.kinds.computeenvironment import ec2_shapes
from awsbatch_operator.schema import hosts
from awsbatch_operator.schema.fields import Fields
from awsbatch_operator.schema.model_schema import own_schema

MODELS: Mapping[str, type[Fields]] = {
    "LaunchTemplateBlockDeviceMappingRequest": ec2_shapes.BlockDeviceMapping,
    "LaunchTemplateEbsBlockDeviceRequest": ec2_shapes.EbsBlockDevice,
    "LaunchTemplateInstanceMetadataOptionsRequest": ec2_shapes.MetadataOptions,
    "LaunchTemplatePlacementRequest": ec2_shapes.Placement,
    "LaunchTemplateCpuOptionsRequest": ec2_shapes.CpuOptions,
}
LEFT_OUT = {
    "the subnet says the zone": """
        LaunchTemplatePlacementRequest.AvailabilityZone
        LaunchTemplatePlacementRequest.AvailabilityZoneId""",
    "reserved for future use": "LaunchTemplatePlacementRequest.SpreadDomain",
    "Dedicated Hosts are bought by the host, not for jobs that wait": """
        LaunchTemplatePlacementRequest.Affinity  LaunchTemplatePlacementRequest.HostId
        LaunchTemplatePlacementRequest.HostResourceGroupArn
        LaunchTemplatePlacementRequest.Tenancy=host""",
    "the operator fills it in by type": "LaunchTemplateCpuOptionsRequest.CoreCount",
    "of some instance types only, and containers see nothing of it": """
        LaunchTemplateCpuOptionsRequest.AmdSevSnp
        LaunchTemplateCpuOptionsRequest.NestedVirtualization
        LaunchTemplateEbsBlockDeviceRequest.EbsCardIndex""",
}
TYPES = {"string": "string", "integer": "integer", "boolean": "boolean", "structure": "object"}


@pytest.fixture(scope="module")
def shapes():
    model = ServiceModel(Loader().load_service_model("ec2", "service-2"), "ec2")
    return {name: model.shape_for(name) for name in MODELS}


def left_out():
    return {name for names in LEFT_OUT.values() for name in names.split()}


def ours(name):
    return own_schema(MODELS[name])["properties"]


def in_camel_case(name):
    return name[:1].lower() + name[1:]


def test_every_member_is_offered_or_left_out_for_a_reason(shapes):
    offered, there = set(), set()
    for name, shape in shapes.items():
        known = {in_camel_case(member): member for member in shape.members}
        offered |= {f"{name}.{known.get(member, member)}" for member in ours(name)}
        there |= {f"{name}.{member}" for member in shape.members}
    assert offered <= there
    assert there - offered == {name for name in left_out() if "=" not in name}


def test_types_and_words_are_ec2s(shapes):
    without = set()
    for name, shape in shapes.items():
        for member, found in shape.members.items():
            schema = ours(name).get(in_camel_case(member))
            if schema is None:
                continue
            assert schema["type"] == TYPES[found.type_name], (name, member)
            if found.type_name == "string" and found.enum:
                assert set(schema["enum"]) <= set(found.enum), (name, member)
                absent = set(found.enum) - set(schema["enum"])
                without |= {f"{name}.{member}={word}" for word in absent}
    assert without == {name for name in left_out() if "=" in name}


def test_a_size_and_number_of_iops_is_known_for_every_type_of_volume(shapes):
    words = shapes["LaunchTemplateEbsBlockDeviceRequest"].members["VolumeType"].enum
    assert set(words) == set(hosts.SIZES)
    assert set(hosts.IOPS) < set(words)
