"""docs/job-events.md makes the queue that the operator reads."""

import json
import re
from fnmatch import fnmatchcase

import pytest
import yaml
from tests.unit.test_interruption_page import _CloudFormation

from awsbatch_operator.aws import job_events
from awsbatch_operator.aws.capacity_calls import QUEUES
from awsbatch_operator.aws.interruption_queue import queue_of
from awsbatch_operator.telemetry.metrics import PREFIX
from awsbatch_sandbox.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "job-events.md").read_text()


@pytest.fixture(scope="module")
def resources():
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    template = yaml.load(text, _CloudFormation)  # noqa: S506 - it is a safe loader
    return template["Resources"]


def test_the_rules_send_each_kind_of_event_that_is_read(resources):
    rules = [each["Properties"] for each in resources.values() if each["Type"].endswith("Rule")]
    patterns = [each["EventPattern"] for each in rules]
    assert [each["source"] for each in patterns] == [["aws.batch"]] * len(rules)
    sent = {kind for each in patterns for kind in each["detail-type"]}
    assert sent == job_events._BY_DETAIL_TYPE.keys()
    assert {each["Targets"][0]["Arn"] for each in rules} == {"Queue.Arn"}
    for kind in sent:
        assert f"| {kind} |" in PAGE


def test_the_rules_may_send_to_the_queue_and_nobody_else(resources):
    allowed, denied = resources["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert (allowed["Action"], denied["Effect"]) == ("sqs:SendMessage", "Deny")
    [glob] = allowed["Condition"]["ArnLike"].values()
    for each in resources.values():
        if each["Type"].endswith("Rule"):
            assert fnmatchcase(f"rule/{each['Properties']['Name']}", glob.rpartition(":")[2])


def test_the_queue_is_one_that_the_setting_takes_and_the_policies_allow():
    [arn] = re.findall(r"--event-queue=(\S+)", PAGE)
    assert queue_of(arn) is not None
    assert fnmatchcase(arn, QUEUES)
    document = json.loads((REPOSITORY / "deploy/iam/event-queue-policy.json").read_text())
    [statement] = document["Statement"]
    assert statement["Resource"] == [QUEUES]
    assert sorted(statement["Action"]) == ["sqs:DeleteMessage", "sqs:ReceiveMessage"]


def test_the_metrics_and_what_they_count_are_those_that_there_are():
    listed = (REPOSITORY / "docs" / "operations.md").read_text()
    named = re.findall(rf"{PREFIX}_(\w+)", PAGE)
    assert len(named) == 3
    for name in named:
        assert f"`{name}`" in listed
    counted = {*job_events.JobNews, job_events.KNOWN, job_events.CHILD}
    for kind in counted | {job_events.FOREIGN, job_events.UNREADABLE}:
        assert f"`{kind}`" in PAGE
