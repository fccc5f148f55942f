"""Texts and sizes of an ExtendedAMI: what is taken, and what people write instead."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.crd_cases.capacity import KEY, PROFILE
from tests.support.crd_cases.cases import Case, bound, case
from tests.support.crd_cases.image import (
    DIGEST,
    FILE,
    NFS,
    VOLUME,
    base,
    mount,
    root,
    script,
    volume,
)

from awsbatch_operator.kinds.extendedami import forms as own
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.rules import Rule


def _form(
    form: Rule, change: Callable[[str], Any], *, accepts: list[str], refuses: list[str]
) -> Mapping[str, Case]:
    taken, odd = [change(text) for text in accepts], [change(text) for text in ("", *refuses)]
    return {form.id: case(accepts=taken, refuses=odd)}


# What a shell, fstab, dnf or the kernel would make something else of.
_INJECTED = ["a b", "a;reboot", "$(reboot)", "`id`", "a\nb", "a'b", 'a"b', "-y", "a|b", "a\\b"]

_IN_PATHS = [f"/{text}" for text in _INJECTED if text != "-y"]

FORMS: Mapping[str, Case] = {
    "adopt-makes-nothing": case(
        accepts=[
            {"adoptionPolicy": "Adopt"},
            {"adoptionPolicy": "AdoptOrCreate", "regions": ["eu-west-1"]},
        ],
        refuses=[
            {"adoptionPolicy": "Adopt", "regions": ["eu-west-1"]},
            {"adoptionPolicy": "Adopt", "publish": {"ssmParameter": "/images/atmos"}},
        ],
    ),
    **_form(
        own.PART_NAME,
        lambda text: volume(name=text),
        accepts=["scratch", "a", "efs-2"],
        refuses=["Scratch", "a_b", "-a", *_INJECTED],
    ),
    **_form(
        own.DEVICE,
        lambda text: volume(deviceName=text),
        accepts=["/dev/sdf", "/dev/sdp", "/dev/xvdba", "/dev/xvddz"],
        refuses=["/dev/sda1", "/dev/xvda", "/dev/sdb", "/dev/xvdf", "/dev/nvme1n1", "sdf"],
    ),
    **_form(
        own.MOUNT_PATH,
        lambda text: mount(mountPath=text),
        accepts=["/efs", "/mnt/a-b_c.d", "/mnt/.hidden"],
        refuses=["/", "efs", "/efs/", "/a/../etc", "/..", "/.", "//a", *_IN_PATHS],
    ),
    **_form(
        own.INNER_PATH,
        lambda text: mount(path=text),
        accepts=["/", "/data/2024"],
        refuses=["data", "/data/", "/../x", "/a/./b", *_IN_PATHS],
    ),
    **_form(
        own.FILE_PATH,
        lambda text: {"files": [{**FILE, "path": text}]},
        accepts=["/etc/systemd/system/a@.service", "/opt/a+b", "/etc/.x"],
        refuses=["etc/x", "/etc/../x", "/etc/", "/", *_IN_PATHS],
    ),
    **_form(
        own.FILE_MODE,
        lambda text: {"files": [{**FILE, "mode": text}]},
        accepts=["0644", "0755", "0000"],
        refuses=["644", "0888", "4755", "u+x", "06 4"],
    ),
    **_form(
        own.MOUNT_SOURCE,
        lambda text: {"mounts": [{**NFS, "source": text}]},
        accepts=["10.0.0.7", "nfs.example.org", "fs-1.efs.eu-central-1.amazonaws.com"],
        refuses=["nfs:/data", "//host", "[::1]", "host/", *_INJECTED],
    ),
    **_form(
        own.ACCESS_POINT_ID,
        lambda text: mount(accessPointId=text),
        accepts=["fsap-0a1b2c3d4e5f67890"],
        refuses=["fs-0a1b", "fsap-", "main", "fsap-0a,ro"],
    ),
    **_form(
        own.MOUNT_OPTION,
        lambda text: mount(options=[text]),
        accepts=["ro", "rsize=1048576", "x-systemd.requires=a.service", "vers=4.1"],
        refuses=["ro,noatime", "_netdev", "RO", *_INJECTED],
    ),
    **_form(
        own.PACKAGE,
        lambda text: {"packages": [text]},
        accepts=["htop", "gcc-c++", "amazon-efs-utils-2.3.0-1.amzn2023", "python3.11", "a~rc1"],
        refuses=[
            "@development",
            "--nogpgcheck",
            "./a.rpm",
            "https://x/a.rpm",
            "kmod-*",
            *_INJECTED,
        ],
    ),
    **_form(
        own.KERNEL_ARGUMENT,
        lambda text: {"kernelArguments": [text]},
        accepts=["quiet", "isolcpus=1-3,5", "intel_idle.max_cstate=1", "loglevel=-1"],
        refuses=["a=b c", "=x", "a=", "-v", "1", "a='b'", *_INJECTED],
    ),
    **_form(
        own.CONFIG_KEY,
        lambda text: script(
            content=None, contentFrom={"configMapKeyRef": {"name": "scripts", "key": text}}
        ),
        accepts=["tune.sh", "A_b-1"],
        refuses=["a b", "a/b", "größe"],
    ),
    **_form(
        forms.IMAGE,
        lambda text: {"containerImages": [{"image": text}]},
        accepts=["busybox", "quay.io/a/b:1.9--h10", f"public.ecr.aws/x/y@{DIGEST}"],
        refuses=["https://docker.io/busybox", "a@sha256:1", *_INJECTED],
    ),
    **_form(
        forms.IMAGE_ID,
        lambda text: {"pin": text},
        accepts=["ami-0a1b2c3d4e5f67890"],
        refuses=["my-image", "ami-"],
    ),
    **_form(
        forms.PARAMETER_NAME,
        lambda text: {"publish": {"ssmParameter": text}},
        accepts=["golden", "/images/atmos"],
        refuses=["arn:aws:ssm:eu-central-1:111122223333:parameter/a", "/a//b"],
    ),
    **_form(
        forms.KMS_KEY,
        lambda text: root(encrypted=True, kmsKeyId=text),
        accepts=[KEY],
        refuses=["alias/scratch"],
    ),
    **_form(
        forms.INSTANCE_TYPE,
        lambda text: {"builder": {"instanceTypes": [text]}},
        accepts=["m7i.large"],
        refuses=["m7i"],
    ),
    **_form(
        forms.SUBNET_ID,
        lambda text: {"builder": {"subnets": [text]}},
        accepts=["subnet-1"],
        refuses=["private-a"],
    ),
    **_form(
        forms.SECURITY_GROUP_ID,
        lambda text: {"builder": {"securityGroupIds": [text]}},
        accepts=["sg-1"],
        refuses=["default"],
    ),
    **_form(
        forms.PROFILE_ARN,
        lambda text: {"builder": {"instanceProfile": text}},
        accepts=[PROFILE],
        refuses=["ecsInstanceRole"],
    ),
}


def _numbers(field: str, low: int, high: int, change: Callable[[int], Any]) -> Any:
    return bound(
        f"spec.{field}",
        accepts=[change(low), change(high)],
        refuses=[change(low - 1), change(high + 1)],
    )


BOUNDS = (
    _numbers("retention.keep", 1, 20, lambda n: {"retention": {"keep": n}}),
    _numbers("retention.minAgeDays", 0, 3650, lambda n: {"retention": {"minAgeDays": n}}),
    _numbers("cpu.threadsPerCore", 1, 2, lambda n: {"cpu": {"threadsPerCore": n}}),
    _numbers("cpu.maxCpus", 1, 1024, lambda n: {"cpu": {"maxCpus": n}}),
    _numbers("builder.timeoutSeconds", 300, 43_200, lambda n: {"builder": {"timeoutSeconds": n}}),
    _numbers("verify.timeoutSeconds", 120, 7_200, lambda n: {"verify": {"timeoutSeconds": n}}),
    _numbers(
        "rootVolume.initializationRateMiBps",
        100,
        300,
        lambda n: root(initializationRateMiBps=n),
    ),
    bound(
        "spec.volumes[1]",
        accepts={"volumes": [VOLUME, {**VOLUME, "name": "b", "deviceName": "/dev/sdg"}]},
        refuses={"volumes": [VOLUME, {**VOLUME, "deviceName": "/dev/sdg"}]},
    ),
    bound(
        "spec.rebuild.when[0]",
        accepts=[{"rebuild": {"when": []}}, {"rebuild": {"when": ["BaseChange"]}}],
        refuses={"rebuild": {"when": ["Always"]}},
    ),
    bound(
        "spec.base.family", accepts={"base": {"family": "AL2023"}}, refuses=base(family="AL2025")
    ),
    bound("spec.base", accepts={}, refuses={"base": None}),
)
