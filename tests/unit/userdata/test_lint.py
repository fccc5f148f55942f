"""Each rule about a user's texts: something that it refuses, something near that it lets be."""

import pytest
from tests.unit.userdata.wishes import refused, rendered, with_given

from awsbatch_operator.userdata.model import Refused, Rendered
from awsbatch_operator.userdata.render import render

POOL = "spec.capacity.pools[name=main].userData"
FILE = "/etc/ecs/ecs.config"

TOKEN_OF_THE_METADATA_SERVICE = (
    'TOKEN=$(curl -X PUT "http://169.254.169.254/latest/api/token" -H '
    '"X-aws-ec2-metadata-token-ttl-seconds: 21600")\n'
    'curl -H "X-aws-ec2-metadata-token: $TOKEN" http://169.254.169.254/'
)

# What is said of it; something that is refused; something near that is fine.
SCRIPTS = [
    ("line 1 starts ecs", "systemctl start ecs", "systemctl start --no-block ecs"),
    ("line 2 starts docker", "set -e\nsystemctl restart docker.service", "systemctl status docker"),
    ("starts docker", "service docker restart", "service sshd restart"),
    ("starts docker", "sudo -u root systemctl enable --now docker", "systemctl enable docker"),
    ("starts ecs", "start ecs", "start_everything ecs"),
    ("starts ecs", "/sbin/initctl start ecs", "# initctl start ecs"),
    ("starts docker", "/etc/init.d/docker start", "/etc/init.d/docker status"),
    ("starts ecs", "amazon-ecs-init start", "amazon-ecs-init version"),
    ("starts docker", "if true; then systemctl start docker; fi", "echo 'systemctl start docker'"),
    ("starts docker", "a && systemctl reload-or-restart docker", "systemctl reload docker"),
    ("starts docker", "bash -c 'sleep 1; service docker start'", "(service docker start) &"),
    ("starts docker", "x=$(systemctl start docker)", "cat <<E >x\nsystemctl start docker\nE"),
    ("starts docker", "systemctl \\\n  start docker", "nohup sh -c 'systemctl start docker' &"),
    ("keeps ecs from starting", "systemctl disable ecs", "systemctl disable postfix"),
    ("keeps docker from starting", "systemctl mask --now docker", "systemctl unmask docker"),
    ("turns the instance off", "poweroff", "mount /x || poweroff"),
    ("turns the instance off", "shutdown -h now", "shutdown -h +600"),
    ("turns the instance off", "sleep 5; init 0", "if ! mount /x; then init 0; fi"),
    ("turns the instance off", "systemctl poweroff", "trap 'systemctl poweroff' ERR"),
    ("turns the instance off", "shutdown", "shutdown -c"),
    ("turns the instance off", "/sbin/halt -p", "stop() { halt; }"),
    ("line 1 sets ECS_CLUSTER", f"echo ECS_CLUSTER=x >>{FILE}", f". {FILE}; echo $ECS_CLUSTER"),
    ("line 2 sets ECS_CLUSTER", f"cat <<E >>{FILE}\nECS_CLUSTER=x\nE", "# ECS_CLUSTER=x"),
    ("overwrites", f"echo ECS_LOGLEVEL=debug > {FILE}", f"grep x < {FILE}"),
    ("overwrites", f"cat <<E | tee {FILE}\nECS_LOGLEVEL=debug\nE", f"cat {FILE}"),
    ("overwrites", f"mv /tmp/x {FILE}", f"cp {FILE} /tmp/x"),
    ("overwrites", f"rm -f {FILE}", f"ls {FILE}"),
    ("an AWS access key", "export AWS_ACCESS_KEY_ID=AKIAABCDEFGHIJKLMNOP", "export AWS_REGION=x"),
    (
        "an AWS access key",
        'aws configure set aws_secret_access_key "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY0"',
        "key=$(aws ssm get-parameter --name /x --with-decryption)",
    ),
    ("a private key", "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----"),
    (
        "an access token",
        "git clone https://x:ghp_abcdefghij0123456789abcdefghij012345@github.com/a/b",
        TOKEN_OF_THE_METADATA_SERVICE,
    ),
]


@pytest.mark.parametrize(("said", "bad", "good"), SCRIPTS)
def test_a_script_that_harms_is_refused_and_one_that_only_looks_like_it_is_not(said, bad, good):
    problems = refused(with_given(script=f"{bad}\n")).problems
    told = [problem for problem in problems if said in problem.what]
    assert told
    assert all(problem.path == f"{POOL}.script" for problem in told)
    assert all(problem.why and problem.remedy for problem in told)
    rendered(with_given(script=f"{good}\n"))


# cloud-config, and its lines after the first
def merged(steps: int) -> str:
    ten = [", ".join([f"*a{each}"] * 10) for each in range(steps)]
    rest = [f"a{each + 1}: &a{each + 1} {{<<: [{those}]}}\n" for each, those in enumerate(ten)]
    return "a0: &a0 {x: 1}\n" + "".join(rest)


def in_itself(steps: int) -> str:
    """The same, and all of it stands in what is merged first."""
    lines = merged(steps).replace("{<<: [*a0,", "{<<: [*all, *a0,").splitlines()
    return "all: &all\n" + "".join(f"  {line}\n" for line in lines)


