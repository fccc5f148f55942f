"""The scripts of verifiers, really run: what they measure, and what they tell of a difference."""

from dataclasses import replace

import pytest
from tests.component.userdata.guest import GIB, Case, booted, executing, one_after_the_other
from tests.support.env_files import as_the_agent
from tests.unit.userdata.images.recipes import CLUSTER, EFS, EVERYTHING, NONCE, SCRATCH, verify

from awsbatch_operator.userdata.images.console import read_console
from awsbatch_operator.userdata.images.model import Recipe, Verdict

pytestmark = executing
LINE = 'BOOT_IMAGE=x root=UUID=1 quoted="a\\b" transparent_hugepage=never nosmt nr_cpus=48'
CAT = f"""case $1 in
  /proc/cmdline) printf '%s\\n' '{LINE}' ;;
  *) exec /.host/usr/bin/cat "$@" ;;
esac"""
DF = f"""case $* in
  *scratch) printf 'x\\n%s\\n' {499 * GIB} ;;
  *) printf 'x\\n%s\\n' {111 * GIB - (16 << 20)} ;;
esac"""
DOCKER = """case $1 in
  version) echo 25.0.16 ;;
  run) echo "docker $*" ;;
esac"""
SMT = "/sys/devices/system/cpu/smt/active"
ONE = {SMT: "0"}
HOST = {"cat": CAT, "df": DF, "docker": DOCKER, "rpm": "echo 1.106.1", "uname": "echo 6.1.102"}


def test_an_image_that_is_as_asked_is_measured_and_ok_and_its_agent_goes_on():
    run = ("alpine", "sh", "-c", "df -h")
    outcome = booted(Case(verify(EVERYTHING, run), HOST, ONE))
    console = read_console(outcome.console, nonce=NONCE)
    assert console.verdict is Verdict.OK, outcome.console
    assert console.measured == {
        "rootGiB": 111,
        "cpus": 48,
        "kernel": "6.1.102",
        "commandLine": LINE,
        "dockerVersion": "25.0.16",
        "agentVersion": "1.106.1",
        "mounts": ["/scratch", "/efs", "/data"],
        "volumes": {"/scratch": 499},
        "containerImages": 2,
    }
    assert "\ndocker run --rm alpine sh -c df -h\n" in outcome.console
    assert as_the_agent(outcome.config)["ECS_CLUSTER"] == CLUSTER
    assert ("systemctl", "--no-block", "poweroff") not in outcome.calls
    assert outcome.agent_starts


STATE = {"/var/lib/ecs/data/agent.db": "x"}
FAILING_RUN = f'{DOCKER}\n[ "$1" != run ] || {{ echo "no such disk"; exit 5; }}'
DIFFERENCES = {
    "a small root": (
        {"df": f"printf 'x\\n%s\\n' {30 * GIB}"},
        "/ has 30 GiB, not 111; /scratch has 30 GiB, not 500",
    ),
    "no mount": ({"findmnt": '[ "$3" != /efs ]'}, "nothing is mounted at /efs"),
    "kernel arguments": (
        {"cat": CAT.replace("nosmt", "smt").replace("never", "ever")},
        "the kernel was not given transparent_hugepage=never; the kernel was not given nosmt",
    ),
    "too many CPUs": ({"nproc": "echo 96"}, "96 CPUs are online, more than 48"),
    "a missing image": (
        {"docker": '[ "$1" != image ]'},
        f"the container image {EVERYTHING.container_images[0]} is missing; ",
    ),
}
NOT_MOUNTED = Recipe(volumes=(replace(SCRATCH, mount_path=""),), mounts=(EFS,))
CASES = {
    **{name: (EVERYTHING, (), commands, ONE) for name, (commands, _) in DIFFERENCES.items()},
    "two threads of each core": (Recipe(no_smt=True), (), {}, {SMT: "1"}),
    "state of an agent": (Recipe(), (), {}, STATE),
    "a container that fails": (Recipe(), ("alpine", "df"), {"docker": FAILING_RUN}, {}),
    "a volume without a mount": (NOT_MOUNTED, (), {}, {}),
}


@pytest.fixture(scope="module")
def told():
    """What each case tells on its console."""
    cases = [
        Case(verify(recipe, container, nonce=f"n{number}"), HOST | commands, files)
        for number, (recipe, container, commands, files) in enumerate(CASES.values())
    ]
    console = one_after_the_other(cases)
    return {name: read_console(console, nonce=f"n{number}") for number, name in enumerate(CASES)}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_is_told_beside_what_was_measured(told, name):
    found, words = told[name], DIFFERENCES[name][1]
    assert found.verdict is Verdict.FAILED, found
    assert (found.step, found.exit_code) == ("compare", 1)
    assert found.message.startswith(words)
    assert found.measured["kernel"] == "6.1.102"


def test_the_state_of_an_agent_in_the_image_is_told(told):
    words = "the image brings the state of an agent: /var/lib/ecs/data/agent.db"
    assert told["state of an agent"].message == words


def test_a_second_thread_of_each_core_is_told(told):
    words = "more than one thread of each core is online"
    assert told["two threads of each core"].message == words


def test_the_exit_code_of_the_container_decides(told):
    found = told["a container that fails"]
    assert found.verdict is Verdict.FAILED
    assert (found.step, found.exit_code, found.message) == ("container", 5, "no such disk")


def test_a_volume_without_a_mount_and_a_mount_alone_are_verified_as_such(told):
    found = told["a volume without a mount"]
    assert found.verdict is Verdict.OK, found
    assert found.measured["mounts"] == ["/efs"]
