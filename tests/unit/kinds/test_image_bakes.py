"""The decision table of machine images: field by field, where it goes and what a user reads."""

from typing import Any

import pytest
from tests.support.crd_cases.capacity import KEY
from tests.support.crd_cases.image import DIGEST, FILE, MOUNT, NFS, SCRIPT, VOLUME
from tests.unit.kinds.images import DECLARED, spec_of

from awsbatch_operator.api import image_reasons
from awsbatch_operator.kinds.extendedami.bake import Bake, Place, Target, decide, explained
from awsbatch_operator.kinds.extendedami.report import TARGETS, BakeStatus, TargetStatus
from awsbatch_operator.kinds.extendedami.spec_parts import RootVolume

TEMPLATE, IMAGE, DEFINITION = Place.LAUNCH_TEMPLATE, Place.IMAGE, Place.JOB_DEFINITION
GP3 = {"type": "gp3"}
FORMATTED = {**VOLUME, "fileSystem": "xfs", "mountPath": "/scratch"}

# Members of the spec, the field that is told of, where it goes, and why.
ALONE: list[tuple[dict[str, Any], str, Place, str]] = [
    (
        {"rootVolume": {"sizeGiB": 111}},
        "rootVolume.sizeGiB",
        TEMPLATE,
        (
            "EC2 makes the root volume larger when an instance starts, and its file "
            "system grows at the first boot."
        ),
    ),
    (
        {"rootVolume": GP3},
        "rootVolume.type",
        TEMPLATE,
        "EC2 makes a root volume of this type when an instance starts.",
    ),
    (
        {"rootVolume": {**GP3, "iops": 4000}},
        "rootVolume.iops",
        TEMPLATE,
        "EC2 makes the root volume with as many IOPS when an instance starts.",
    ),
    (
        {"rootVolume": {**GP3, "throughput": 250}},
        "rootVolume.throughput",
        TEMPLATE,
        "EC2 makes the root volume with this throughput when an instance starts.",
    ),
    (
        {"rootVolume": {"encrypted": True}},
        "rootVolume.encrypted",
        TEMPLATE,
        "EC2 encrypts the root volume when it makes it for an instance.",
    ),
    (
        {"rootVolume": {"encrypted": True, "kmsKeyId": KEY}},
        "rootVolume.kmsKeyId",
        TEMPLATE,
        "EC2 encrypts the root volume with this key when it makes it for an instance.",
    ),
    (
        {"rootVolume": {"initializationRateMiBps": 200}},
        "rootVolume.initializationRateMiBps",
        TEMPLATE,
        (
            "Only a launch says how fast a volume is loaded from its snapshot; no image"
            " has it with itself."
        ),
    ),
    (
        {"volumes": [VOLUME]},
        "volumes[name=scratch]",
        TEMPLATE,
        "EC2 makes the volume for each instance as the launch template says.",
    ),
    (
        {"volumes": [FORMATTED]},
        "volumes[name=scratch]",
        IMAGE,
        (
            "The file system is made, and its mount written into fstab, once and for "
            "all instances; a launch template makes empty volumes."
        ),
    ),
    (
        {"mounts": [NFS]},
        "mounts[name=home]",
        IMAGE,
        (
            "A mount of all instances stands in their fstab, and has to be there before"
            " Docker and the ECS agent start."
        ),
    ),
    (
        {"cpu": {"threadsPerCore": 1}},
        "cpu.threadsPerCore",
        IMAGE,
        (
            "Switching hyper-threading off in a launch template takes the number of "
            "cores, which is another one for each instance size. In the image it is the"
            " kernel argument nosmt, which is right for every size. A pool of an "
            "UNMANAGED environment can do without an image, by its cpuOptions."
        ),
    ),
    (
        {"cpu": {"maxCpus": 48}},
        "cpu.maxCpus",
        IMAGE,
        "It is the kernel argument nr_cpus, which stands in the boot loader of the image.",
    ),
    (
        {"packages": ["htop"]},
        "packages",
        IMAGE,
        "Packages are installed once, instead of at every start of an instance.",
    ),
    ({"files": [FILE]}, "files", IMAGE, "Files of the host are written into its root volume."),
    (
        {"scripts": [SCRIPT]},
        "scripts",
        IMAGE,
        "Scripts change the root volume, once, before any instance starts from it.",
    ),
    (
        {"kernelArguments": ["mitigations=off"]},
        "kernelArguments",
        IMAGE,
        "They stand in the boot loader of the image.",
    ),
    (
        {"containerImages": [{"image": f"public.ecr.aws/x/y@{DIGEST}"}]},
        "containerImages",
        IMAGE,
        "They are pulled once and are on the root volume; without, every instance pulls them.",
    ),
    (
        {"ecsConfig": {"ECS_LOGLEVEL": "debug"}},
        "ecsConfig",
        IMAGE,
        (
            "The agent reads them from a file of the host when it starts; a pool of an "
            "UNMANAGED environment can do without an image, by userData.ecsConfig."
        ),
    ),
    (
        {"regions": ["eu-west-1"]},
        "regions",
        IMAGE,
        "Only an image can be copied to another region.",
    ),
    (
        {"publish": {"ssmParameter": "/images/atmos"}},
        "publish",
        IMAGE,
        (
            "Who takes an image from the parameter gets nothing of a launch template, "
            "so that all has to be in the image."
        ),
    ),
]
# Fields that say how an image is made, kept or used, and nothing about what is in it.
ABOUT_IMAGES = {
    "base": {"family": "AL2023", "variant": "gpu"},
    "builder": {"instanceTypes": ["m7i.large"]},
    "verify": {"container": {"image": "busybox"}},
    "rebuild": {"when": ["BaseChange"], "maxAgeDays": 60},
    "retention": {"keep": 5},
    "pin": "ami-0a1b2c3d",
}
OF_ALL_KINDS = {"accountRef", "region", "tags", "deletionPolicy", "adoptionPolicy", "driftPolicy"}
NOTHING = [
    *({name: value} for name, value in ABOUT_IMAGES.items()),
    {},
    {"rootVolume": {}},
    {"rootVolume": {"encrypted": False}},
    {"cpu": {"threadsPerCore": 2}},
    {"packages": [], "files": [], "scripts": [], "mounts": [], "volumes": [], "regions": []},
    {"kernelArguments": [], "containerImages": [], "ecsConfig": {}},
]


