"""What AWS says about its things is the same as long as nothing has changed."""

import copy

import pytest

from awsbatch_operator.aws.answers import steady

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


def test_what_the_user_wrote_stays():
    wanted = {"jobs": [{"container": {"command": [SAID], "environment": [{"value": SAID}]}}]}
    action = {"jobQueues": [{"jobStateTimeLimitActions": [{"reason": SAID}]}]}
    assert steady(copy.deepcopy(wanted)) == wanted
    assert steady(copy.deepcopy(action)) == action
