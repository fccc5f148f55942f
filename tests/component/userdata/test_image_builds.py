"""The scripts of builders, really run: what they do, and what they tell of each failure."""

from dataclasses import replace

import pytest
from tests.component.userdata.guest import UUID, Case, booted, executing
from tests.unit.userdata.images.recipes import (
    EVERYTHING,
    MOTD,
    NONCE,
    PLAIN,
    PRIVATE,
    SCRATCH,
    TUNE,
    build,
)

from awsbatch_operator.userdata.images.console import read_console
from awsbatch_operator.userdata.images.model import File, Recipe, Script, Verdict

pytestmark = executing
POWEROFF = ("systemctl", "--no-block", "poweroff")
STEPS = (
    *("network", "packages", "volumes", "mounts", "files", "kernel", "containers", "agent"),
    *("script:tune", "script:show", "check", "clean", "leftovers"),
)
EFS_OPTIONS = "_netdev,nofail,tls,iam,accesspoint=fsap-0123456789abcdef0"
NFS_OPTIONS = (
    "_netdev,nofail,nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,ro"
)
SHOW = Script(
    "show",
    """#!/bin/bash
awk '{print "FSTAB " $0}' /etc/fstab
awk '{print "DROPIN " $0}' /etc/systemd/system/ecs.service.d/*
awk '{print "CONFIG " $0}' /etc/ecs/ecs.config
stat -c 'MODE %a %n' /etc/motd
env | sed 's/^/ENV /'
tr '\\0' '\\n' </proc/self/environ | sed 's/^/ENV /'
/.host/usr/bin/sleep 0.2 &
""",
    60,
)


def built(recipe, files=None, **commands):
    """What a builder of the recipe tells on its console, and what came of its boot."""
    outcome = booted(Case(build(recipe), commands, files or {}))
    return read_console(outcome.console, nonce=NONCE), outcome


@pytest.fixture(scope="module")
def whole():
    recipe = replace(EVERYTHING, scripts=(TUNE, SHOW))
    fstab = f"# of the base\nUUID={UUID} / xfs defaults 1 1\nother:/ /efs efs old 0 0\n"
    config = "ECS_LOGLEVEL=info\n# begin awsbatch.dev image\nECS_OLD=1\n# end awsbatch.dev image\n"
    return built(recipe, {"/etc/fstab": fstab, "/etc/ecs/ecs.config": config})


def lines(outcome, beginning):
    found = (line for line in outcome.console.splitlines() if line.startswith(f"{beginning} "))
    return [line.removeprefix(f"{beginning} ").rstrip() for line in found]


def test_a_build_takes_all_its_steps_in_their_order_and_turns_itself_off_after_ok(whole):
    console, outcome = whole
    assert console.verdict is Verdict.OK, outcome.console
    told = [line.split(" STEP ")[1] for line in outcome.console.splitlines() if " STEP " in line]
    assert tuple(told) == STEPS
    assert outcome.calls[-1] == POWEROFF
    assert outcome.failed == ()


def test_the_agent_is_kept_out_until_the_end_and_the_limit_is_set_before_all(whole):
    _, outcome = whole
    limit, mask, stop = outcome.calls[:3]
    assert limit[0] == "systemd-run"
    assert "--on-active=3600s" in limit
    assert mask == ("systemctl", "mask", "--runtime", "ecs.service")
    assert stop == ("systemctl", "--no-block", "stop", "ecs.service")
    unmask = ("systemctl", "unmask", "--runtime", "ecs.service")
    assert outcome.calls.index(unmask) > outcome.calls.index(("dnf", "clean", "all"))


def test_packages_and_images_come_and_a_newer_kernel_does_not(whole):
    _, outcome = whole
    (install,) = (call for call in outcome.calls if "htop" in call)
    assert install[:3] == ("dnf", "-y", "install")
    assert "--exclude=kernel" in install
    assert lines(outcome, "docker pull --quiet") == list(EVERYTHING.container_images)
    assert "grubby --update-kernel=ALL --args=transparent_hugepage=never nosmt nr_cpus=48" in (
        outcome.console
    )


def test_fstab_has_each_mount_once_by_uuid_or_by_the_network(whole):
    _, outcome = whole
    assert lines(outcome, "FSTAB") == [
        "# of the base",
        f"UUID={UUID} / xfs defaults 1 1",
        f"UUID={UUID} /scratch xfs defaults,nofail,x-systemd.growfs 0 2",
        f"fs-0123456789abcdef0:/ /efs efs {EFS_OPTIONS} 0 0",
        f"nfs.example.org:/export/data /data nfs4 {NFS_OPTIONS} 0 0",
    ]
    assert "mkfs.xfs /dev/sdf" in outcome.console
    assert lines(outcome, "mount") == ["-- /scratch"]


