"""Which changes of an ExtendedAMI are another build, and which are not."""

from dataclasses import fields, replace
from typing import Any

import pytest
from tests.support.crd_cases.capacity import KEY, PROFILE
from tests.support.crd_cases.image import DIGEST, FILE, MOUNT, NFS, SCRIPT, VOLUME
from tests.unit.kinds.images import desired

from awsbatch_operator.kinds.extendedami import hashing
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.hashing import build_hash

BASE = "ami-0a1b2c3d"
SECOND = {"name": "second", "content": "#!/bin/sh\nfalse\n"}
FORMATTED = {**VOLUME, "fileSystem": "xfs", "mountPath": "/scratch"}
FULL: dict[str, Any] = {
    "rootVolume": {"sizeGiB": 111, "type": "gp3", "encrypted": True, "kmsKeyId": KEY},
    "volumes": [FORMATTED],
    "mounts": [MOUNT, NFS],
    "cpu": {"threadsPerCore": 1},
    "packages": ["htop", "nvme-cli"],
    "files": [FILE, {**FILE, "path": "/etc/other"}],
    "scripts": [SCRIPT, SECOND],
    "kernelArguments": ["mitigations=off", "audit=0"],
    "containerImages": [{"image": f"public.ecr.aws/x/y@{DIGEST}"}, {"image": "busybox:1.36"}],
    "ecsConfig": {"ECS_LOGLEVEL": "debug", "ECS_RESERVED_MEMORY": "64"},
}
# Another image has to be made.
OTHER: list[dict[str, Any]] = [
    {"rootVolume": {**FULL["rootVolume"], "sizeGiB": 112}},
    {"rootVolume": {**FULL["rootVolume"], "iops": 4000}},
    {"rootVolume": {"sizeGiB": 111, "type": "gp3"}},
    {"volumes": [{**FORMATTED, "sizeGiB": 501}]},
    {"volumes": [{**FORMATTED, "fileSystem": "ext4"}]},
    {"volumes": [{**FORMATTED, "mountPath": "/other"}]},
    {"volumes": [{**FORMATTED, "deviceName": "/dev/sdg"}]},
    {"volumes": [FORMATTED, {**VOLUME, "name": "raw", "deviceName": "/dev/sdg"}]},
    {"volumes": []},
    {"mounts": [{**MOUNT, "tls": False}, NFS]},
    {"mounts": [{**MOUNT, "iam": True}, NFS]},
    {"mounts": [{**MOUNT, "path": "/data"}, NFS]},
    {"mounts": [{**MOUNT, "options": ["ro"]}, NFS]},
    {"mounts": [{**MOUNT, "accessPointId": "fsap-1"}, NFS]},
    {"mounts": [MOUNT]},
    {"cpu": {"threadsPerCore": 2}},
    {"cpu": {"maxCpus": 48}},
    {"packages": ["htop"]},
    {"files": [FILE]},
    {"files": [{**FILE, "mode": "0600"}, {**FILE, "path": "/etc/other"}]},
    {"scripts": [SECOND, SCRIPT]},
    {"scripts": [SCRIPT, {**SECOND, "content": "#!/bin/sh\n"}]},
    {"kernelArguments": ["audit=0", "mitigations=off"]},
    {"containerImages": [{"image": "busybox:1.36"}]},
    {"ecsConfig": {"ECS_LOGLEVEL": "info", "ECS_RESERVED_MEMORY": "64"}},
]
# The same image does.
SAME: list[dict[str, Any]] = [
    {"packages": ["nvme-cli", "htop"]},
    {"mounts": [NFS, MOUNT]},
    {"mounts": [{**MOUNT, "path": "/", "tls": True, "iam": False, "options": []}, NFS]},
    {"files": [{**FILE, "path": "/etc/other"}, {**FILE, "mode": "0644"}]},
    {"scripts": [{**SCRIPT, "timeoutSeconds": 600}, SECOND]},
    {"volumes": [{**FORMATTED, "type": "gp3", "encrypted": False}]},
    {"containerImages": FULL["containerImages"][::-1]},
    {"ecsConfig": dict(reversed(FULL["ecsConfig"].items()))},
    {"rootVolume": {**FULL["rootVolume"], "initializationRateMiBps": 200}},
    {"builder": {"instanceTypes": ["m7i.xlarge"], "instanceProfile": PROFILE, "onFailure": "Keep"}},
    {"verify": {"enabled": False}},
    {"rebuild": {"when": []}},
    {"retention": {"keep": 9}},
    {"tags": {"team": "climate"}},
    {"regions": ["eu-west-1"]},
    {"publish": {"ssmParameter": "/images/atmos"}},
    {"pin": "ami-1"},
    {"deletionPolicy": "Retain"},
]


