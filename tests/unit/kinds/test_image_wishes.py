"""What an ExtendedAMI wants: read from its spec, for the situations that people are in."""

import re
from typing import Any

import pytest
from tests.support.crd_cases.capacity import KEY, PROFILE
from tests.support.crd_cases.image import DIGEST, FILE, NFS, VOLUME
from tests.unit.kinds.images import desired, spec_of
from tests.unit.kinds.values import resource

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.kinds.extendedami import desired as wishes
from awsbatch_operator.kinds.extendedami.bake import Place
from awsbatch_operator.kinds.extendedami.desired import BaseSource, CpuWish
from awsbatch_operator.schema.validate import SpecError
from awsbatch_operator.userdata.images.model import File, Mount, Recipe, Script, Volume

ECS = "/aws/service/ecs/optimized-ami/amazon-linux-2023"
NEWEST = "recommended/image_id"


@pytest.mark.parametrize(
    ("variant", "architecture", "path"),
    [
        (None, None, f"{ECS}/{NEWEST}"),
        ("standard", "x86_64", f"{ECS}/{NEWEST}"),
        ("standard", "arm64", f"{ECS}/arm64/{NEWEST}"),
        (None, "arm64", f"{ECS}/arm64/{NEWEST}"),
        ("gpu", None, f"{ECS}/gpu/{NEWEST}"),
        ("neuron", "x86_64", f"{ECS}/neuron/{NEWEST}"),
    ],
)
def test_a_family_is_the_newest_ecs_optimized_image_of_its_variant(variant, architecture, path):
    members = {"variant": variant, "architecture": architecture}
    said = {name: value for name, value in members.items() if value is not None}
    base = desired(base={"family": "AL2023", **said}).base
    assert base == BaseSource(path, "", "AL2023", variant or "standard", architecture or "x86_64")


def test_a_base_by_id_or_parameter_says_nothing_else():
    assert desired(base={"amiId": "ami-1"}).base == BaseSource(image_id="ami-1")
    given = {"ssmParameter": "/images/golden"}
    assert desired(base=given).base == BaseSource(ssm_parameter="/images/golden")


def test_another_extendedami_as_the_base_is_the_image_that_it_shows():
    key = ObjectKey("ExtendedAMI", "science", "efs")
    status = {"imageId": "ami-7", "base": {"family": "AL2023", "variant": "gpu"}}
    shown = resource("ExtendedAMI", name="efs", status=status)
    members: dict[str, Any] = {"base": {"amiRef": {"name": "efs"}}}
    found = desired(found={key: shown}, **members).base
    assert found == BaseSource("", "ami-7", family="AL2023", variant="gpu", reference="efs")
    assert desired(**members).base == BaseSource(reference="efs")
    shown = resource("ExtendedAMI", name="efs", status={**status, "launchTemplate": {"id": "lt"}})
    assert desired(found={key: shown}, **members).base.template


def test_a_spec_without_anything_is_read_with_the_defaults_that_its_descriptions_tell():
    found = desired()
    assert (found.root, found.devices, found.recipe) == ({}, (), Recipe())
    assert found.builder == wishes.Builder((), (), (), "", 3600, keep_failed=False)
    assert found.verify == wishes.Verify(enabled=True, timeout_seconds=900, image="", command=())
    assert found.rebuild == wishes.Rebuild(
        on_spec_change=True, on_base_change=False, max_age_days=None
    )
    assert found.retention == wishes.Retention(keep=2, min_age_days=7)
    assert (found.regions, found.ssm_parameter, found.pin) == ((), "", "")
    assert found.cpu_options == CpuWish()


def test_every_default_that_a_description_tells_can_be_overridden():
    found = desired(
        builder={
            "instanceTypes": ["m7i.large"],
            "subnets": ["subnet-1"],
            "securityGroupIds": ["sg-1"],
            "instanceProfile": PROFILE,
            "timeoutSeconds": 600,
            "onFailure": "Keep",
        },
        verify={
            "enabled": False,
            "timeoutSeconds": 120,
            "container": {"image": "busybox", "command": ["df", "-h"]},
        },
        rebuild={"when": ["BaseChange"], "maxAgeDays": 60},
        retention={"keep": 1, "minAgeDays": 0},
        regions=["eu-west-1"],
        publish={"ssmParameter": "/images/atmos"},
        pin="ami-1",
    )
    assert found.builder == wishes.Builder(
        ("m7i.large",), ("subnet-1",), ("sg-1",), PROFILE, 600, keep_failed=True
    )
    assert found.verify == wishes.Verify(
        enabled=False, timeout_seconds=120, image="busybox", command=("df", "-h")
    )
    assert found.rebuild == wishes.Rebuild(
        on_spec_change=False, on_base_change=True, max_age_days=60
    )
    assert found.retention == wishes.Retention(keep=1, min_age_days=0)
    assert (found.regions, found.ssm_parameter) == (("eu-west-1",), "/images/atmos")
    assert found.pin == "ami-1"


def test_volumes_stand_in_ec2s_words_and_end_with_their_instance():
    found = desired(
        rootVolume={
            "sizeGiB": 111,
            "type": "gp3",
            "iops": 4000,
            "throughput": 250,
            "encrypted": True,
            "kmsKeyId": KEY,
            "initializationRateMiBps": 200,
        },
        volumes=[VOLUME, {**VOLUME, "name": "db", "deviceName": "/dev/sdg", "encrypted": True}],
    )
    assert found.root == {
        "VolumeSize": 111,
        "VolumeType": "gp3",
        "Iops": 4000,
        "Throughput": 250,
        "Encrypted": True,
        "KmsKeyId": KEY,
        "VolumeInitializationRate": 200,
        "DeleteOnTermination": True,
    }
    plain = {"VolumeSize": 500, "VolumeType": "gp3", "DeleteOnTermination": True}
    assert found.devices == (
        {"DeviceName": "/dev/sdf", "Ebs": plain},
        {"DeviceName": "/dev/sdg", "Ebs": {**plain, "Encrypted": True}},
    )