CONFIGS = [
    ("runcmd[1] starts docker", "runcmd: [ls, systemctl start docker]", "runcmd: [ls]"),
    ("runcmd[0] starts ecs", "runcmd: [[systemctl, start, ecs]]", "runcmd: [[systemctl, ecs]]"),
    (
        "runcmd[0] starts docker",
        "runcmd: [[sh, -c, 'service docker start']]",
        "runcmd: [[sh, -c, 'systemctl restart --no-block docker']]",
    ),
    ("bootcmd[0] (`reboot`) reboots", "bootcmd: [reboot]", "runcmd: [reboot]"),
    ("turns the instance off", "bootcmd: [shutdown -P +60]", "runcmd: [shutdown -P +60]"),
    (
        "power_state turns",
        "power_state: {mode: poweroff}",
        "power_state: {mode: poweroff, condition: test -f /failed}",
    ),
    ("power_state turns", "power_state: {mode: halt, delay: now}", "power_state: {mode: reboot}"),
    (
        "write_files[0] writes",
        f"write_files: [{{path: {FILE}, content: x}}]",
        "write_files: [{path: /etc/ecs/other, content: x}]",
    ),
    ("sets ECS_CLUSTER", "runcmd: ['export ECS_CLUSTER=x']", "# ECS_CLUSTER=x\nruncmd: [ls]"),
    ("is no valid YAML: line ", "runcmd: [", "runcmd: []"),
    ("is no valid YAML", "- a list", "{}"),
    # libyaml would end the process.
    ("more than 50 deep", "[" * 60_000, f"a: {'[' * 49}{']' * 49}"),
    ("more than 50 deep", "{a: " * 15_000, "{a: {a: {a: 1}}}"),
    # PyYAML would copy what is merged, ten times at each step.
    ("make more than 100000 values", merged(40), merged(3)),
    ("make more than 100000 values", in_itself(40), "a: &a {b: 1, c: {<<: *a}}"),
    ("an AWS access key", "# AKIAABCDEFGHIJKLMNOP\n{}", "# AKIA\n{}"),
]


@pytest.mark.parametrize(("said", "bad", "good"), CONFIGS)
def test_a_cloud_config_that_harms_is_refused_and_one_near_it_is_not(said, bad, good):
    problems = refused(with_given(cloud_config=f"#cloud-config\n{bad}\n")).problems
    assert any(said in problem.what for problem in problems)
    assert {problem.path for problem in problems} == {f"{POOL}.cloudConfig"}
    rendered(with_given(cloud_config=f"#cloud-config\n{good}\n"))


@pytest.mark.parametrize(
    "config",
    [
        "a0: &a0 [x, x]\n"
        + "".join(f"a{each}: &a{each} [*a{each - 1}, *a{each - 1}]\n" for each in range(1, 45))
        + "runcmd: [*a44]\nwrite_files: *a44\n",
        "runcmd: &a [*a]\n",
        "bootcmd:\n- &a [ls, *a]\n",
        "power_state: &a {mode: *a}\n",
    ],
)
def test_aliases_that_stand_for_endless_text_are_not_followed(config):
    made = render(with_given(cloud_config=f"#cloud-config\n{config}"))
    assert isinstance(made, Rendered | Refused)


def test_a_cloud_config_has_to_say_in_its_first_line_that_it_is_one():
    (problem,) = refused(with_given(cloud_config="packages: [htop]\n")).problems
    assert problem.remedy == "Begin the text with a line #cloud-config"


@pytest.mark.parametrize(
    ("bad", "good"),
    [("reboot", "echo reboot"), ("shutdown -P +60", "true || shutdown"), ("init 6", "true")],
)
def test_a_boothook_runs_at_every_boot_and_may_not_end_it(bad, good):
    refused(with_given(script=f"#cloud-boothook\n{bad}\n"))
    rendered(with_given(script=f"#cloud-boothook\n{good}\n"))
    rendered(with_given(script=f"#!/bin/bash\n{bad}\n"))


def test_lines_are_counted_as_the_user_wrote_them():
    hook = "#cloud-boothook\n\n#!/bin/sh\nsystemctl start docker\n"
    assert refused(with_given(script=hook)).problems[0].what.startswith("line 4 starts docker")


def test_what_only_might_be_a_secret_is_warned_of_without_telling_it():
    (warning,) = rendered(with_given(script="export DB_PASSWORD=hunter2000\n")).warnings
    assert warning.startswith(f"{POOL}.script: line 1 looks like a secret")
    assert "hunter2" not in warning
    rendered(with_given(script="echo eyJkZWJ1ZyI6dHJ1ZSwiaG9zdHMiOltdfQ== | base64 -d\n"))


def test_no_message_repeats_a_secret():
    key = "AKIAABCDEFGHIJKLMNOP"
    refusal = refused(with_given(script=f"export A={key}\n", ecs_config=(("ECS_LOGFILE", key),)))
    assert len(refusal.problems) == 2
    assert key not in " ".join(problem.text() for problem in refusal.problems)


def test_appending_to_the_agents_file_is_warned_of():
    (warning,) = rendered(with_given(script=f"echo ECS_LOGLEVEL=debug >> {FILE}\n")).warnings
    assert "ecsConfig" in warning


def test_a_script_in_another_language_is_not_read_as_a_shells():
    python = "#!/usr/bin/env python3\nstart = 'systemctl start docker'\nprint(start)\npoweroff\n"
    rendered(with_given(script=python))
    refused(with_given(script=f"{python}# AKIAABCDEFGHIJKLMNOP\n"))
    refused(with_given(script="#!/usr/bin/env bash\nsystemctl start docker\n"))
