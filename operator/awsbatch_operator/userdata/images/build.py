"""What a builder boots with: it makes of itself what the image shall be, and turns itself off.

The ECS agent is kept out by a mask in /run, which the next boot does not have: so nothing can leave
it masked in the image. It starts after cloud-init's last stage (ecs.service,
After=cloud-final.service), in which all this runs, and the power goes before that stage ends.

Packages come before files, so that a file of the user's counts over what a package brings; volumes
before both scripts and files, which may fill them; container images before scripts.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator

from awsbatch_operator.userdata.images import endings, functions, mounts
from awsbatch_operator.userdata.images.frame import limit_part, opening
from awsbatch_operator.userdata.images.model import Recipe
from awsbatch_operator.userdata.images.quoting import call, feeding, fstab_word, label, word
from awsbatch_operator.userdata.images.sending import sent
from awsbatch_operator.userdata.model import BOOTHOOK, Part

AGENT_OUT_PART = "awsbatch-agent-out"
_ECR = re.compile(r"([0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)/")

_AGENT_OUT = """\
#cloud-boothook
#!/bin/sh
# Made by aws-batch-operator. Keeps the ECS agent out while the image is built.
set -eu
systemctl mask --runtime ecs.service
systemctl --no-block stop ecs.service || :
# cloud-init runs the script once: after a restart nothing would go on.
building=/var/lib/awsbatch/building.${INSTANCE_ID:-unknown}
if [ -e "$building" ]; then
  mkdir -p /run/awsbatch
  : >/run/awsbatch/told
  printf '\\nawsbatch-image %s FAIL step=restart rc=1 %s\\n' @NONCE@ \\
    'the builder was restarted, and a build goes on in no other boot' >/dev/console
