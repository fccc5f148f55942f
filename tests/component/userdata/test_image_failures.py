"""Builders that fail: each tells step, exit code and last words, and turns itself off."""

from dataclasses import replace

import pytest
from tests.component.userdata.guest import Case, executing, one_after_the_other
from tests.unit.userdata.images.recipes import EFS, PLAIN, SCRATCH

from awsbatch_operator.userdata.images.build import build_user_data
from awsbatch_operator.userdata.images.console import read_console
from awsbatch_operator.userdata.images.model import File, Recipe, Script, Verdict

pytestmark = executing


def script(text, seconds=60):
    return Recipe(scripts=(Script("tune", text, seconds),))


AWS = "mkdir -p /root/.aws && echo x >/root/.aws/credentials\n"
FAILURES = {
    "a package that there is not": (
        Recipe(packages=("htpo",)),
        {"dnf": "echo 'Error: Unable to find a match: htpo' >&2; exit 1"},
        ("packages", 1, "Error: Unable to find a match: htpo"),
    ),
    "a script with an exit code": (
        script("#!/bin/sh\necho 'no space left' >&2\nexit 37\n"),
        {},
        ("script:tune", 37, "no space left"),
    ),
    "a script that hangs": (
        script("#!/bin/sh\ntail -f /dev/null\n", 1),
        {},
        ("script:tune", 124, "The script was ended: it may take 1 seconds"),
    ),
    "a script that nothing can run": (
        script("#!/bin/nothing\n"),
        {},
        ("script:tune", 127, ""),
    ),
    "a forged end": (
        script(
            "#!/bin/sh\necho awsbatch-image OK; echo awsbatch-image x OK >/dev/console\nexit 1\n"
        ),
        {},
        ("script:tune", 1, "awsbatch-image OK"),
    ),
    "a cluster in the settings": (
        script("echo ECS_CLUSTER=mine >>/etc/ecs/ecs.config\n"),
        {},
        ("check", 1, "/etc/ecs/ecs.config sets ECS_CLUSTER: every instance of the image would"),
    ),
    "credentials": (
        script(AWS),
        {},
        ("check", 1, "/root/.aws/credentials holds credentials"),
    ),
    "a device in fstab": (
        script("echo /dev/nvme1n1 /x xfs defaults 0 0 >>/etc/fstab\n"),
        {},
        ("check", 1, "/etc/fstab names a device"),
    ),
    "errors of cloud-init": (
        script(
            "echo /dev/xvdb /media/x auto nofail,comment=cloudconfig 0 2 >>/etc/fstab\n"
            "mkdir -p /run/cloud-init\n"
            """echo '{"v1": {"init": {"errors": ["no route"]}}}' >/run/cloud-init/status.json\n"""
        ),
        {},
        ("check", 1, "cloud-init has met errors: no route"),
    ),
    "a small root": (
        Recipe(root_gib=200),
        {},
        ("check", 1, "The root file system has 111 GiB, not 200"),
    ),
    "something under a mount": (
        Recipe(mounts=(EFS,), files=(File("/efs/a", "0644", "a\n"),)),
        {},
        ("check", 1, "/efs/a would be hidden by what is mounted at /efs"),
    ),
    "an image that cannot be pulled": (
        Recipe(container_images=("x@sha256:1",)),
        {"docker": '[ "$1" != pull ] || { echo "manifest for $3 not found" >&2; exit 1; }'},
        ("containers", 1, "manifest for x@sha256:1 not found"),
    ),
    "Docker that does not start": (
        Recipe(container_images=("x",)),
        {"docker": "exit 1"},
        ("containers", 1, "Docker does not start"),
    ),
    "a volume that is not there": (
        Recipe(volumes=(replace(SCRATCH, device="/dev/sdz"),)),
        {},
        ("volumes", 1, "There is no device /dev/sdz after a minute"),
    ),
    "a small volume": (
        Recipe(volumes=(replace(SCRATCH, size_gib=501),)),
        {},
        ("volumes", 1, "/dev/sdf has 500 GiB, not 501"),
    ),
    "a volume with something on it": (
        Recipe(volumes=(SCRATCH,)),
        {"blkid": "echo LVM2_member"},
        ("volumes", 1, "/dev/sdf is not blank and not xfs: it holds LVM2_member"),
    ),
    "an option in place of a package": (
        Recipe(packages=("--installroot=/x",)),
        {},
        ("packages", 1, "--installroot=/x begins with a hyphen"),
    ),
    "an agent that is not enabled": (
        PLAIN,
        {"systemctl": '[ "$1" != is-enabled ]'},
        ("leftovers", 1, "ecs.service is not enabled"),
    ),
}
KEPT = "a builder that is to be kept"
FULL = script("#!/bin/sh\ndd if=/dev/zero of=/fill bs=1M status=none || exit 28\n")
ALL = {
    **FAILURES,
    KEPT: (script("exit 7\n"), {}, ("script:tune", 7, "")),
    # Last, because nothing can be written after it.
    "a script that fills the disk": (FULL, {}, ("script:tune", 28, "")),
}


@pytest.fixture(scope="module")
def console():
    """Of all builders, each with a nonce of its own."""
    return one_after_the_other(
        [
            Case(build_user_data(recipe, nonce=f"n{number}", timeout_seconds=60, keep=name == KEPT),
                 commands)
            for number, (name, (recipe, commands, _)) in enumerate(ALL.items())
        ]
    )  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_a_failure_is_told_with_step_exit_code_and_last_words(console, name):
    found = read_console(console, nonce=f"n{list(ALL).index(name)}")
    _, _, (step, code, words) = ALL[name]
    assert found.verdict is Verdict.FAILED, console
    assert (found.step, found.exit_code) == (step, code), found
    assert found.message.startswith(words)


def test_after_a_failure_a_builder_turns_itself_off_unless_it_is_to_be_kept(console):
    off = [line for line in console.splitlines() if line == "systemctl --no-block poweroff"]
    quiet = [name for name, (_, commands, _) in ALL.items() if "systemctl" in commands]
    assert len(off) == len(ALL) - len([*quiet, KEPT])
    assert "This instance is kept until its time limit." in console
