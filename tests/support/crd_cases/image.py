"""ExtendedAMI."""

from collections.abc import Mapping
from typing import Any

from tests.support.crd_cases.capacity import KEY, PROFILE
from tests.support.crd_cases.cases import Case, case

from awsbatch_operator.schema.hosts import IOPS, SIZES

BASE = {"base": {"family": "AL2023"}}
VOLUME = {"name": "scratch", "deviceName": "/dev/sdf", "sizeGiB": 500}
MOUNT = {"name": "shared", "type": "efs", "source": "fs-0a1b2c3d", "mountPath": "/efs"}
NFS = {"name": "home", "type": "nfs", "source": "nfs.example.org", "mountPath": "/data"}
FILE = {"path": "/etc/sysctl.d/90-atmos.conf", "content": "vm.swappiness = 1\n"}
SCRIPT = {"name": "tune", "content": "#!/bin/sh\ntrue\n"}
DIGEST = f"sha256:{'0a' * 32}"


def base(**members: Any) -> dict[str, Any]:
    """Made from this, and not from what the valid spec names."""
    return {"base": {"family": None, **members}}


def volume(**members: Any) -> dict[str, Any]:
    """A further volume like this."""
    return {"volumes": [{**VOLUME, **members}]}


def mount(**members: Any) -> dict[str, Any]:
    """A mount of EFS like this."""
    return {"mounts": [{**MOUNT, **members}]}


def root(**members: Any) -> dict[str, Any]:
    """A root volume like this."""
    return {"rootVolume": members}


def script(**members: Any) -> dict[str, Any]:
    """A script like this; what is None is left out."""
    made = {**SCRIPT, **members}
    return {"scripts": [{name: value for name, value in made.items() if value is not None}]}


MULTI, _OTHER = "mrk-0123456789abcdef0123456789abcdef", "mrk-0a"


def _keyed(*keys: str) -> dict[str, Any]:
    """Volumes with these keys, and a copy."""
    volumes = [
        {**VOLUME, "name": n, "deviceName": f"/dev/sd{n}", "encrypted": True, "kmsKeyId": key}
        for n, key in zip("fgh", keys, strict=False)
    ]
    return {"volumes": volumes, "regions": ["eu-west-1"]}


_FROM = {"configMapKeyRef": {"name": "scripts", "key": "tune.sh"}}
_EVERYTHING = {
    "base": {"family": "AL2023", "variant": "standard", "architecture": "x86_64"},
    **root(sizeGiB=111, type="gp3", iops=3000, throughput=125, encrypted=True, kmsKeyId=MULTI),
    **volume(type="gp3", fileSystem="xfs", mountPath="/scratch"),
    "mounts": [{**MOUNT, "iam": True, "tls": True, "accessPointId": "fsap-1"}, NFS],
    "cpu": {"threadsPerCore": 1},
    "packages": ["htop"],
    "files": [{**FILE, "mode": "0600"}],
    "scripts": [{**SCRIPT, "timeoutSeconds": 60}],
    "kernelArguments": ["transparent_hugepage=never"],
    "containerImages": [{"image": f"public.ecr.aws/x/y@{DIGEST}"}],
    "ecsConfig": {"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"},
    "builder": {
        "instanceTypes": ["m7i.large"],
        "subnets": ["subnet-1"],
        "securityGroupIds": ["sg-1"],
        "instanceProfile": PROFILE,
        "timeoutSeconds": 3600,
        "onFailure": "Keep",
    },
    "verify": {"enabled": True, "timeoutSeconds": 900, "container": {"image": "busybox:1.36"}},
    "regions": ["eu-west-1"],
    "publish": {"ssmParameter": "/images/atmos"},
    "rebuild": {"when": ["SpecChange", "BaseChange"], "maxAgeDays": 60},
    "retention": {"keep": 2, "minAgeDays": 7},
    "pin": "ami-0a1b2c3d",
}

