"""$Latest and $Default of launch templates: which number is sent and recorded."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.kinds.environments import before, desired, edited, environment_of, managed
from tests.unit.kinds.values import resource

from awsbatch_operator.api.metadata import TEMPLATE_VERSIONS
from awsbatch_operator.kinds.computeenvironment.changes import Change, compare
from awsbatch_operator.kinds.computeenvironment.desired import settled as with_numbers
from awsbatch_operator.kinds.computeenvironment.versions import (
    Pins,
    Templates,
    Use,
    pins_in,
    settled,
    to_look_up,
)

NAME = {"launchTemplateName": "web"}
LATEST, DEFAULT = "name:web:$Latest", "name:web:$Default"
TOLD = Templates({"name:web": {"LatestVersionNumber": 7, "DefaultVersionNumber": 2}})
UNTOLD = Templates()


def spec(version=None, **template):
    given_ = {} if version is None else {"version": version}
    return managed(launchTemplate={**NAME, **given_, **template})


def version_of(content):
    return content["computeResources"]["launchTemplate"].get("version")


@pytest.mark.parametrize(
    ("wanted", "have", "pins", "track", "expected"),
    [
        # Nothing is known yet: EC2 tells.
        ("$Latest", None, Pins(), False, ("7", {LATEST: 7})),
        ("$Default", None, Pins(), False, ("2", {DEFAULT: 2})),
        (None, None, Pins(), False, ("2", {DEFAULT: 2})),
        ("", None, Pins(), False, ("2", {DEFAULT: 2})),
        ("5", None, Pins(), False, ("5", {})),
        # What was recorded stays, whatever AWS has; unless it is followed.
        ("$Latest", "3", Pins({LATEST: 3}), False, ("3", {LATEST: 3})),
        ("$Latest", "4", Pins({LATEST: 3}), False, ("3", {LATEST: 3})),
        ("$Latest", "3", Pins({LATEST: 3}), True, ("7", {LATEST: 7})),
        # All records are lost: AWS has what was resolved.
        ("$Latest", "3", Pins(lost=True), False, ("3", {LATEST: 3})),
        ("$Latest", "3", Pins(lost=True), True, ("7", {LATEST: 7})),
        # An edit from a number to a word.
        ("$Latest", "3", Pins(), False, ("7", {LATEST: 7})),
        # AWS has the same word, from before or from somebody else.
        ("$Latest", "$Latest", Pins(), False, ("$Latest", {})),
        ("$Latest", "$Default", Pins(lost=True), False, ("7", {LATEST: 7})),
        ("$Latest", "$Latest", Pins(), True, ("7", {LATEST: 7})),
        # The word has left the spec.
        ("3", "3", Pins({LATEST: 3}), False, ("3", {})),
    ],
)
def test_a_word_becomes_a_number(wanted, have, pins, track, expected):
    found = settled(spec(wanted), {} if have is None else spec(have), pins, TOLD, track=track)
    assert (version_of(found.content), found.pins.numbers) == expected
    assert found.complete
    assert not found.findings


@pytest.mark.parametrize("track", [True, False])
def test_what_ec2_does_not_tell_leaves_the_template_as_aws_has_it(track):
    found = settled(spec("$Latest"), spec("3"), Pins({LATEST: 3}), UNTOLD, track=track)
    assert version_of(found.content) == "3"
    assert found.complete
    assert bool(found.findings) is track
    other = managed(launchTemplate={"launchTemplateName": "other", "version": "1"})
    found = settled(spec("$Latest"), other, Pins(), UNTOLD, track=track)
    assert found.content["computeResources"]["launchTemplate"]["launchTemplateName"] == "other"
    assert not found.complete
    assert found.findings
    found = settled(spec("$Latest"), managed(), Pins(), UNTOLD, track=track)
    assert "launchTemplate" not in found.content["computeResources"]
    assert not settled(spec("$Latest"), {}, Pins(), UNTOLD, track=track).complete


def test_overrides_are_told_apart_by_template_and_types():
    overrides = [
        {"launchTemplateId": "lt-1", "version": "$Latest", "targetInstanceTypes": ["m7i", "c7i"]},
        {**NAME, "version": "4", "targetInstanceTypes": ["r7i"]},
    ]
    wanted = spec("$Latest", overrides=overrides)
    have = spec("6", overrides=[{**overrides[0], "version": "2"}, overrides[1]])
    have["computeResources"]["launchTemplate"]["overrides"][0]["targetInstanceTypes"].reverse()
    assert to_look_up(wanted, have, Pins(lost=True), track=False) == ()
    assert to_look_up(wanted, have, Pins(), track=False) == ("id:lt-1", "name:web")
    found = settled(wanted, have, Pins(lost=True), UNTOLD, track=False)
    template = found.content["computeResources"]["launchTemplate"]
    assert template["version"] == "6"
    assert [each["version"] for each in template["overrides"]] == ["2", "4"]


@settings(max_examples=20)
@given(
    text=st.one_of(
        st.sampled_from(["", "7", "null", "{", "[]", '{"a": "b"}', "[" * 9000]), st.text()
    )
)
def test_an_edited_record_says_nothing(text):
    of = resource("ComputeEnvironment", annotations={TEMPLATE_VERSIONS: text})
    assert pins_in(of).lost
    assert all(isinstance(number, int) for number in pins_in(of).numbers.values())


@pytest.mark.parametrize(
    ("updatable", "change"), [(True, Change.INFRASTRUCTURE), (False, Change.REPLACEMENT)]
)
def test_a_newer_version_that_is_tracked_takes_the_update_that_aws_can_make(updatable, change):
    template = {"launchTemplate": {**NAME, "version": "3"}}
    aws = environment_of(edited(before("EC2", updatable=updatable), **template))
    observed = replace(aws.observed(), templates=TOLD)
    word = {"launchTemplate": {**NAME, "version": "$Latest"}}
    wanted = edited(before("EC2", updatable=updatable), **word)
    pinned = desired(wanted, annotations={TEMPLATE_VERSIONS: '{"name:web:$Latest":3}'})
    assert compare(with_numbers(pinned, observed), observed).change is Change.NONE
    tracking = with_numbers(desired({**wanted, "launchTemplateVersions": "Track"}), observed)
    found = compare(tracking, observed)
    assert (found.change, found.fields) == (change, ("computeResources.launchTemplate.version",))
    assert tracking.pinned == {TEMPLATE_VERSIONS: '{"name:web:$Latest":7}'}


def test_templates_by_number_are_never_looked_up():
    assert to_look_up(spec("3"), {}, Pins(), track=True) == ()
    assert to_look_up({"type": "UNMANAGED"}, {}, Pins(), track=True) == ()
    assert not Use("name:web", "3").symbolic