@pytest.mark.parametrize(("members", "field", "place", "words"), ALONE)
def test_a_field_goes_where_it_can_and_says_why(members, field, place, words):
    found = decide(spec_of(**members))
    assert Target(field, place, words) in found.targets
    assert found.needed is (place is IMAGE)
    assert found.template_needed is (place is TEMPLATE)
    group = field if field.startswith("cpu.") else field.partition("[")[0]
    assert found.because == ((group,) if place is IMAGE else ())


@pytest.mark.parametrize("members", NOTHING)
def test_what_says_nothing_about_hosts_goes_nowhere(members):
    assert decide(spec_of(**members)) == Bake(needed=False, because=(), targets=())


@pytest.mark.parametrize(
    ("members", "field"), [(each[0], each[1]) for each in ALONE if each[2] is TEMPLATE]
)
def test_a_disk_is_in_the_image_where_one_is_made_anyway(members, field):
    found = decide(spec_of(**members, packages=["htop"]))
    (target,) = [each for each in found.targets if each.field == field]
    assert found.because == ("packages",)
    if field == "rootVolume.initializationRateMiBps":
        assert target.place is TEMPLATE
        assert found.template_needed
        return
    assert target == Target(
        field,
        IMAGE,
        "An image is made anyway, and the volumes of its builder are like this from the start, "
        "because they cannot be changed when the image is made of them.",
    )
    assert not found.template_needed