def test_the_agent_waits_for_the_mounts(whole):
    _, outcome = whole
    assert lines(outcome, "DROPIN")[1:] == [
        "[Unit]",
        "RequiresMountsFor=/scratch",
        "RequiresMountsFor=/efs",
        "RequiresMountsFor=/data",
    ]


def test_settings_of_the_agent_take_the_place_of_those_of_an_earlier_image(whole):
    _, outcome = whole
    assert lines(outcome, "CONFIG") == [
        "ECS_LOGLEVEL=info",
        "# begin awsbatch.dev image",
        "ECS_IMAGE_PULL_BEHAVIOR=prefer-cached",
        "# end awsbatch.dev image",
    ]
    assert lines(outcome, "MODE") == ["644 /etc/motd"]


def test_a_script_has_the_nonce_in_no_variable_and_its_leftovers_hold_nothing_up(whole):
    _, outcome = whole
    environment = lines(outcome, "ENV")
    assert "HOME=/root" in environment
    assert not any(NONCE in line for line in environment)


def test_what_must_not_be_cloned_is_gone_before_ok():
    left = dict.fromkeys(
        (
            "/var/lib/ecs/data/agent.db",
            "/etc/ssh/ssh_host_ed25519_key",
            "/root/.ssh/authorized_keys",
            "/home/ec2-user/.ssh/authorized_keys",
            "/root/.docker/config.json",
            "/root/.bash_history",
            "/etc/machine-id",
            "/etc/hostname",
            "/var/log/ecs/ecs-agent.log",
            "/var/log/journal/1/system.journal",
            "/var/lib/amazon/ssm/Vault/Store/RegistrationKey",
            "/var/lib/awsbatch/deadline.i-1",
            "/var/lib/cloud/instances/i-1/user-data.txt",
        ),
        "x",
    )
    fstab = "UUID=1 / xfs defaults 1 1\n/dev/xvdb /media/x auto nofail,comment=cloudconfig 0 2\n"
    kept = {"/var/lib/cloud/scripts/per-boot/mine": "x", "/etc/motd": "x"}
    # The last thing that a build does is to turn the host off: then it is looked at.
    look = (
        'case $* in "--no-block poweroff") find ' + " ".join([*left, *kept]) + " -size +0 "
        "2>/dev/null | sed 's/^/LEFT /' >/dev/console; sed 's/^/FSTAB /' /etc/fstab ;; esac"
    )
    console, outcome = built(PLAIN, {**left, **kept, "/etc/fstab": fstab}, systemctl=look)
    assert console.verdict is Verdict.OK, outcome.console
    assert set(lines(outcome, "LEFT")) == set(kept)
    assert lines(outcome, "FSTAB") == ["UUID=1 / xfs defaults 1 1"]


def test_a_restart_in_the_midst_of_a_build_is_told_at_once():
    outcome = booted(Case(build(PLAIN), files={"/var/lib/awsbatch/building.i-1": ""}))
    console = read_console(outcome.console, nonce=NONCE)
    assert (console.verdict, console.step) == (Verdict.FAILED, "restart")
    assert outcome.calls.index(POWEROFF) <= 3  # before anything else of the boot


HOSTILE = "x'; touch /pwned; $(touch /pwned) `touch /pwned`\nEND_OF_CONTENT\ntouch /pwned\n"


def test_hostile_texts_run_nothing_wherever_they_stand():
    recipe = Recipe(
        volumes=(replace(SCRATCH, mount_path=f"/v{HOSTILE}"),),
        mounts=(replace(PRIVATE, mount_path=f"/m{HOSTILE}", options=(HOSTILE,)),),
        packages=(HOSTILE,),
        files=(File(f"/etc/{HOSTILE}/f", "0644", HOSTILE), MOTD),
        scripts=(Script(HOSTILE, "test ! -e /pwned && echo nothing was run\n", 60),),
        kernel_arguments=(HOSTILE,),
        container_images=(HOSTILE,),
        ecs_config={HOSTILE: HOSTILE},
    )
    console, outcome = built(recipe)
    assert console.verdict is Verdict.OK, outcome.console
    assert "nothing was run" in console.tail