def hash_of(base: str = BASE, **members) -> str:
    return build_hash(desired(**{**FULL, **members}), base)


def test_a_hash_is_twelve_hexadecimal_digits():
    assert len(hash_of()) == 12
    assert int(hash_of(), 16)


@pytest.mark.parametrize("members", OTHER)
def test_what_makes_another_image_makes_another_hash(members):
    assert hash_of(**members) != hash_of()


def test_all_these_images_differ_from_each_other():
    assert len({hash_of(**members) for members in OTHER}) == len(OTHER)


@pytest.mark.parametrize("members", SAME)
def test_what_leaves_the_image_as_it_is_leaves_the_hash(members):
    assert hash_of(**members) == hash_of()


def test_another_base_is_another_build():
    assert hash_of("ami-other") != hash_of()


def test_another_version_of_the_recipe_is_another_build(monkeypatch):
    before = hash_of()
    monkeypatch.setattr(hashing, "RECIPE_VERSION", "next")
    assert hash_of() != before


def test_two_objects_that_wish_the_same_have_the_same_hash():
    """So whose an image is stands in its tags, and its name has that of the object."""
    assert build_hash(desired(uid="uid-2", **FULL), BASE) == hash_of()


def test_the_hash_of_today_is_the_hash_of_tomorrow():
    """If this fails, every image is made anew: raise RECIPE_VERSION or VERSION only on purpose."""
    efs = {"name": "shared", "type": "efs", "source": "fs-1", "mountPath": "/efs"}
    scratch = {"name": "scratch", "deviceName": "/dev/sdf", "sizeGiB": 9, "fileSystem": "xfs"}
    found = desired(
        rootVolume={"sizeGiB": 111, "encrypted": True},
        volumes=[scratch],
        mounts=[efs],
        cpu={"threadsPerCore": 1},
        packages=["htop"],
        files=[{"path": "/etc/x", "content": "x"}],
        scripts=[{"name": "tune", "content": "true"}],
        kernelArguments=["audit=0"],
        containerImages=[{"image": "busybox:1.36"}],
        ecsConfig={"ECS_LOGLEVEL": "debug"},
    )
    assert build_hash(desired(packages=["htop"]), "ami-0a1b2c3d") == "0f5d01d15636"
    assert build_hash(found, "ami-0a1b2c3d") == "6c8d027a2564"


def test_nothing_but_what_is_in_the_image_enters_the_hash():
    """A field that is added to Desired is looked at: it is in the image, or in this list."""
    inside = {"root", "devices", "recipe"}
    told_by_the_recipe = {"cpu_options", "borrowed"}  # the texts that are borrowed
    outside = {
        *("owner", "name", "namespace", "account_id", "region", "tags", "terms", "bake", "users"),
        *(
            "builder",
            "verify",
            "rebuild",
            "retention",
            "regions",
            "ssm_parameter",
            "pin",
            "base",
            "unread",
            "adopts",
            "claim",
        ),
    }
    assert {each.name for each in fields(Desired)} == inside | told_by_the_recipe | outside
    one, other = desired(**FULL), desired()
    for name in outside | told_by_the_recipe:
        moved = replace(one, **{name: getattr(other, name)})
        assert build_hash(moved, BASE) == hash_of(), name
