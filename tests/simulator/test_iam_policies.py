"""What identity policies mean. Source: IAM user guide, "IAM JSON policy elements", "Policy
evaluation logic"."""

from typing import Any

import pytest

from awsbatch_simulator.iam.policy import Decision, Need, check, judge, statements_of

QUEUE = "arn:aws:batch:eu-central-1:111122223333:job-queue/q"
TAGGED = {"aws:resourcetag/team": "a"}


def decided(
    *statements: dict[str, Any], action: str = "batch:DeleteJobQueue", **context: Any
) -> Decision:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    check(document)
    need = Need(action, QUEUE, context.get("context", {}))
    return judge(statements_of(document), need).decision


def allow(**fields: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "batch:*", "Resource": "*"} | fields


def under(condition: dict[str, Any], effect: str = "Allow") -> Decision:
    return decided(
        allow(Effect=effect, Condition=condition), allow(Effect="Allow", Action="x:y"),
        context=TAGGED,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, True),
        ({"Action": ["ec2:*", "BATCH:delete*"]}, True),
        ({"Action": "batch:DeleteJobQueu?"}, True),
        ({"Action": "batch:Delete"}, False),
        ({"Action": "batch:[DC]eleteJobQueue"}, False),
        ({"Resource": "arn:aws:batch:*:*:job-queue/*"}, True),
        ({"Resource": ["arn:aws:batch:*:*:compute-environment/*"]}, False),
        ({"Resource": QUEUE.upper()}, False),
    ],
)
def test_a_statement_allows_what_its_patterns_are_about(fields, allowed):
    assert (decided(allow(**fields)) is Decision.ALLOWED) == allowed


def test_not_action_and_not_resource_are_about_the_rest():
    rest = {"Effect": "Allow", "NotAction": "ec2:*", "NotResource": "arn:aws:batch:*:*:job/*"}
    assert decided(rest) is Decision.ALLOWED
    assert decided(rest, action="ec2:RunInstances") is Decision.NOT_ALLOWED
    assert decided(rest | {"NotResource": QUEUE}) is Decision.NOT_ALLOWED


def test_a_denial_wins_and_silence_is_none():
    assert decided(allow(), allow(Effect="Deny", Action="batch:Delete*")) is Decision.DENIED
    assert decided(allow(Action="ec2:*")) is Decision.NOT_ALLOWED


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:ResourceTag/team": "a"}}, True),
        ({"StringEquals": {"AWS:ResourceTag/team": ["b", "a"]}}, True),
        ({"StringEquals": {"aws:ResourceTag/team": "b"}}, False),
        ({"StringEquals": {"aws:RequestTag/team": "a"}}, False),
        ({"StringEqualsIfExists": {"aws:RequestTag/team": "a"}}, True),
        ({"StringNotEquals": {"aws:ResourceTag/team": "a"}}, False),
        ({"StringNotEquals": {"aws:RequestTag/team": "a"}}, True),
        ({"StringLike": {"aws:ResourceTag/team": "?"}}, True),
        ({"StringNotLike": {"aws:ResourceTag/team": "?"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:ResourceTag/team": "A"}}, True),
        ({"Null": {"aws:ResourceTag/team": "false"}}, True),
        ({"Null": {"aws:RequestTag/team": True}}, True),
        ({"Null": {"aws:ResourceTag/team": "true"}}, False),
        ({"StringEquals": {"aws:ResourceTag/team": "a", "aws:RequestTag/team": "a"}}, False),
    ],
)
def test_all_conditions_must_hold(condition, holds):
    assert (under(condition) is Decision.ALLOWED) == holds
    assert (under(condition, "Deny") is Decision.DENIED) == holds


def test_a_condition_that_is_not_simulated_never_allows_and_always_denies():
    condition = {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    assert under(condition) is Decision.NOT_ALLOWED
    assert under(condition, "Deny") is Decision.DENIED


@pytest.mark.parametrize(
    "document",
    [
        [], {}, {"Statement": "x"}, {"Statement": [allow(Effect="Maybe")]},
        {"Statement": [{"Effect": "Allow", "Action": "*"}]},
        {"Statement": [allow(NotAction="x")]},
        {"Statement": [allow(Condition={"StringEquals": "x"})]},
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused(document):
    with pytest.raises(ValueError, match=r"polic|Condition"):
        check(document)