def test_a_file_and_a_script_have_their_usual_mode_and_time():
    recipe = desired(files=[FILE], scripts=[{"name": "tune", "content": "true"}]).recipe
    assert recipe.files == (File(FILE["path"], "0644", FILE["content"]),)
    assert recipe.scripts == (Script("tune", "true", 600),)


def test_only_efs_has_tls_and_has_it_unless_it_is_switched_off():
    efs = {"name": "a", "type": "efs", "source": "fs-1", "mountPath": "/a"}
    mounts = [efs, {**efs, "name": "b", "mountPath": "/b", "tls": False}, NFS]
    assert [mount.tls for mount in desired(mounts=mounts).recipe.mounts] == [True, False, False]


# --- the situations of the write-ups (a large disk; EFS and MPI; images near at hand) ---


def test_a_large_disk_needs_no_image():
    """A root disk of 111 GiB, which people have made an image for by hand."""
    found = desired(rootVolume={"sizeGiB": 111})
    assert not found.bake.needed
    assert found.root == {"VolumeSize": 111, "DeleteOnTermination": True}
    assert found.recipe == Recipe(root_gib=111)


def test_a_large_disk_is_in_the_image_that_an_efs_mount_needs():
    efs = {"name": "shared", "type": "efs", "source": "fs-0a1b", "mountPath": "/efs"}
    found = desired(rootVolume={"sizeGiB": 111}, mounts=[efs])
    assert found.bake.because == ("mounts",)
    assert {each.field: each.place for each in found.bake.targets[:2]} == {
        "rootVolume.sizeGiB": Place.IMAGE,
        "mounts[name=shared]": Place.IMAGE,
    }
    assert found.recipe.root_gib == 111
    (mount,) = found.recipe.mounts
    assert mount == Mount(
        "shared", "efs", "fs-0a1b", "/", "/efs", "", iam=False, tls=True, options=()
    )


@pytest.mark.parametrize("size", ["r5.24xlarge", "r5.12xlarge", "c5n.18xlarge"])
def test_one_image_with_hyper_threading_off_serves_instances_of_every_size(size):
    """People have made one for each size, with nr_cpus; the spec does not even name the size."""
    efs = {"name": "shared", "type": "efs", "source": "fs-0a1b", "mountPath": "/efs"}
    found = desired(
        cpu={"threadsPerCore": 1},
        mounts=[efs],
        packages=["openmpi"],
        builder={"subnets": ["subnet-1"]},
    )
    assert size not in repr(found)
    assert found.bake.because == ("mounts", "cpu.threadsPerCore", "packages")
    assert found.cpu_options == CpuWish(threads_per_core=1)
    assert (found.recipe.no_smt, found.recipe.max_cpus) == (True, None)
    by_hand = desired(cpu={"maxCpus": 48})
    assert by_hand.cpu_options == CpuWish(max_cpus=48)
    assert (by_hand.recipe.no_smt, by_hand.recipe.max_cpus) == (False, 48)


def test_container_images_near_at_hand_and_a_disk_that_holds_them():
    name = f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/simulate@{DIGEST}"
    found = desired(
        rootVolume={"sizeGiB": 200, "initializationRateMiBps": 300},
        volumes=[{**VOLUME, "fileSystem": "xfs", "mountPath": "/scratch"}],
        containerImages=[{"image": name}],
        ecsConfig={"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"},
        builder={"instanceProfile": PROFILE},
    )
    assert found.bake.because == ("volumes", "containerImages", "ecsConfig")
    assert found.bake.template_needed
    assert found.recipe == Recipe(
        root_gib=200,
        volumes=(Volume("scratch", "/dev/sdf", "xfs", "/scratch", 500),),
        container_images=(name,),
        ecs_config={"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"},
    )


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"packages": ["htop; reboot"]}, "spec.packages[0]"),
        ({"kernelArguments": ["a=b init=/bin/sh"]}, "spec.kernelArguments[0]"),
        ({"mounts": [{**NFS, "mountPath": "/a/../etc"}]}, "spec.mounts[0].mountPath"),
        ({"mounts": [{**NFS, "options": ["ro,suid"]}]}, "spec.mounts[0].options[0]"),
        ({"mounts": [{**NFS, "source": "host:/x"}]}, "spec.mounts[0].source"),
        ({"volumes": [{**VOLUME, "deviceName": "/dev/sda1"}]}, "spec.volumes[0].deviceName"),
        ({"files": [{**FILE, "path": "/etc/../x"}]}, "spec.files[0].path"),
        ({"files": [{**FILE, "mode": "06;4"}]}, "spec.files[0].mode"),
        ({"ecsConfig": {"ECS_LOGLEVEL": "info\nECS_CLUSTER=x"}}, "spec.ecsConfig.ECS_LOGLEVEL"),
        ({"containerImages": [{"image": "a b"}]}, "spec.containerImages[0].image"),
    ],
)
def test_what_an_older_crd_lets_through_never_gets_into_a_script(members, path):
    """The operator holds a spec against the forms itself, whatever the CRD in the cluster says."""
    with pytest.raises(SpecError, match=re.escape(path)) as refused:
        spec_of(**members)
    assert refused.value.problems[0].path == path
    assert "Write" in refused.value.problems[0].message
