"""What is read of the messages of the interruption queue, and what is not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.aws.notice_queue import HEALTH, REBALANCE, RESERVATION, SPOT, STATE, event, i

from awsbatch_operator.aws.interruption_queue import queue_of
from awsbatch_operator.aws.notice_events import AnnouncedKind, announcement_of

KINDS = {
    SPOT: AnnouncedKind.INTERRUPTION,
    RESERVATION: AnnouncedKind.RESERVATION,
    HEALTH: AnnouncedKind.MAINTENANCE,
    REBALANCE: AnnouncedKind.REBALANCE,
    STATE: AnnouncedKind.STATE_CHANGE,
}
HUGE = "x" * 2_000_000


@pytest.mark.parametrize(("detail_type", "kind"), KINDS.items())
def test_each_kind_of_event_is_read(detail_type, kind):
    said = announcement_of(json.dumps(event(detail_type, i(1))))
    assert said is not None
    assert said.kind is kind
    assert said.instances == {i(1)}
    assert (said.account_id, said.region) == ("111122223333", "eu-central-1")


def test_every_kind_has_an_event():
    assert set(KINDS.values()) == set(AnnouncedKind)


def test_a_scheduled_change_may_be_about_many_instances():
    said = announcement_of(json.dumps(event(HEALTH, i(1), "vol-1", i(2))))
    assert said is not None
    assert said.instances == {i(1), i(2)}


@pytest.mark.parametrize(
    "body",
    [
        None,
        7,
        "",
        "no JSON",
        "{",
        "[]",
        "null",
        '"text"',
        "[" * 100_000,
        '{"a":' * 100_000,
        "\ud83d",
        '{"source": "\\ud83d"}',
        f'{{"detail": "{HUGE}"}}',
        json.dumps({}),
        json.dumps(event("EC2 Something New", i(1))),
        json.dumps(event(SPOT, i(1)) | {"source": "evil.ec2"}),
        json.dumps(event(SPOT, i(1)) | {"source": ["aws.ec2"]}),
        json.dumps(event(SPOT, i(1)) | {"account": "1"}),
        json.dumps(event(SPOT, i(1)) | {"account": None}),
        json.dumps(event(SPOT, i(1)) | {"region": "../../x"}),
        json.dumps(event(SPOT, i(1)) | {"detail": None}),
        json.dumps(event(SPOT, i(1)) | {"detail": [i(1)]}),
        json.dumps(event(SPOT)),
        json.dumps(event(SPOT, "i-; rm -rf /")),
        json.dumps(event(SPOT, "i-é123456789")),
        json.dumps(event(SPOT, i(1) + "\n")),
        json.dumps(event(SPOT, **{"instance-id": {"a": 1}})),
        json.dumps(event(SPOT, **{"instance-id": "i-" + "0" * 100_000})),
        json.dumps(event(HEALTH, i(1), service="RDS")),
        json.dumps(event(HEALTH, i(1), eventTypeCategory="issue")),
        json.dumps(event(HEALTH, i(1), statusCode="closed")),
        json.dumps(event(HEALTH, affectedEntities="all")),
        json.dumps(event(HEALTH, affectedEntities=[None, 7, {}, {"entityValue": None}])),
        json.dumps(event(HEALTH, affectedEntities=[{"entityValue": i(1), "status": "RESOLVED"}])),
    ],
    ids=lambda body: str(body)[:50].encode("ascii", "replace").decode(),
)
def test_what_is_no_announcement_is_none(body):
    assert announcement_of(body) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from([i(1), "aws.ec2", SPOT]),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["source", "detail", "detail-type", "account", "region", "instance-id"]
            ),
            inner,
        )
    ),
)


@given(JSON)
def test_nothing_makes_it_fail(value):
    announcement_of(json.dumps(value))


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/q", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", "cn-north-1"),
        ("https://eu-west-1.queue.amazonaws.com/111122223333/q", "eu-west-1"),
        ("https://sqs-fips.us-gov-west-1.amazonaws.com/111122223333/q", "us-gov-west-1"),
        ("https://vpce-0a-1b.sqs.us-east-1.vpce.amazonaws.com/111122223333/q", "us-east-1"),
        ("http://127.0.0.1:4566/111122223333/q", "eu-north-1"),
        ("arn:aws:sqs:ap-south-1:111122223333:q", "ap-south-1"),
    ],
)
def test_a_queue_is_named_by_its_url_or_its_arn(text, region):
    found = queue_of(text, "eu-north-1")
    assert found is not None
    assert (found.name, found.account_id, found.region) == ("q", "111122223333", region)


def test_the_arn_of_a_queue_says_its_url():
    found = [
        queue_of(f"arn:{partition}:sqs:{region}:111122223333:q")
        for partition, region in (("aws", "eu-west-1"), ("aws-cn", "cn-north-1"))
    ]
    assert [each.url for each in found if each] == [
        "https://sqs.eu-west-1.amazonaws.com/111122223333/q",
        "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q",
    ]
    assert queue_of("") is None


@pytest.mark.parametrize(
    "text",
    [
        "q",
        "https://sqs.eu-west-1.amazonaws.com/111122223333/q.fifo",
        "arn:aws:sns:eu-west-1:111122223333:q",
        "https://sqs.eu-west-1.amazonaws.com/1/q",
        "https://sqs.eu-west-1.amazonaws.com/111122223333/q?x=1",
    ],
)
def test_what_names_no_queue_is_refused_with_what_would(text):
    with pytest.raises(ValueError, match="arn:aws:sqs:eu-central-1:111122223333:NAME"):
        queue_of(text, "eu-north-1")


def test_a_queue_must_say_where_it_is():
    with pytest.raises(ValueError, match="Give the queue's ARN"):
        queue_of("http://127.0.0.1:4566/111122223333/q")
