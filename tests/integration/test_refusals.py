"""What `kubectl apply` answers to manifests with usual mistakes, compared with a golden file.

UPDATE_GOLDEN=1 writes it anew; then read every answer as somebody who has never read our docs: does
it say what is wrong, why, and how to mend it?
"""

import json
import os
from pathlib import Path

import pytest
from tests.support import manifests
from tests.support.whole_life import named

pytestmark = pytest.mark.control_plane

GOLDEN = Path(__file__).parent / "golden" / "refused.txt"
QUEUE_ARN = "arn:aws:batch:eu-central-1:111122223333:job-queue/main"
MISTAKES = {
    "a queue by name and by ARN": (
        "BatchJob",
        manifests.job(jobQueueRef={"name": "main", "arn": QUEUE_ARN}),
    ),
    "no queue": ("BatchJob", {"jobDefinitionRef": {"name": "simulate"}}),
    "a misspelt field": ("BatchJob", manifests.job(retryStratgy={"attempts": 2})),
    "an array of one": ("BatchJob", manifests.job(arrayProperties={"size": 1})),
    "a tag of AWS's": ("BatchJob", manifests.job(tags={"aws:team": "climate"})),
    "a timeout of ten seconds": ("BatchJob", manifests.job(timeout={"attemptDurationSeconds": 10})),
    "UNMANAGED with computeResources": (
        "ComputeEnvironment",
        manifests.environment() | {"type": "UNMANAGED"},
    ),
    "MANAGED with unmanagedvCpus": (
        "ComputeEnvironment",
        manifests.environment() | {"unmanagedvCpus": 4},
    ),
    "more at least than at most": ("ComputeEnvironment", manifests.environment(minvCpus=32)),
    "no such type": ("ComputeEnvironment", manifests.environment() | {"type": "MANGED"}),
    "four environments": ("JobQueue", manifests.queue("one", "two", "three", "four")),
    "a word for a number": ("JobQueue", manifests.queue("one", priority="high")),
    "no memory": (
        "JobDefinition",
        {
            "type": "container",
            "containerProperties": {
                "image": "busybox",
                "resourceRequirements": [{"type": "VCPU", "value": "1"}],
            },
        },
    ),
    "a memory with a unit": (
        "BatchJob",
        manifests.job(
            containerOverrides={"resourceRequirements": [{"type": "MEMORY", "value": "2GB"}]}
        ),
    ),
    "a revision in a name": ("BatchJob", manifests.job(jobDefinitionRef={"name": "simulate:1"})),
    "a name for an ARN": ("BatchJob", manifests.job(jobQueueRef={"arn": "main"})),
    "a place for a region": ("AWSAccount", {"region": "frankfurt"}),
    "an image with a scheme": (
        "JobDefinition",
        {
            "type": "container",
            "containerProperties": {
                "image": "https://docker.io/busybox",
                "resourceRequirements": [
                    {"type": "VCPU", "value": "1"},
                    {"type": "MEMORY", "value": "512"},
                ],
            },
        },
    ),
    "a weight of nothing": ("SchedulingPolicy", manifests.policy("0")),
    "an external id without a role": ("AWSAccount", {"externalId": "x1"}),
}


def answer(kubectl, namespace, kind, spec):
    body = json.dumps(named(kind, "mine", spec))
    done = kubectl("apply", f"--namespace={namespace}", "--filename=-", input=body, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    return done.stderr.strip()


def test_usual_mistakes_are_refused_with_an_answer_that_was_reviewed(
    control_plane, crds, namespace
):
    kubectl = control_plane.kubectl
    answers = [
        f"# {what}\n{answer(kubectl, namespace, kind, spec)}\n"
        for what, (kind, spec) in MISTAKES.items()
    ]
    kubectl(
        "apply",
        f"--namespace={namespace}",
        "-f",
        "-",
        input=json.dumps(named("BatchJob", "mine", manifests.job())),
    )
    shown = json.dumps({"status": {"run": 1}})
    merge = ("--subresource=status", "--type=merge", f"--patch={shown}")
    kubectl("patch", f"--namespace={namespace}", "batchjob/mine", *merge)
    changed = answer(kubectl, namespace, "BatchJob", manifests.job(parameters={"year": "2025"}))
    shown = "\n".join([*answers, f"# a change of a job that was submitted\n{changed}\n"])
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(shown, encoding="utf-8")
    assert shown == GOLDEN.read_text(encoding="utf-8")
