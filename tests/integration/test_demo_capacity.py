"""`make demo-capacity` shows instances come and go, and a block, and leaves nothing behind."""

import re
import signal

import pytest
from tests.simulator.hosts import executing
from tests.support.deadline import wait_until
from tests.support.demos import demo, processes_of

from awsbatch_sandbox.paths import REPOSITORY

pytestmark = [pytest.mark.control_plane, executing]

# In this order, each in a line of the timeline.
MOMENTS = [
    "applied",
    "the environment is VALID, without instances",
    "the job waits in RUNNABLE",
    "launched i-",
    "EC2 runs it",
    "its user data has really run",
    "it has joined the environment's ECS cluster",
    "Batch has placed the job on it",
    "SUCCEEDED",
    "the instance is idle",
    "EC2 ends it",
    "it is gone: back at zero",
]
COMMAND = ["demo-capacity", "--speed", "20"]
KINDS = ["instances", "volumes", "launch templates", "Spot requests", "capacity reservations"]


def shown_in_the_readme():
    """The texts of the timeline that README.md shows, in the pieces around what differs."""
    readme = (REPOSITORY / "README.md").read_text()
    rows = re.findall(r"^ +[0-9.]+ s .*│.*│  (.*)$", readme, re.MULTILINE)
    assert len(rows) == len(MOMENTS)
    return [row.split("…") for row in rows]


def test_it_goes_from_zero_and_back_and_gets_a_block_and_leaves_nothing(tmp_path):
    with demo(tmp_path, *COMMAND) as process:
        printed = process.stderr.read()
        assert process.wait() == 0, printed
    _, _, timeline = printed.partition("The timeline:")
    assert re.search(".*".join(map(re.escape, MOMENTS)), timeline, re.DOTALL), printed
    for pieces in shown_in_the_readme():
        assert re.search(".*".join(map(re.escape, pieces)), timeline), (pieces, printed)
    # The proof that the generated user data ran: what the ECS agent reads is there.
    assert re.search(r"executed \(1 boot\) and has left in it", printed)
    assert re.search(r"^  ECS_CLUSTER=default-own-instances-\w+_Batch_", printed, re.MULTILINE)
    assert "Launched 1 x m6i.large for pool spot." in printed
    # The block: what was decided and why, what it costs and until when, and how sure it is.
    assert re.search(r"by      4 x r5\.large in \S+ until \S+ by Spot", printed)
    assert "not     OnDemandUntilDeadline: r5.large costs 0.1506, above maxPric" in printed
    [(whole, hourly)] = re.findall(r"cost    \$(0\.\d+) for all of it, \$(0\.\d+) an hour", printed)
    assert 0 < float(hourly) <= 4 * 0.03 < float(whole)
    assert "the condition DurationNotGuaranteed" in printed
    for kind in KINDS:
        assert f"    0  {kind}\n" in printed
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_interrupted_while_an_instance_boots_it_leaves_nothing_behind(tmp_path):
    with demo(tmp_path, *COMMAND) as process:
        for line in process.stderr:
            if "launched i-" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 128 + signal.SIGINT
    assert rest.endswith("Interrupted; everything that was started has ended.\n")
    wait_until(lambda: not processes_of(tmp_path), "all processes have ended")
    assert list(tmp_path.iterdir()) == []
