"""What a person sees who has never read our docs: kubectl's output, compared with golden files.

UPDATE_GOLDEN=1 writes them anew; then read the difference as that person would.
"""

import os
import re
from pathlib import Path

import pytest
from tests.support import quickstart
from tests.support.cluster import is_over, is_ready, is_stalled, shows
from tests.support.site import PATIENT, opened
from tests.support.whole_life import named

from awsbatch_sandbox import installation
from awsbatch_sandbox.controlplane import ControlPlane

GOLDEN = Path(__file__).parent / "golden"
NAMESPACE = "default"

# What differs from run to run, and what stands there instead.
_CHANGING = (
    (re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<time>"),
    (re.compile(r"(?<=v2:)[0-9a-f]{32}\b"), "<hash>"),
    (re.compile(r"(?<![\w])[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"(?<=[\w-]-)(?:[0-9a-f]{16}|[0-9a-f]{8})(?![0-9a-f-])"), "<hash>"),
    (re.compile(r"\bi-[0-9a-f]{17}\b"), "i-<id>"),
    (re.compile(r"(?<=Resource Version: )\s+\d+"), " <version>"),
    (re.compile(r"(?<=Desired:)\s+\d+|(?<=ENABLED)\s+\d+(?=\s+16)"), "  <vCPUs>"),
    (re.compile(r"(?<=after )\d+(?= s)"), "<seconds>"),
    (re.compile(r"(?<=\s)(?:\d+[smhd])+(?: \(x\d+ over (?:\d+[smhd])+\))?(?=\s|$)"), "<age>"),
)


def normalised(text: str) -> str:
    """The text with what changes replaced, and columns two spaces apart."""
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    lines = []
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip(" "))
        lines.append(line[:indent] + re.sub(r" {2,}", "  ", line[indent:]).rstrip())
    return "\n".join(_with_events_in_order(lines)) + "\n"


def _with_events_in_order(lines: list[str]) -> list[str]:
    """Events of the same second come in any order."""
    if "Events:" not in lines:
        return lines
    first = lines.index("Events:") + 3
    return [*lines[:first], *sorted(lines[first:])]


ONE = {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "disk-report"}}
OTHERS = (
    named(
        "AWSAccount", "research", {"region": "eu-central-1", "allowedNamespaces": {"names": ["a"]}}
    ),
    named("SchedulingPolicy", "fair", {"fairsharePolicy": {"shareDecaySeconds": 600}}),
    named("BatchJob", "out-of-memory", ONE),
    named("BatchJob", "waits", {**ONE, "jobQueueRef": {"name": "mian"}}),
    named("BatchJob", "refused", {**ONE, "shareIdentifier": "team"}),
    named("BatchJob", "sweep", {**ONE, "arrayProperties": {"size": 3}}),
    named("BatchJob", "held", {**ONE, "suspend": True}),
    named("BatchJob", "after-held", {**ONE, "dependsOn": [{"jobRef": {"name": "held"}}]}),
)


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory):
    """kubectl on a cluster of its own, in which the quickstart and some trouble have happened."""
    directory = tmp_path_factory.mktemp("golden")
    with ControlPlane(directory / "plane", controllers=True) as plane:
        installation.install_crds(plane.kubectl)
        with opened(plane, directory / "site") as site:
            site.script(durationSeconds=0.2, output=["the disk is as above"])
            site.script(
                jobName="out-of-memory-*",
                durationSeconds=0.2,
                exitCode=137,
                reason="OutOfMemoryError: Container killed due to memory usage",
            )
            site.script(jobName="sweep-*", indexes=[1], durationSeconds=0.2, exitCode=3)
            site.start(**PATIENT)
            with site.cluster(NAMESPACE) as cluster:
                cluster.apply(*quickstart.bodies(), *OTHERS)
                cluster.wait(*quickstart.JOB, is_over, "is over")
                cluster.wait("BatchJob", "out-of-memory", is_over, "is over")
                cluster.wait("BatchJob", "waits", shows("ReferenceNotFound"), "says so")
                cluster.wait("BatchJob", "refused", is_stalled, "is Stalled")
                cluster.wait("SchedulingPolicy", "fair", is_ready, "is Ready")
                cluster.wait("AWSAccount", "research", is_ready, "is Ready")
                cluster.wait("BatchJob", "sweep", is_over, "is over")
                cluster.wait("BatchJob", "held", shows("Suspended"), "is held")
                cluster.wait("BatchJob", "after-held", shows("WaitingForJob"), "says so")
                yield plane.kubectl


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("get", "get awsbatch -A"),
        ("describe-awsaccount", "describe awsaccount research"),
        ("describe-computeenvironment", "describe computeenvironment on-demand"),
        ("describe-jobqueue", "describe jobqueue main"),
        ("describe-jobdefinition", "describe jobdefinition disk-report"),
        ("describe-schedulingpolicy", "describe schedulingpolicy fair"),
        ("describe-batchjob", "describe batchjob first-run"),
        ("describe-batchjob-failed", "describe batchjob out-of-memory"),
        ("describe-batchjob-waiting", "describe batchjob waits"),
        ("describe-batchjob-stalled", "describe batchjob refused"),
        ("describe-batchjob-array", "describe batchjob sweep"),
        ("describe-batchjob-held", "describe batchjob held"),
        ("describe-batchjob-after-held", "describe batchjob after-held"),
        ("wait", "wait --for=condition=complete batchjob/first-run --timeout=10s"),
        ("explain", "explain batchjob.spec --recursive"),
    ],
)
def test_the_output_is_as_it_was_reviewed(kubectl, name, words):
    shown = f"$ kubectl {words}\n{normalised(kubectl(*words.split()).stdout)}"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