CASES: Mapping[str, Case] = {
    "base-source-once": case(
        accepts=[
            _EVERYTHING,
            base(ssmParameter="/images/golden"),
            base(amiId="ami-1"),
            base(amiRef={"name": "efs"}),
        ],
        refuses=[base(), {"base": {"amiId": "ami-1"}}, base(amiId="ami-1", ssmParameter="/a")],
    ),
    "base-details-of-family": case(
        accepts={"base": {"variant": "gpu"}},
        refuses=[base(amiId="ami-1", variant="gpu"), base(amiId="ami-1", architecture="arm64")],
    ),
    "base-al2-ended": case(accepts=base(amiId="ami-1"), refuses={"base": {"family": "AL2"}}),
    "base-al1-ended": case(accepts=base(amiId="ami-1"), refuses={"base": {"family": "AL1"}}),
    "base-bottlerocket": case(
        accepts={"base": {"family": "AL2023"}}, refuses={"base": {"family": "Bottlerocket"}}
    ),
    "base-variant-x86": case(
        accepts=[
            {"base": {"variant": "gpu", "architecture": "x86_64"}},
            {"base": {"variant": "standard", "architecture": "arm64"}},
        ],
        refuses=[{"base": {"variant": v, "architecture": "arm64"}} for v in ("gpu", "neuron")],
    ),
    "disk-size": case(
        accepts=[
            root(sizeGiB=SIZES["gp3"][1], type="gp3"),
            volume(sizeGiB=SIZES["st1"][0], type="st1"),
            volume(sizeGiB=65536),
        ],
        refuses=[
            root(sizeGiB=16385, type="gp2"),
            volume(sizeGiB=124, type="sc1"),
            volume(sizeGiB=3, type="io1", iops=100),
        ],
    ),
    "disk-iops": case(
        accepts=[root(type=name, iops=number) for name, both in IOPS.items() for number in both],
        refuses=[root(iops=3000), root(type="gp2", iops=3000), volume(type="gp3", iops=2999)],
    ),
    "disk-needs-iops": case(
        accepts=root(type="gp3"), refuses=[root(type="io2"), volume(type="io1")]
    ),
    "disk-throughput": case(
        accepts=root(type="gp3", throughput=125),
        refuses=[root(throughput=125), volume(type="st1", throughput=125)],
    ),
    "disk-key": case(
        accepts=root(encrypted=True, kmsKeyId=KEY),
        refuses=[root(kmsKeyId=KEY), volume(encrypted=False, kmsKeyId=KEY)],
    ),
    "mounted-volume-has-file-system": case(
        accepts=[volume(fileSystem="ext4", mountPath="/scratch"), volume(fileSystem="xfs")],
        refuses=volume(mountPath="/scratch"),
    ),
    "mount-beside-the-system": case(
        accepts=[mount(mountPath=p) for p in ("/efs", "/var/lib/docker", "/home/shared", "/mnt")],
        refuses=[
            mount(mountPath=p)
            for p in (
                "/etc",
                "/home",
                "/usr/local",
                "/var",
                "/var/lib",
                "/var/lib/ecs/data",
                "/lib64",
            )
        ]
        + [volume(fileSystem="xfs", mountPath="/root")],
    ),
    "efs-by-its-id": case(
        accepts=[mount(), {"mounts": [{**NFS, "source": "10.0.0.7"}]}],
        refuses=mount(source="fs-1.efs.eu-central-1.amazonaws.com"),
    ),
    "efs-alone-has-identity": case(
        accepts={"mounts": [NFS]},
        refuses=[
            {"mounts": [{**NFS, **more}]}
            for more in ({"iam": False}, {"tls": True}, {"accessPointId": "fsap-1"})
        ],
    ),
    "identity-needs-tls": case(
        accepts=[mount(iam=True), mount(iam=False, tls=False), mount(accessPointId="fsap-1")],
        refuses=[mount(iam=True, tls=False), mount(accessPointId="fsap-1", tls=False)],
    ),
    "access-point-is-a-root": case(
        accepts=[mount(accessPointId="fsap-1", path="/"), mount(path="/data")],
        refuses=mount(accessPointId="fsap-1", path="/data"),
    ),
    "option-has-a-field": case(
        accepts=mount(options=["ro", "tlsport=20049"]),
        refuses=[mount(options=[each]) for each in ("tls", "iam", "accesspoint=fsap-1")],
    ),
    "cpu-limited-once": case(
        accepts=[{"cpu": {"maxCpus": 48}}, {"cpu": {}}],
        refuses={"cpu": {"threadsPerCore": 1, "maxCpus": 48}},
    ),
    "kernel-argument-is-ours": case(
        accepts={"kernelArguments": ["mitigations=off", "rd.lvm=0", "nr_hugepages=8"]},
        refuses=[
            {"kernelArguments": [each]}
            for each in (
                *("nosmt", "nosmt=force", "nr_cpus=48", "maxcpus=1", "root=/dev/xvda2", "ro"),
                *("init=/bin/sh", "console=ttyS1", "systemd.unit=rescue.target", "single"),
            )
        ],
    ),
    "file-of-the-image": case(
        accepts=[
            {"files": [{**FILE, "path": path}]}
            for path in (
                *("/etc/docker/daemon.json", "/opt/x", "/var/lib/cloud/scripts/per-boot/a.sh"),
                *("/home/ec2-user/x", "/etc/ssh/sshd_config.d/9.conf"),
            )
        ],
        refuses=[
            {"files": [{**FILE, "path": path}]}
            for path in (
                *("/etc/fstab", "/run/x", "/etc/ecs/ecs.config", "/var/lib/ecs/data/agent.db"),
                *("/root/.aws/credentials", "/home/ec2-user/.ssh/authorized_keys", "/etc/hostname"),
                *("/var/lib/cloud/instance/x", "/var/log/x", "/etc/ssh/ssh_host_rsa_key"),
            )
        ],
    ),
    "script-content-once": case(
        accepts=[script(), script(content=None, contentFrom=_FROM)],
        refuses=[script(content=None), script(contentFrom=_FROM)],
    ),
    "script-lines-of-linux": case(
        accepts=[
            script(content=f"#!{line}") for line in ("/bin/sh", "/usr/bin/env bash\ntrue\r\n")
        ],
        refuses=[
            script(content=text)
            for text in (
                "true\n",
                "#!/bin/bash\r\ntrue\r\n",
                "\n#!/bin/sh\n",
                "#!bash\n",
                " #!/x\n",
            )
        ],
    ),
    "scripts-named-once": case(
        accepts={"scripts": [SCRIPT, {**SCRIPT, "name": "second"}]},
        refuses={"scripts": [SCRIPT, SCRIPT]},
    ),
    "agent-setting-names": case(
        accepts={"ecsConfig": {"ECS_EXCLUDE_IPV6_PORTBINDING": "true"}},
        refuses=[{"ecsConfig": {name: "x"}} for name in ("ecs_loglevel", "A=B\nC", "")],
    ),
    "agent-setting-one-line": case(
        accepts={"ecsConfig": {"ECS_LOGLEVEL": "debug"}},
        refuses=[{"ecsConfig": {"ECS_LOGLEVEL": f"x{end}ECS_CLUSTER=y"}} for end in "\n\r"],
    ),
    "no-cluster-in-an-image": case(
        accepts={"ecsConfig": {}}, refuses={"ecsConfig": {"ECS_CLUSTER": "default"}}
    ),
    "parameter-of-your-own": case(
        accepts={"publish": {"ssmParameter": "images/aws"}},
        refuses=[{"publish": {"ssmParameter": p}} for p in ("/aws/x", "AWSimage", "/ssm/x")],
    ),
    "devices-once": case(
        accepts={"volumes": [VOLUME, {**VOLUME, "name": "b", "deviceName": "/dev/sdg"}]},
        refuses={"volumes": [VOLUME, {**VOLUME, "name": "b"}]},
    ),
    "mount-paths-once": case(
        accepts={"mounts": [MOUNT, NFS], "volumes": [{**VOLUME, "fileSystem": "xfs"}]},
        refuses=[
            {"mounts": [MOUNT, {**NFS, "mountPath": "/efs"}]},
            {**mount(), **volume(fileSystem="xfs", mountPath="/efs")},
            {
                "volumes": [
                    {**VOLUME, "name": n, "deviceName": d, "fileSystem": "xfs", "mountPath": "/a"}
                    for n, d in (("a", "/dev/sdf"), ("b", "/dev/sdg"))
                ]
            },
        ],
    ),
    "threads-of-arm": case(
        accepts=[
            {"base": {"architecture": "arm64"}, "cpu": {"threadsPerCore": 2}},
            {"base": {"architecture": "arm64"}, "cpu": {"maxCpus": 8}},
            {"cpu": {"threadsPerCore": 1}},
        ],
        refuses={"base": {"architecture": "arm64"}, "cpu": {"threadsPerCore": 1}},
    ),
    "root-as-large-as-base": case(
        accepts=[root(sizeGiB=30), {**base(amiId="ami-1"), **root(sizeGiB=8)}],
        refuses=root(sizeGiB=29),
    ),
    "copies-need-a-key-of-their-region": case(
        accepts=[
            _keyed(MULTI),
            _keyed(f"arn:aws:kms:eu-central-1:111122223333:key/{MULTI}"),
            {**root(encrypted=True, kmsKeyId=KEY), "regions": []},
        ],
        refuses=[{**_keyed(), **root(encrypted=True, kmsKeyId=KEY)}, _keyed("1234abcd")],
    ),
    "copies-have-one-key": case(
        accepts={**root(encrypted=True, kmsKeyId=MULTI), **_keyed(MULTI, MULTI)},
        refuses=[
            {**root(encrypted=True, kmsKeyId=MULTI), **_keyed(_OTHER)},
            _keyed(MULTI, _OTHER),
        ],
    ),
    "regions-are-further-ones": case(
        accepts={"region": "eu-central-1", "regions": ["eu-west-1"]},
        refuses={"region": "eu-central-1", "regions": ["eu-central-1"]},
    ),
}
