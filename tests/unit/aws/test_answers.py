"""What AWS says about its things is the same as long as nothing has changed."""

import copy

import pytest
from tests.unit.kinds.batchjob.failure_texts import ENDS
from tests.unit.kinds.batchjob.start_texts import STARTS

from awsbatch_operator.api.words import without_request_ids
from awsbatch_operator.aws.answers import WORDS_LIMIT, steady

FAILURES = {**ENDS, **STARTS}

ID = "6c6b1a5f-9d3e-4c55-8c0b-0f2f7b1f3a11"
SAID = f"CLIENT_ERROR - No such group (Service: AutoScaling; Status Code: 400; Request ID: {ID})"
SHOWN = "CLIENT_ERROR - No such group (Service: AutoScaling; Status Code: 400)"
EXITED = "Essential container in task exited"


@pytest.mark.parametrize(
    "listed",
    [
        {"computeEnvironments": [{"statusReason": SAID}]},
        {"jobQueues": [{"statusReason": SAID, "tags": {"reason": EXITED}}]},
        {"jobSummaryList": [{"statusReason": SAID, "container": {"reason": SAID}}]},
        {"jobs": [{"statusReason": SAID, "container": {"exitCode": 1, "reason": SAID}}]},
        {"jobs": [{"attempts": [{"statusReason": SAID, "container": {"reason": SAID}}]}]},
        {"jobs": [{"attempts": [{"taskProperties": [{"containers": [{"reason": SAID}]}]}]}]},
        {"jobs": [{"ecsProperties": {"taskProperties": [{"containers": [{"reason": SAID}]}]}}]},
        {"jobs": [{"eksProperties": {"podProperties": {"initContainers": [{"reason": SAID}]}}}]},
        {"jobs": [{"eksAttempts": [{"statusReason": SAID, "containers": [{"reason": SAID}]}]}]},
        {"failures": [{"reason": SAID}], "clusters": []},
    ],
)
def test_ids_of_requests_are_taken_out_wherever_aws_puts_its_words(listed):
    answer = steady(copy.deepcopy(listed) | {"ResponseMetadata": {"RequestId": ID}})
    assert ID not in str(answer)
    assert str(answer) == str(listed).replace(SAID, SHOWN)


def words(said):
    """The words of an answer, after `steady`."""
    [job] = steady({"jobs": [{"container": {"reason": said}}]})["jobs"]
    return job["container"]["reason"]


def test_secrets_in_what_aws_repeats_are_masked():
    """Docker repeats the command that it could not start, with all that somebody wrote there."""
    said = words(
        "CannotStartContainerError: exec: \"curl -H 'Authorization: Bearer hunter22hunter22'\": "
        "executable file not found; environment DB_PASSWORD=hunter22"
    )
    assert "hunter22" not in said
    assert said.startswith("CannotStartContainerError: exec: ")


@pytest.mark.parametrize("name", FAILURES)
def test_no_text_that_a_diagnosis_goes_by_looks_like_a_secret(name):
    said = FAILURES[name]
    for text in (said.reason, said.status):
        assert words(text) == without_request_ids(text)


def test_a_text_of_any_size_and_with_halves_of_characters_becomes_one_that_can_be_written():
    said = words("no\ud800 " + "x" * 100_000)
    assert len(said) <= WORDS_LIMIT + 1
    assert said.encode().decode() == said


def test_what_the_user_wrote_stays():
    wanted = {"jobs": [{"container": {"command": [SAID], "environment": [{"value": SAID}]}}]}
    action = {"jobQueues": [{"jobStateTimeLimitActions": [{"reason": SAID}]}]}
    assert steady(copy.deepcopy(wanted)) == wanted
    assert steady(copy.deepcopy(action)) == action
