"""CloudWatch Logs: jobs write, users read."""

import itertools

import pytest
from botocore.exceptions import ClientError

from awsbatch_simulator.context import Place
from awsbatch_simulator.logs import store as stores
from awsbatch_simulator.logs.store import LogStore, Stream

GROUP = "/aws/batch/job"
HERE = Place("111122223333", "eu-central-1")


@pytest.fixture
def logs(client):
    return client("logs")


def write(simulator, stream, *lines, start=0):
    events = [(start + number, line) for number, line in enumerate(lines)]
    simulator.world.logs.write(HERE, group=GROUP, stream=stream, events=events)


def messages(answer):
    return [event["message"] for event in answer["events"]]


def test_what_a_job_writes_can_be_read(simulator, logs):
    write(simulator, "sim/default/1", "one", "two <&> \u00e9", start=1000)
    answer = logs.get_log_events(logGroupName=GROUP, logStreamName="sim/default/1")
    assert messages(answer) == ["one", "two <&> \u00e9"]
    assert [event["timestamp"] for event in answer["events"]] == [1000, 1001]


def test_lines_are_sorted_by_their_time(simulator, logs):
    write(simulator, "s", "late", start=2000)
    write(simulator, "s", "early", start=1000)
    assert messages(logs.get_log_events(logGroupName=GROUP, logStreamName="s")) == ["early", "late"]


def test_without_a_token_the_newest_page_comes_and_tokens_lead_both_ways(simulator, logs):
    write(simulator, "s", *"abcdefg")
    where = {"logGroupName": GROUP, "logStreamName": "s", "limit": 3}
    newest = logs.get_log_events(**where)
    assert messages(newest) == ["e", "f", "g"]
    older = logs.get_log_events(**where, nextToken=newest["nextBackwardToken"])
    assert messages(older) == ["b", "c", "d"]
    oldest = logs.get_log_events(**where, nextToken=older["nextBackwardToken"])
    assert messages(oldest) == ["a"]
    assert messages(logs.get_log_events(**where, nextToken=oldest["nextBackwardToken"])) == []
    again = logs.get_log_events(**where, nextToken=older["nextForwardToken"])
    assert messages(again) == ["e", "f", "g"]


def test_at_the_end_the_same_token_comes_back_until_there_is_more(simulator, logs):
    write(simulator, "s", "a", "b")
    where = {"logGroupName": GROUP, "logStreamName": "s", "startFromHead": True}
    first = logs.get_log_events(**where)
    assert messages(first) == ["a", "b"]
    token = first["nextForwardToken"]
    at_end = logs.get_log_events(**where, nextToken=token)
    assert (messages(at_end), at_end["nextForwardToken"]) == ([], token)
    write(simulator, "s", "c", start=10)
    assert messages(logs.get_log_events(**where, nextToken=token)) == ["c"]


def test_events_can_be_chosen_by_time_and_term_over_streams(simulator, logs):
    write(simulator, "a/1", "ERROR disk full", "fine", start=100)
    write(simulator, "b/1", "an ERROR again", start=50)
    answer = logs.filter_log_events(logGroupName=GROUP, filterPattern="ERROR")
    assert messages(answer) == ["an ERROR again", "ERROR disk full"]
    assert answer["events"][0]["logStreamName"] == "b/1"
    prefixed = logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix="a/")
    assert messages(prefixed) == ["ERROR disk full", "fine"]
    assert messages(logs.filter_log_events(logGroupName=GROUP, startTime=60, endTime=101)) == [
        "ERROR disk full"
    ]
    quoted = logs.filter_log_events(logGroupName=GROUP, filterPattern='"disk full"')
    assert messages(quoted) == ["ERROR disk full"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, limit=1)
    assert len(list(itertools.chain(*(messages(page) for page in pages)))) == 3


def test_a_filter_that_is_not_understood_is_refused_not_ignored(simulator, logs):
    write(simulator, "s", "a")
    with pytest.raises(ClientError, match="InvalidParameterException"):
        logs.filter_log_events(logGroupName=GROUP, filterPattern="{ $.level = 1 }")


def test_groups_and_streams_are_made_listed_and_deleted(logs):
    for name in ("/b", "/a/2", "/a/1"):
        logs.create_log_group(logGroupName=name)
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName="/b")
    pages = logs.get_paginator("describe_log_groups").paginate(limit=1)
    assert [page["logGroups"][0]["logGroupName"] for page in pages] == ["/a/1", "/a/2", "/b"]
    found = logs.describe_log_groups(logGroupNamePrefix="/a/")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["/a/1", "/a/2"]
    logs.create_log_stream(logGroupName="/b", logStreamName="s")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName="/b", logStreamName="s")
    logs.put_retention_policy(logGroupName="/b", retentionInDays=7)
    [group] = logs.describe_log_groups(logGroupNamePrefix="/b")["logGroups"]
    assert group["retentionInDays"] == 7
    logs.delete_log_stream(logGroupName="/b", logStreamName="s")
    assert logs.describe_log_streams(logGroupName="/b")["logStreams"] == []
    logs.delete_log_group(logGroupName="/b")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(logGroupName="/b")


def test_streams_are_listed_by_name_or_by_their_last_event(simulator, logs):
    write(simulator, "a", "x", start=300)
    write(simulator, "c", "x", start=100)
    write(simulator, "b", "x", start=200)
    by_name = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    assert [one["logStreamName"] for one in by_name] == ["a", "b", "c"]
    newest = logs.describe_log_streams(
        logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=2
    )
    assert [one["lastEventTimestamp"] for one in newest["logStreams"]] == [300, 200]


def test_an_unknown_group_or_stream_is_said_so(simulator, logs):
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="log group"):
        logs.get_log_events(logGroupName="/none", logStreamName="s")
    write(simulator, "s", "a")
    with pytest.raises(logs.exceptions.ResourceNotFoundException, match="log stream"):
        logs.get_log_events(logGroupName=GROUP, logStreamName="t")


def test_events_put_out_of_order_are_refused(simulator, logs):
    write(simulator, "s", "a")
    events = [{"timestamp": 2, "message": "b"}, {"timestamp": 1, "message": "c"}]
    with pytest.raises(ClientError, match="chronological"):
        logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


def test_no_region_sees_anothers_logs(simulator, session):
    write(simulator, "s", "a")
    elsewhere = session.client("logs", region_name="us-east-1")
    assert elsewhere.describe_log_groups()["logGroups"] == []


def test_a_long_stream_forgets_its_oldest_lines(simulator, logs, monkeypatch):
    monkeypatch.setattr(stores, "STREAM_EVENTS", 3)
    write(simulator, "s", *"abcde")
    where = {"logGroupName": GROUP, "logStreamName": "s", "startFromHead": True}
    assert messages(logs.get_log_events(**where)) == ["c", "d", "e"]


def test_a_full_store_empties_the_stream_that_was_written_to_longest_ago(monkeypatch):
    monkeypatch.setattr(stores, "STORE_BYTES", 300)
    store = LogStore()
    streams = [Stream("g", name, 0) for name in "abc"]
    for stream in streams:
        store.append(stream, [(1, "x" * 80)], now=1)
    assert [len(stream.events) for stream in streams] == [0, 1, 1]
    assert store.size == sum(stream.size for stream in streams) <= 300
