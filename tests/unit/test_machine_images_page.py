"""docs/machine-images.md says what the planner decides, and names what there is."""

import json
import re
from typing import Any

import pytest

from awsbatch_operator.api import catalogue
from awsbatch_operator.kinds.extendedami.bake import Place, decide
from awsbatch_operator.kinds.extendedami.spec import ExtendedAmiSpec
from awsbatch_operator.kinds.extendedami.spec_parts import RootVolume
from awsbatch_sandbox.paths import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "machine-images.md").read_text()
IAM = REPOSITORY / "deploy" / "iam"
POLICIES = {
    each.name.removesuffix("-policy.json"): json.loads(each.read_text())
    for each in sorted(IAM.glob("image*-policy.json"))
}
PLACES = {"launch template": Place.LAUNCH_TEMPLATE, "image": Place.IMAGE}
VOLUME: dict[str, Any] = {"name": "scratch", "deviceName": "/dev/sdf", "sizeGiB": 100}
# One value for each field, in the words of the first column.
SAMPLES: dict[str, dict[str, Any]] = {
    "rootVolume.sizeGiB": {"rootVolume": {"sizeGiB": 111}},
    "rootVolume.type": {"rootVolume": {"type": "gp3"}},
    "rootVolume.iops": {"rootVolume": {"type": "io2", "iops": 4000}},
    "rootVolume.throughput": {"rootVolume": {"type": "gp3", "throughput": 500}},
    "rootVolume.encrypted": {"rootVolume": {"encrypted": True}},
    "rootVolume.kmsKeyId": {"rootVolume": {"encrypted": True, "kmsKeyId": "alias/disks"}},
    "rootVolume.initializationRateMiBps": {"rootVolume": {"initializationRateMiBps": 300}},
    "volumes without fileSystem": {"volumes": [VOLUME]},
    "volumes with fileSystem": {
        "volumes": [{**VOLUME, "fileSystem": "xfs", "mountPath": "/scratch"}]
    },
    "mounts": {
        "mounts": [{"name": "a", "type": "efs", "source": "fs-01234567", "mountPath": "/efs"}]
    },
    "cpu.threadsPerCore": {"cpu": {"threadsPerCore": 1}},
    "cpu.maxCpus": {"cpu": {"maxCpus": 4}},
    "kernelArguments": {"kernelArguments": ["quiet"]},
    "packages": {"packages": ["htop"]},
    "files": {"files": [{"path": "/etc/a", "content": "a"}]},
    "scripts": {"scripts": [{"name": "a", "content": "#!/bin/sh\ntrue\n"}]},
    "containerImages": {"containerImages": [{"image": "busybox"}]},
    "ecsConfig": {"ecsConfig": {"ECS_ENABLE_TASK_IAM_ROLE": "true"}},
    "regions": {"regions": ["eu-west-1"]},
    "publish": {"publish": {"ssmParameter": "/images/a"}},
}
# What is no wish of the machines: how and when they are made.
NO_WISHES = {"base", "builder", "verify", "rebuild", "retention", "pin", "tags", "region"}
NO_WISHES |= {"accountRef", "deletionPolicy", "adoptionPolicy", "driftPolicy"}


def section(heading):
    (found,) = [part for part in PAGE.split("\n## ") if part.startswith(heading)]
    return found


def rows(heading):
    lines = section(heading).splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| `" in line]


def table():
    """Where each field goes, as the page says."""
    found = {}
    for fields, place, _ in rows("What needs an image"):
        for part in re.findall(r"`[\w.]+`(?: with(?:out)? `\w+`)?", fields):
            found[part.replace("`", "")] = PLACES[place]
    return found


def test_the_table_has_every_field_that_is_a_wish():
    assert table().keys() == SAMPLES.keys()
    named = {field.split(".")[0].split(" ")[0] for field in SAMPLES}
    fields = {each.alias or name for name, each in ExtendedAmiSpec.model_fields.items()}
    assert named == fields - NO_WISHES
    disk = {each.alias or name for name, each in RootVolume.model_fields.items()}
    assert {field.split(".")[1] for field in SAMPLES if "rootVolume" in field} == disk


@pytest.mark.parametrize("field", SAMPLES)
def test_a_field_goes_where_the_table_says(field):
    spec = ExtendedAmiSpec.model_validate({"base": {"family": "AL2023"}, **SAMPLES[field]})
    bake = decide(spec)
    *_, target = [each for each in bake.targets if each.place is not Place.JOB_DEFINITION]
    assert target.place is table()[field]
    assert bake.needed is (table()[field] is Place.IMAGE)


def test_the_reasons_that_it_explains_exist():
    named = {word for cells in rows("When it fails") for word in re.findall(r"`(\w+)`", cells[0])}
    assert len(named) > 10
    assert named <= {reason.name for reason in catalogue.reasons()}


def test_the_actions_that_it_lists_are_those_of_the_policies():
    listed: dict[str, list[str]] = {part: [] for part in POLICIES}
    for line in section("What the operator may do").splitlines():
        for part in re.findall(r"\| `(image[a-z-]*)-policy\.json` \|", line):
            listed[part] += re.findall(r"`((?:ec2|ecs|ssm|iam|batch):\w+)`", line)
    for part, policy in POLICIES.items():
        allowed = {action for each in policy["Statement"] for action in each["Action"]}
        assert sorted(listed[part]) == sorted(allowed), part


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_policy_lets_no_key_be_made_and_no_security_group_be_changed(policy):
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            assert not re.search(r"KeyPair|SecurityGroup|Authorize|Modify|\*", action)


@pytest.mark.parametrize("field", sorted(set(re.findall(r"`(?:\w+(?:\[\])?\.)+(\w+)`", PAGE))))
def test_a_field_that_it_names_exists_in_the_reference(field):
    pages = ("extendedami", "computeenvironment", "jobdefinition")
    assert any(field in (DOCS / "api" / f"{page}.md").read_text() for page in pages)
