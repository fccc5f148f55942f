"""Our boothooks, run by a shell: what they write, and that a second boot changes nothing."""

import os
import subprocess
from dataclasses import replace

import pytest
from tests.support.env_files import as_systemd, as_the_agent
from tests.unit.userdata.wishes import END, PLAIN, agent_settings, refused, rendered, with_given

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.userdata import agent


class Host:
    """A folder that stands for the file system of an instance, and recorders for its commands."""

    def __init__(self, root):
        self.root = root
        self.config = root / "etc/ecs/ecs.config"
        self.now = int(END.epoch)
        (root / "bin").mkdir()
        for name in ("systemctl", "systemd-run"):
            self._command(name, f'echo "{name} $*" >>{root}/calls')
        self._command("date", f"cat {root}/now")

    def _command(self, name, does):
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)

    def boot(self, part, instance="i-1"):
        """Run the boothook as cloud-init does; returns the commands that it gave."""
        (self.root / "calls").write_text("")
        (self.root / "now").write_text(f"{self.now}\n")
        text = part.removeprefix("#cloud-boothook\n")
        for folder in ("/etc/ecs", "/var/lib/awsbatch"):
            text = text.replace(folder, f"{self.root}{folder}")
        path = f"{self.root}/bin:{os.environ['PATH']}"
        environ = {"PATH": path, "INSTANCE_ID": instance}
        subprocess.run(["/bin/sh"], input=text, text=True, env=environ, check=True)
        return (self.root / "calls").read_text().splitlines()


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


def test_what_keeps_the_agent_out_is_printed_on_the_console_later(host, tmp_path):
    first, second = host.boot(agent_settings(PLAIN))
    assert "--on-active=90s" in first
    assert "--on-active=240s" in second
    log = tmp_path / "ecs-agent.log"
    log.write_text('level=info msg="Loading"\nlevel=error msg="Unable to register" error="No"\n')
    command = second.partition("/bin/sh -c ")[2].replace("/var/log/ecs", str(tmp_path))
    console = tmp_path / "console"
    command = command.replace("/dev/console", str(console))
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert console.read_text() == 'level=error msg="Unable to register" error="No"\n'


def test_the_agents_settings_are_written_where_no_file_was(host):
    host.boot(agent_settings(PLAIN))
    text = host.config.read_text()
    assert as_the_agent(text) == as_systemd(text) == as_the_agent(agent.block(PLAIN))
    assert oct(host.config.stat().st_mode)[-3:] == "644"


@pytest.mark.parametrize("ending", ["\n", "", "\n\n"])
def test_ours_count_over_what_the_image_brings_which_stays(host, ending):
    host.config.parent.mkdir(parents=True)
    host.config.write_text(f"ECS_CLUSTER=default\nECS_NVIDIA_RUNTIME=nvidia{ending}")
    host.boot(agent_settings(PLAIN))
    found = as_the_agent(host.config.read_text())
    assert found["ECS_CLUSTER"] == PLAIN.cluster
    assert found["ECS_NVIDIA_RUNTIME"] == "nvidia"


def test_every_further_boot_writes_the_same_once(host):
    host.boot(agent_settings(PLAIN))
    first = host.config.read_text()
    host.boot(agent_settings(PLAIN))
    assert host.config.read_text() == first
    host.boot(agent_settings(replace(PLAIN, market="Spot")))
    assert host.config.read_text().count("ECS_CLUSTER=") == 1
    assert as_the_agent(host.config.read_text())["ECS_CONTAINER_STOP_TIMEOUT"] == "100s"


def test_no_text_of_the_users_is_ever_run(host):
    evil = "$(touch pwned)`touch pwned`;touch pwned&'"
    host.boot(agent_settings(with_given(ecs_config=(("ECS_LOGFILE", evil),))))
    assert as_the_agent(host.config.read_text())["ECS_LOGFILE"] == evil
    assert not list(host.root.rglob("pwned"))


def deadline(**end):
    part = rendered(replace(PLAIN, **end)).parts[0]
    assert part.filename == "awsbatch-deadline"
    return part.text


def test_an_instance_powers_off_at_its_end_however_often_it_boots(host):
    for left in (3600, 60):
        host.now = int(END.epoch) - left
        (call,) = host.boot(deadline(ends_at=END))
        assert call.startswith("systemd-run --no-block ")
        assert f" --on-active={left}s --on-calendar=@{int(END.epoch)} " in call
        assert call.endswith(" systemctl --no-block poweroff")


@pytest.mark.parametrize("late", [0, 1, 86_400])
def test_an_instance_that_boots_after_its_end_powers_off_at_once(host, late):
    host.now = int(END.epoch) + late
    assert host.boot(deadline(ends_at=END)) == ["systemctl --no-block poweroff"]


def test_an_end_so_many_seconds_after_the_first_boot_is_not_moved_by_later_ones(host):
    part = deadline(ends_after_seconds=7200)
    assert " --on-active=7200s " in host.boot(part)[0]
    host.now += 7000
    assert " --on-active=200s " in host.boot(part)[0]
    host.now += 200
    assert host.boot(part) == ["systemctl --no-block poweroff"]


def test_an_image_made_of_an_instance_does_not_bring_its_end_along(host):
    part = deadline(ends_after_seconds=7200)
    host.boot(part, instance="i-1")
    host.now += 9000
    assert " --on-active=7200s " in host.boot(part, instance="i-2")[0]


def test_nothing_of_ours_starts_or_awaits_the_agent_or_docker():
    for text in (agent_settings(PLAIN), deadline(ends_at=END), deadline(ends_after_seconds=60)):
        commands = [line for line in text.split("\n") if not line.lstrip().startswith("#")]
        assert not any("docker" in line or "service ecs" in line for line in commands)
        assert all("--no-block" in line for line in commands if "systemctl" in line)


@pytest.mark.parametrize(
    "end",
    [
        {"ends_after_seconds": 0},
        {"ends_after_seconds": -5},
        {"ends_after_seconds": 60, "ends_at": Instant(60)},
    ],
)
def test_an_end_that_cannot_be_meant_is_refused(end):
    assert "has an end" in refused(replace(PLAIN, **end)).problems[0].what