@OFF@fi
mkdir -p /var/lib/awsbatch
: >"$building"
"""
_OFF = "  systemctl --no-block poweroff\n"


def build_user_data(
    recipe: Recipe, *, nonce: str, timeout_seconds: int, keep: bool = False
) -> bytes:
    """What EC2 shall hand to a builder, before base64; compressed where it is long.

    With `keep` the builder goes on after a failure until its limit. The limit counts from its boot.
    Raises UserDataTooLongError, and ValueError for a nonce of other than letters and digits.
    """
    hooks = (
        limit_part(nonce=nonce, timeout_seconds=timeout_seconds),
        Part(BOOTHOOK, AGENT_OUT_PART, _agent_out(nonce, keep=keep)),
    )
    library = "".join(_functions(recipe))
    script = f"{opening(nonce=nonce, keep=keep)}{library}\n{build_steps(recipe)}{endings.DONE}"
    return sent(hooks, script, recipe)


def _agent_out(nonce: str, *, keep: bool) -> str:
    return _AGENT_OUT.replace("@NONCE@", word(nonce)).replace("@OFF@", "" if keep else _OFF)


def build_steps(recipe: Recipe) -> str:
    """The calls that build the image, one after the other, after the functions that they call."""
    return "".join(text for each in _STEPS for text in each(recipe))


def _functions(recipe: Recipe) -> Iterator[str]:
    """Those that are called, in an order in which each finds what it calls."""
    helped = bool(recipe.mounts or kernel_arguments(recipe) or _registries(recipe))
    if recipe.packages or helped:
        yield functions.PACKAGES
    if helped:
        yield functions.HELPERS
    wanted = (
        (_needs_network(recipe), functions.NETWORK),
        (bool(recipe.volumes or recipe.mounts), functions.FSTAB),
        (bool(recipe.volumes), functions.VOLUMES),
        (bool(recipe.mounts), functions.MOUNTS),
        (bool(mounts.guard(recipe)), functions.GUARD),
        (bool(recipe.files), functions.FILES),
        (bool(kernel_arguments(recipe)), functions.KERNEL),
        (bool(recipe.container_images), functions.DOCKER),
        (bool(recipe.container_images), functions.CONTAINERS),
        (bool(_registries(recipe)), functions.REGISTRIES),
        (bool(recipe.ecs_config), functions.AGENT),
        (bool(recipe.scripts), functions.SCRIPTS),
        (recipe.root_gib is not None, endings.CHECK_ROOT),
        (bool(recipe.mounts), endings.CHECK_MOUNT),
        (bool(recipe.container_images), endings.CHECK_IMAGE),
    )
    yield from (text for wished, text in wanted if wished)
    yield from (endings.CHECK, endings.CLEAN, endings.LEFTOVERS)


def _needs_network(recipe: Recipe) -> bool:
    return bool(recipe.packages or recipe.mounts or recipe.container_images)


def _network(recipe: Recipe) -> Iterator[str]:
    if _needs_network(recipe):
        yield call("begin", "network") + call("network")


def _packages(recipe: Recipe) -> Iterator[str]:
    if recipe.packages:
        yield call("begin", "packages") + call("packages", *recipe.packages)


def _volumes(recipe: Recipe) -> Iterator[str]:
    if recipe.volumes:
        yield call("begin", "volumes")
    for each in recipe.volumes:
        where = fstab_word(each.mount_path)
        size = str(int(each.size_gib))
        yield call("volume", each.device, size, each.file_system, each.mount_path, where)


def _mounts(recipe: Recipe) -> Iterator[str]:
    if recipe.mounts:
        yield call("begin", "mounts")
    if any(each.type == "efs" for each in recipe.mounts):
        yield call("helper", "mount.efs", "amazon-efs-utils")
    if any(each.type != "efs" for each in recipe.mounts):
        yield call("helper", "mount.nfs4", "nfs-utils")
    for each in recipe.mounts:
        source, options = fstab_word(mounts.source(each)), fstab_word(mounts.options(each))
        where = fstab_word(each.mount_path)
        kind = mounts.file_system(each)
        yield call("network_mount", each.mount_path, where, source, kind, options)
    if guard := mounts.guard(recipe):
        yield feeding("agent_after_mounts", content=guard)


def _files(recipe: Recipe) -> Iterator[str]:
    if recipe.files:
        yield call("begin", "files")
    for each in recipe.files:
        yield feeding("put", each.mode, each.path, content=each.content)


def kernel_arguments(recipe: Recipe) -> tuple[str, ...]:
    """All that the kernel is given beside what it had."""
    smt = ("nosmt",) if recipe.no_smt else ()
    cpus = () if recipe.max_cpus is None else (f"nr_cpus={int(recipe.max_cpus)}",)
    return (*recipe.kernel_arguments, *smt, *cpus)


def _kernel(recipe: Recipe) -> Iterator[str]:
    if arguments := kernel_arguments(recipe):
        yield call("begin", "kernel") + call("helper", "grubby", "grubby")
        yield call("kernel", *arguments)


def registry_settings(images: Iterable[str]) -> str:
    """Docker's settings for private registries of ECR, which want the instance profile's rights.

    Empty if no image is in one.
    """
    found = (_ECR.match(each) for each in images)
    names = dict.fromkeys((each[1] for each in found if each), "ecr-login")
    return json.dumps({"credHelpers": names}) + "\n" if names else ""


def _registries(recipe: Recipe) -> str:
    return registry_settings(recipe.container_images)


def _containers(recipe: Recipe) -> Iterator[str]:
    if not recipe.container_images:
        return
    yield call("begin", "containers") + call("docker_up")
    if settings := _registries(recipe):
        yield feeding("registries", content=settings)
    yield from (call("container_image", each) for each in recipe.container_images)


def _agent(recipe: Recipe) -> Iterator[str]:
    if recipe.ecs_config:
        lines = "".join(f"{name}={value}\n" for name, value in recipe.ecs_config.items())
        yield call("begin", "agent") + feeding("agent_settings", content=lines)


def _scripts(recipe: Recipe) -> Iterator[str]:
    for each in recipe.scripts:
        content = each.content if each.content.startswith("#!") else f"#!/bin/bash\n{each.content}"
        seconds = str(int(each.timeout_seconds))
        yield call("begin", label(f"script:{each.name}"))
        yield feeding("script", seconds, content=content)


def _ending(recipe: Recipe) -> Iterator[str]:
    yield call("begin", "check") + call("check")
    if recipe.root_gib is not None:
        yield call("check_root", str(int(recipe.root_gib)))
    yield from (call("check_mount_point", each.mount_path) for each in recipe.mounts)
    yield from (call("check_container_image", each) for each in recipe.container_images)
    yield call("begin", "clean") + call("clean")
    yield call("begin", "leftovers") + call("leftovers")


_STEPS: tuple[Callable[[Recipe], Iterator[str]], ...] = (
    *(_network, _packages, _volumes, _mounts, _files, _kernel, _containers, _agent, _scripts),
    _ending,
)
