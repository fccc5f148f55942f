"""Whatever somebody writes into our annotations harms that one object at most."""

import json

import pytest
from structlog.testing import capture_logs
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import SPECS

from awsbatch_operator.api import metadata
from awsbatch_operator.api.metadata import GROUP, INSTALLATION, PAUSED, ObjectKey

NO_ANNOTATIONS = {metadata.API_VERSION, metadata.FINALIZER}
OURS = {
    value
    for name, value in vars(metadata).items()
    if name.isupper() and str(value).startswith(f"{GROUP}/")
} - NO_ANNOTATIONS
OBJECTS = {
    **SPECS,
    ObjectKey("BatchJob", "science", "one"): manifests.job(),
    ObjectKey("ExtendedAMI", "science", "disk"): {
        "base": {"family": "AL2023"},
        "rootVolume": {"sizeGiB": 111},
    },
    ObjectKey("AWSAccount", "", "research"): {
        "roleArn": "arn:aws:iam::444455556666:role/batch-operator",
        "region": "eu-central-1",
    },
}
SOUND = ObjectKey("SchedulingPolicy", "other", "sound")
DEEP = "[" * 900 + "]" * 900
NAMES = ("accountId", "region", "awsName", "token", "jobId", "definition", "requestHash", "stage")
VALUES = {
    "no JSON": "{",
    "nothing": "",
    "a number": "7",
    "a list": "[[]]",
    "null": "null",
    "nested without end": "[" * 100_000,
    "values nested deeply": "{" + ",".join(f'"{name}":{DEEP}' for name in NAMES) + "}",
    "half a character": json.dumps({"run": 1, **dict.fromkeys(NAMES, "\ud800")}),
    "numbers beyond all": '{"run":123456789012345678901234567890,"accountId":1e999}',
}


@pytest.mark.parametrize("text", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize(
    "names", [OURS, OURS - {PAUSED, INSTALLATION}], ids=["all", "all that are read at work"]
)
async def test_what_nobody_can_read_ends_nothing_and_fails_no_turn(text, names):
    there = Installation(limited=False)
    with capture_logs() as lines:
        async with there.running():
            for key, spec in OBJECTS.items():
                there.apply(key, spec, annotations=dict.fromkeys(names, text))
            await there.clock.advance(120)
            there.apply(SOUND, manifests.policy())
            await there.until_ready(SOUND)
            for key in OBJECTS:
                there.remove(key)
            await there.clock.advance(600)
    assert [line for line in lines if line["event"].startswith("turn failed")] == []


async def test_what_nobody_can_read_in_annotations_of_objects_at_work_fails_no_turn():
    there = Installation(limited=False)
    with capture_logs() as lines:
        async with there.running():
            for key, spec in OBJECTS.items():
                there.apply(key, spec)
            await there.until_ready(*SPECS)
            for text in VALUES.values():
                for key in OBJECTS:
                    there.kube.annotate(key, **dict.fromkeys(OURS - {PAUSED, INSTALLATION}, text))
                await there.clock.advance(60)
    assert [line for line in lines if line["event"].startswith("turn failed")] == []
