"""docs/interruption.md makes the queue that the operator reads."""

import re
from fnmatch import fnmatchcase

import pytest
import yaml

from awsbatch_operator.aws import notice_events
from awsbatch_operator.aws.capacity_calls import QUEUES
from awsbatch_operator.aws.interruption_queue import queue_of
from awsbatch_operator.aws.notices import KEPT_SECONDS
from awsbatch_operator.telemetry.metrics import PREFIX
from awsbatch_sandbox.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "interruption.md").read_text()


class _CloudFormation(yaml.SafeLoader):
    """YAML with CloudFormation's tags; what they are of stands for what they make."""


_CloudFormation.add_multi_constructor("!", lambda loader, _, node: loader.construct_scalar(node))


@pytest.fixture(scope="module")
def resources():
    [text] = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    template = yaml.load(text, _CloudFormation)  # noqa: S506 - it is a safe loader
    return template["Resources"]


def test_the_rules_send_each_kind_of_event_that_is_read(resources):
    rules = [each["Properties"] for each in resources.values() if each["Type"].endswith("Rule")]
    patterns = [each["EventPattern"] for each in rules]
    sent = {(source, kind) for p in patterns for source in p["source"] for kind in p["detail-type"]}
    assert sent == notice_events._BY_DETAIL_TYPE.keys()
    assert {each["Targets"][0]["Arn"] for each in rules} == {"Queue.Arn"}
    for kind in (kind for _, kind in sent):
        assert f"| {kind} |" in PAGE


def test_the_rules_may_send_to_the_queue_and_nobody_else(resources):
    allowed, denied = resources["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert (allowed["Action"], denied["Effect"]) == ("sqs:SendMessage", "Deny")
    [glob] = allowed["Condition"]["ArnLike"].values()
    for each in resources.values():
        if each["Type"].endswith("Rule"):
            assert fnmatchcase(f"rule/{each['Properties']['Name']}", glob.rpartition(":")[2])


def test_messages_are_kept_for_as_long_as_they_are_of_use(resources):
    assert resources["Queue"]["Properties"]["MessageRetentionPeriod"] == KEPT_SECONDS


def test_the_queue_is_one_that_the_setting_takes_and_the_policy_allows():
    [arn] = re.findall(r"--interruption-queue=(\S+)", PAGE)
    assert queue_of(arn) is not None
    assert fnmatchcase(arn, QUEUES)


def test_the_metrics_are_those_that_there_are():
    listed = (REPOSITORY / "docs" / "operations.md").read_text()
    named = re.findall(rf"{PREFIX}_(\w+)", PAGE)
    assert len(named) == 3
    for name in named:
        assert f"`{name}`" in listed
