"""What EC2 announces, from the queue and from polls, as what decides who goes."""

import pytest
from tests.unit.capacity.values import NOW

from awsbatch_operator.aws.notice_events import AnnouncedKind
from awsbatch_operator.capacity.announcements import IMPAIRED_SECONDS, TAKEN_BACK, notices
from awsbatch_operator.capacity.leaving import Notice

IDS = ["i-1", "i-2"]


def request(code, instance="i-1"):
    return {"InstanceId": instance, "Status": {"Code": code}, "State": "active"}


def planned(description="It is retired", instance="i-1"):
    events = [{"Code": "instance-retirement", "Description": description}]
    return {"InstanceId": instance, "Events": events}


def impaired(seconds, check="InstanceStatus", status="failed"):
    detail = {"Name": "reachability", "Status": status}
    detail["ImpairedSince"] = NOW.plus(-seconds).rfc3339()
    return {"InstanceId": "i-1", check: {"Status": "impaired", "Details": [detail]}}


def told(*requests, troubled=(), announced=None, now=NOW):
    return notices(announced or {}, requests, troubled, IDS, now=now)


@pytest.mark.parametrize(
    ("kind", "notice"),
    [
        (AnnouncedKind.INTERRUPTION, Notice.INTERRUPTION),
        (AnnouncedKind.RESERVATION, Notice.INTERRUPTION),
        (AnnouncedKind.MAINTENANCE, Notice.MAINTENANCE),
        (AnnouncedKind.REBALANCE, Notice.REBALANCE),
        (AnnouncedKind.STATE_CHANGE, None),
    ],
)
def test_each_announcement_means_one_thing(kind, notice):
    assert told(announced={"i-1": kind}).get("i-1") is notice


@pytest.mark.parametrize("code", sorted(TAKEN_BACK))
def test_a_spot_request_says_that_its_instance_is_taken_back(code):
    assert told(request(code)) == {"i-1": Notice.INTERRUPTION}


@pytest.mark.parametrize(
    "code",
    ["fulfilled", "instance-terminated-by-user", "request-canceled-and-instance-running", ""],
)
def test_any_other_word_of_a_spot_request_announces_nothing(code):
    assert told(request(code)) == {}
    assert told({"InstanceId": "i-1"}) == {}


def test_a_planned_event_counts_until_it_is_over_or_called_off():
    assert told(troubled=[planned()]) == {"i-1": Notice.MAINTENANCE}
    assert told(troubled=[planned("[Completed] It is retired")]) == {}
    assert told(troubled=[planned("[Canceled] It is retired")]) == {}


@pytest.mark.parametrize("check", ["InstanceStatus", "SystemStatus"])
def test_a_check_counts_when_it_has_failed_for_some_minutes(check):
    assert told(troubled=[impaired(IMPAIRED_SECONDS - 1, check)]) == {}
    assert told(troubled=[impaired(IMPAIRED_SECONDS, check)]) == {"i-1": Notice.MAINTENANCE}
    assert told(troubled=[impaired(9999, check, "initializing")]) == {}
    assert told(troubled=[impaired(9999, check)], now=None) == {}


def test_the_gravest_counts_and_only_of_those_that_are_asked_about():
    every = dict.fromkeys(("i-1", "i-2", "i-3"), AnnouncedKind.REBALANCE)
    found = told(
        request("marked-for-termination", "i-3"),
        request("marked-for-termination", "i-2"),
        announced=every,
        troubled=[planned(), planned(instance="i-2")],
    )
    assert found == {"i-1": Notice.MAINTENANCE, "i-2": Notice.INTERRUPTION}
