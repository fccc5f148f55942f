"""What the console of an instance says about why it has not joined, in one line with a remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.capacity.diagnosis import (
    QUOTED_AT_MOST,
    Subject,
    diagnosis,
    has_sign,
    unreadable,
)

I_1 = Subject(
    instance="i-1", cluster="science_Batch_1", profile="arn:aws:iam::1:instance-profile/ecsRole"
)
REGISTER = (
    'level=error time=2024-03-08T16:33:56Z msg="Unable to register as a container instance with '
    'ECS" error="%s"\n'
)
# The agent's, the SDK's and cloud-init's words as users have quoted them, and what is made of them.
SEEN = {
    "denied": (
        REGISTER % "AccessDeniedException: User: arn:aws:sts::1:assumed-role/ecsRole/i-1 is not "
        "authorized to perform: ecs:RegisterContainerInstance on resource: *",
        "may not do ecs:RegisterContainerInstance: the role of the instance profile ecsRole does",
    ),
    "denied tags": (
        REGISTER % "AccessDeniedException: User: x is not authorized to perform: ecs:TagResource",
        "Grant it, or leave tags out of userData.ecsConfig.",
    ),
    "denied without words": (
        REGISTER % "AccessDeniedException: ",
        "may not do what it needs: the role of the instance profile ecsRole does not allow it.",
    ),
    "cluster": (
        REGISTER % "ClientException: Cluster not found.",
        "ECS does not know the cluster science_Batch_1.",
    ),
    "timeout": (
        REGISTER % 'RequestError: send request failed\\ncaused by: Post \\"https://ecs.eu-west-2.'
        'amazonaws.com/\\": dial tcp 52.195.202.50:443: i/o timeout',
        "cannot reach AWS (\u201cdial tcp 52.195.202.50:443: i/o timeout\u201d). Give",
    ),
    "older timeout": (
        "net/http: request canceled while waiting for connection (Client.Timeout exceeded while",
        "cannot reach AWS (\u201cClient.Timeout exceeded\u201d). Give the subnet a way to ECS",
    ),
    "no credentials": (
        REGISTER % "NoCredentialProviders: no valid providers in chain. Deprecated.",
        "gets no credentials: see that the role of the instance profile ecsRole exists",
    ),
    "saved state": (
        (
            "level=critical time=2021-10-26T16:32Z msg=\"Data mismatch; saved cluster 'baked' does "
            "not match configured cluster 'science_Batch_1'. Perhaps you want to delete the file?\""
        ),
        "saved state of the cluster \u201cbaked\u201d, not of science_Batch_1: the image was",
    ),
    "no agent": (
        "Failed to restart ecs.service: Unit ecs.service not found.\n",
        "the image has no ECS agent that starts (\u201cUnit ecs.service not found\u201d).",
    ),
    "hangs": (
        "systemctl: waiting for ecs, which waits for the end of cloud-init\n",
        "the boot hangs: a script of the user data waits for ecs or docker",
    ),
    "script": (
        "cc_scripts_user.py[WARNING]: Failed to run module scripts-user (scripts in /var/lib)\n",
        "a part of the user data has failed (\u201cFailed to run module scripts-user\u201d).",
    ),
    "another error of the agent": (
        'level=error time=2024-03-08T16:33:56Z msg="Error getting disk" module=agent.go\n',
        'the ECS agent says \u201c"Error getting disk" module=agent.go\u201d. Mend what it names.',
    ),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_words_of_agent_and_boot_become_a_cause_with_a_remedy(name):
    console, expected = SEEN[name]
    text = diagnosis(f"[    0.000000] Linux version 6.1\n{console}login: ", I_1)
    assert text.startswith("i-1: ")
    assert expected in text
    assert has_sign(console)


def test_of_several_signs_the_one_that_explains_the_others_counts():
    failed = SEEN["script"][0] + SEEN["another error of the agent"][0]
    assert "may not do ecs:RegisterContainerInstance" in diagnosis(failed + SEEN["denied"][0], I_1)


def test_a_console_without_a_cause_says_where_to_look():
    for console, seen in (("", "its console is empty"), ("login:", "its console names no cause")):
        text = diagnosis(console, I_1)
        assert text.startswith(f"i-1: {seen}. See that the image has the ECS agent")
        assert "aws ec2 get-console-output --latest --instance-id i-1" in text
        assert not has_sign(console)
    assert unreadable(I_1, "no rights") == "i-1: its console cannot be read: no rights."


@given(st.text(max_size=400), st.sampled_from(sorted(SEEN)))
def test_whatever_else_stands_there_the_text_is_one_short_printable_line(noise, name):
    text = diagnosis(SEEN[name][0][:-1] + noise, I_1)
    assert text.isprintable()
    assert len(text) <= QUOTED_AT_MOST + 400
