"""Recipes of images by the names of their golden files: each feature alone, and together."""

from dataclasses import replace

from awsbatch_operator.userdata.images.build import build_user_data
from awsbatch_operator.userdata.images.model import File, Mount, Recipe, Script, Volume
from awsbatch_operator.userdata.images.verify import verify_user_data

NONCE = "7c1f0d9a4be25836"
LIMIT = 3600
CLUSTER = "awsbatch-verify-0c9f4d1e"
DIGEST = f"@sha256:{'0123456789abcdef' * 4}"

SCRATCH = Volume("scratch", "/dev/sdf", "xfs", "/scratch", 500)
EFS = Mount(
    "shared", "efs", "fs-0123456789abcdef0", "/", "/efs", "", iam=False, tls=False, options=()
)
PRIVATE = replace(EFS, access_point_id="fsap-0123456789abcdef0", iam=True)
NFS = Mount(
    "old",
    "nfs",
    "nfs.example.org",
    "/export/data",
    "/data",
    "",
    iam=False,
    tls=False,
    options=("ro",),
)
TUNE = Script("tune", "#!/bin/bash\nset -eu\nsysctl -w vm.max_map_count=262144\n", 600)
MOTD = File("/etc/motd", "0644", "Jobs of the laboratory\n")
PLAIN = Recipe()

BUILDS = {
    "nothing": PLAIN,
    "root": Recipe(root_gib=111),
    "volumes": Recipe(
        volumes=(
            SCRATCH,
            Volume("data", "/dev/sdg", "ext4", "/data", 40),
            Volume("raw", "/dev/sdh", "", "", 8),
        )
    ),
    "efs": Recipe(mounts=(EFS,)),
    "efs-with-access-point-and-iam": Recipe(mounts=(PRIVATE,)),
    "nfs": Recipe(mounts=(NFS,)),
    "packages": Recipe(packages=("htop", "openmpi-4.1.5-1.amzn2023")),
    "files": Recipe(
        files=(
            MOTD,
            File("/etc/ungarnished", "0600", "no end of line"),
            File("/opt/Grüße/a b", "0644", "Grüße — 計算\n"),
        )
    ),
    "scripts": Recipe(scripts=(TUNE, Script("plain", "echo done\n", 60))),
    "kernel-arguments": Recipe(kernel_arguments=("transparent_hugepage=never", "mitigations=off")),
    "no-smt": Recipe(no_smt=True),
    "max-cpus": Recipe(max_cpus=48),
    "container-images": Recipe(
        container_images=(
            f"public.ecr.aws/docker/library/alpine{DIGEST}",
            f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/atmos{DIGEST}",
        )
    ),
    "ecs-config": Recipe(ecs_config={"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"}),
    # The two of the write-ups.
    "large-disk-and-efs": Recipe(root_gib=111, mounts=(EFS,)),
    "efs-mpi-without-smt": Recipe(
        root_gib=60, mounts=(PRIVATE,), packages=("openmpi",), no_smt=True, scripts=(TUNE,)
    ),
}
EVERYTHING = Recipe(
    root_gib=111,
    volumes=(SCRATCH,),
    mounts=(PRIVATE, NFS),
    packages=("htop",),
    files=(MOTD,),
    scripts=(TUNE,),
    kernel_arguments=("transparent_hugepage=never",),
    no_smt=True,
    max_cpus=48,
    container_images=BUILDS["container-images"].container_images,
    ecs_config={"ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached"},
)
BUILDS["everything"] = EVERYTHING
VERIFIED = {
    "verify-nothing": (PLAIN, ()),
    "verify-everything": (
        EVERYTHING,
        ("public.ecr.aws/docker/library/alpine", "sh", "-c", "df -h"),
    ),
}


def build(recipe: Recipe, *, keep: bool = False) -> bytes:
    """What its builder boots with."""
    return build_user_data(recipe, nonce=NONCE, timeout_seconds=LIMIT, keep=keep)


def verify(recipe: Recipe, container: tuple[str, ...] = (), *, nonce: str = NONCE) -> bytes:
    """What its verifier boots with."""
    return verify_user_data(
        recipe, nonce=nonce, cluster=CLUSTER, timeout_seconds=900, container=container
    )


def all_user_data() -> dict[str, bytes]:
    """Every golden one by its name."""
    made = {name: build(recipe) for name, recipe in BUILDS.items()}
    made["kept-after-a-failure"] = build(PLAIN, keep=True)
    return made | {name: verify(*given) for name, given in VERIFIED.items()}
