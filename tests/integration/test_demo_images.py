"""`make demo-ami` shows an image built, tried, used and removed, and leaves nothing behind."""

import re
import signal

import pytest
from tests.simulator.hosts import executing
from tests.support.deadline import wait_until
from tests.support.demos import demo, processes_of

from awsbatch_sandbox.paths import REPOSITORY

pytestmark = [pytest.mark.control_plane, pytest.mark.timeout(240), executing]

# In this order, each in a line of its own.
MOMENTS = [
    "extendedami.awsbatch.dev/large-disk created",
    "an image has to be made, because of mounts",
    "launched i-",
    "status.build.stage: Imaging",
    ": the boot test of the new image",
    "has passed its boot test and is in use",
    "batchjob/show-disk: SUCCEEDED",
    "What the boot test has measured",
    "mounts         /efs",
    "rootGiB        111",
    "What the job printed on an instance of it",
]
COMMAND = ["demo-ami"]


def shown_in_the_readme():
    """The lines that README.md shows, in the pieces around what differs."""
    readme = (REPOSITORY / "README.md").read_text()
    section = readme.partition("\n## A machine image of your own")[2].partition("\n## ")[0]
    lines = re.findall(r"^ +[0-9.]+ s  (.*)$", section, re.MULTILINE)
    assert len(lines) == 9
    return [line.split("…") for line in lines]


def test_an_image_is_built_tried_used_by_a_job_that_sees_its_disk_and_removed(tmp_path):
    with demo(tmp_path, *COMMAND) as process:
        printed = process.stderr.read()
        assert process.wait() == 0, printed
    assert re.search(".*".join(map(re.escape, MOMENTS)), printed, re.DOTALL), printed
    for pieces in shown_in_the_readme():
        assert re.search(".*".join(map(re.escape, pieces)), printed), (pieces, printed)
    assert re.search(r"^  .*\b111G\b.* /$", printed, re.MULTILINE), printed
    for kind in ("instances", "volumes", "images", "snapshots"):
        assert f"    0  {kind}\n" in printed, printed
    assert processes_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_interrupted_while_the_builder_works_it_leaves_nothing_behind(tmp_path):
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