def test_every_field_of_the_spec_is_in_the_table_or_about_images():
    tabled = {name for members, *_ in ALONE for name in members}
    fields = {field.alias for field in DECLARED.spec.model_fields.values()}
    assert fields == tabled | set(ABOUT_IMAGES) | OF_ALL_KINDS
    root = {name for members, *_ in ALONE for name in members.get("rootVolume", ())}
    assert root == {field.alias for field in RootVolume.model_fields.values()}


def test_a_mount_of_efs_alone_comes_with_the_advice_to_do_it_in_the_job_definition():
    found = decide(spec_of(mounts=[MOUNT, NFS], rootVolume={"sizeGiB": 111}))
    assert found.because == ("mounts",)
    assert [each for each in found.targets if each.place is DEFINITION] == [
        Target(
            "mounts[name=shared]",
            DEFINITION,
            "If only some jobs need it, no image is needed: a volume with efsVolumeConfiguration "
            "in their job definition mounts it for each of them, with an access point and the "
            "rights of the job's own role.",
        )
    ]


def test_no_advice_is_given_that_would_spare_no_image():
    found = decide(spec_of(mounts=[MOUNT], packages=["htop"]))
    assert found.because == ("mounts", "packages")
    assert {each.place for each in found.targets} == {IMAGE}


def test_an_image_is_because_of_each_field_once_in_the_order_of_the_api():
    volumes = [FORMATTED, {**VOLUME, "name": "raw", "deviceName": "/dev/sdg"}]
    found = decide(
        spec_of(volumes=volumes, mounts=[MOUNT, NFS], cpu={"threadsPerCore": 1}, files=[FILE])
    )
    assert found.because == ("volumes", "mounts", "cpu.threadsPerCore", "files")
    assert [each.field for each in found.targets] == [
        *("volumes[name=scratch]", "volumes[name=raw]", "mounts[name=shared]", "mounts[name=home]"),
        *("cpu.threadsPerCore", "files"),
    ]


def test_what_needs_no_image_is_told_with_the_fields_that_a_launch_template_does():
    told = explained(decide(spec_of(rootVolume={"sizeGiB": 111, **GP3}, volumes=[VOLUME])))
    assert told is not None
    assert told.reason is image_reasons.BAKE_NOT_NEEDED
    assert told.text() == (
        "No image has to be made: a launch template is enough for rootVolume.sizeGiB, "
        "rootVolume.type, volumes[name=scratch]. builder, verify, rebuild, retention and pin have "
        "nothing to do."
    )


def test_a_spec_of_nothing_but_a_base_is_told_as_such_and_one_that_needs_an_image_not_at_all():
    told = explained(decide(spec_of()))
    assert told is not None
    assert "the spec asks for nothing but the base" in told.message
    assert explained(decide(spec_of(packages=["htop"]))) is None


def test_the_longest_decision_has_room_in_the_status():
    volumes = [
        {**VOLUME, "name": f"v{n}", "deviceName": f"/dev/xvdb{chr(97 + n)}"} for n in range(16)
    ]
    mounts = [{**MOUNT, "name": f"m{n}", "mountPath": f"/m{n}"} for n in range(16)]
    every = {name: value for members, *_ in ALONE for name, value in members.items()}
    every |= {"volumes": volumes, "mounts": mounts, "cpu": {"maxCpus": 2}}
    every["rootVolume"] = {
        name: value
        for members, *_ in ALONE
        for name, value in members.get("rootVolume", {}).items()
    }
    for members in (every, {"mounts": mounts, "volumes": volumes}):
        found = decide(spec_of(**members))
        assert len(found.targets) <= TARGETS
        BakeStatus(
            needed=found.needed,
            because=list(found.because),
            targets=[
                TargetStatus(field=each.field, place=each.place, reason=each.words)
                for each in found.targets
            ],
        )
