"""The judge of the campaign lets nothing pass but what it has a reason for."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from tests.campaign import oracle
from tests.campaign.admission import BY_KIND
from tests.campaign.expected import NOT_YET, REFUSAL, ROWS
from tests.campaign.ground import DENIED, Sent
from tests.campaign.oracle import Seen
from tests.campaign.picture import Picture, lacks
from tests.campaign.routes import KINDS, Act, Step
from tests.campaign.values import Change, changes

ENVIRONMENT, QUEUE = "ComputeEnvironment", "JobQueue"
ROLE = "arn:aws:iam::111122223333:role"
REFUSED = "UpdateJobQueue: No. Correct the spec, or what it names in AWS."
NO = Sent("UpdateJobQueue", {}, 400, "Error executing request, Exception : No, RequestId: 0a1b2c3d")
IN_VAIN = "AWS cannot change jobQueueType of a queue that exists. Undo the change."


def body(kind: str, spec: Any = None, **true: tuple[str, str]) -> dict[str, Any]:
    said = {"Ready": ("Ready", "AWS is as the spec says.")} | true
    conditions = [
        {
            "type": name,
            "status": "False" if name == "Ready" and true.keys() & {"Stalled"} else "True",
            "reason": reason,
            "message": message,
            "observedGeneration": 1,
        }
        for name, (reason, message) in said.items()
    ]
    status = {"observedGeneration": 1, "conditions": conditions}
    return {"kind": kind, "metadata": {"generation": 1}, "spec": spec or {}, "status": status}


def seen(it: dict[str, Any], *, act: Act = Act.SET, field: str = "priority", **more: Any) -> Seen:
    change = Change(it["kind"], field, "-", {}, {}, None, False, {}, False)  # noqa: FBT003
    picture = more.pop("picture", Picture({}))
    earlier = more.pop("earlier", None)
    step = Step(act, it["spec"])
    return Seen(change, step, it, picture, picture, earlier, frozenset(), {}, **more)


def stalled(kind: str, reason: str, message: str, spec: Any = None) -> dict[str, Any]:
    return body(kind, spec, Stalled=(reason, message))


@pytest.mark.parametrize("act", [Act.CREATE, Act.SET, Act.BACK])
def test_a_valid_spec_that_aws_refuses_is_a_fault_unless_a_row_expects_it(act):
    refused = stalled(QUEUE, "InvalidRequest", REFUSED)
    assert list(oracle.faults(seen(refused, act=act, refusals=(NO,))))
    other = stalled(QUEUE, "ReplacementNeeded", IN_VAIN)
    assert list(oracle.faults(seen(other, act=act)))
    assert not list(oracle.faults(seen(other, act=act, field="jobQueueType")))


def test_a_mistake_may_be_refused_but_not_by_words_that_aws_has_never_said():
    refused = stalled(QUEUE, "InvalidRequest", REFUSED)
    assert not list(oracle.faults(seen(refused, act=Act.MISTAKE, refusals=(NO,))))
    assert list(oracle.faults(seen(refused, act=Act.MISTAKE)))
    denied = stalled(QUEUE, "PermissionDenied", "AWS refuses it. Grant it.")
    assert list(oracle.faults(seen(denied, act=Act.MISTAKE, refusals=(NO,))))
    answer = Sent("UpdateJobQueue", {}, DENIED, "-")
    assert not list(oracle.faults(seen(denied, act=Act.MISTAKE, refusals=(answer,))))
    invalid = stalled(ENVIRONMENT, "EnvironmentInvalid", "AWS says INVALID: no. Mend it.")
    valid, broken = Picture({}, status="VALID"), Picture({}, status="INVALID")
    assert list(oracle.faults(seen(invalid, act=Act.MISTAKE, picture=valid)))
    assert not list(oracle.faults(seen(invalid, act=Act.MISTAKE, picture=broken)))


def test_what_the_campaign_lets_aws_refuse_is_told_in_its_words():
    told = stalled(QUEUE, "InvalidRequest", f"UpdateJobQueue: {REFUSAL} Correct the spec.")
    answer = Sent("UpdateJobQueue", {}, 400, REFUSAL)
    assert not list(oracle.faults(seen(told, act=Act.REFUSED, refusals=(answer,))))
    other = stalled(QUEUE, "InvalidRequest", REFUSED)
    assert list(oracle.faults(seen(other, act=Act.REFUSED, refusals=(NO,))))


def test_a_field_that_is_not_honoured_yet_has_to_be_in_the_spec(monkeypatch):
    monkeypatch.setitem(NOT_YET, QUEUE, frozenset({"maxInFlight"}))
    told = "spec.maxInFlight is not honoured. Remove it."
    with_field = stalled(QUEUE, "NotSupportedYet", told, {"maxInFlight": 5})
    assert not list(oracle.faults(seen(with_field)))
    assert list(oracle.faults(seen(stalled(QUEUE, "NotSupportedYet", told))))


LEFT = "The spec says nothing of {} any more; AWS keeps what it has."
TAGS = "computeResources.capacityTags"
PROVIDER = "computeResources.managedInstancesProvider"


def holding(path: str, value: Any) -> dict[str, Any]:
    """A content with the value there, and something else beside it all the way."""
    name, _, rest = path.partition(".")
    return {"type": "EC2", name: holding(rest, value) if rest else value}


@pytest.mark.parametrize(
    ("field", "told", "passes"),
    [
        (TAGS, LEFT.format(TAGS), True),
        (TAGS, LEFT.format(f"also {TAGS}"), False),  # ends with the field's name, and is another
        (TAGS, "", False),
        (f"{PROVIDER}.infrastructureRoleArn", None, True),
        (f"{PROVIDER}.propagateTags", None, False),  # of which NONE is AWS's default
        ("computeResources.maxvCpus", LEFT.format("computeResources.maxvCpus"), False),
    ],
)
def test_only_a_field_that_aws_cannot_take_back_may_stay_and_only_if_it_is_named(
    field, told, passes
):
    now, before = Picture(holding(field, {"a": "b"})), Picture(holding(field, None))
    told = LEFT.format(field) if told is None else told
    it = body(ENVIRONMENT, Ready=("Ready", f"AWS is as the spec says. {told}".strip()))
    verdict = seen(it).verdict
    found = list(oracle.faults(seen(it, act=Act.BACK, picture=now, earlier=(before, verdict))))
    assert (found == []) is passes


@pytest.mark.parametrize(
    ("kind", "wanted", "have", "same"),
    [
        (ENVIRONMENT, {"serviceRole": "ours"}, {"serviceRole": f"{ROLE}/ours"}, True),
        (ENVIRONMENT, {"serviceRole": "ours"}, {"serviceRole": f"{ROLE}/of/ours"}, False),
        (ENVIRONMENT, {"serviceRole": "Ours"}, {"serviceRole": f"{ROLE}/ours"}, False),
        (ENVIRONMENT, {"state": "disabled"}, {"state": "DISABLED"}, False),
        (
            ENVIRONMENT,
            {"computeResources": {"ec2KeyPair": "key"}},
            {"computeResources": {"ec2KeyPair": "their/key"}},
            False,
        ),
        (
            ENVIRONMENT,
            {"computeResources": {"launchTemplate": {"version": "$Latest"}}},
            {"computeResources": {"launchTemplate": {"version": "1"}}},
            False,
        ),
        (
            "JobDefinition",
            {"retryStrategy": {"evaluateOnExit": [{"action": "RETRY"}]}},
            {"retryStrategy": {"evaluateOnExit": [{"action": "retry"}]}},
            True,
        ),
        (
            "JobDefinition",
            {"retryStrategy": {"evaluateOnExit": [{"onReason": "Host"}]}},
            {"retryStrategy": {"evaluateOnExit": [{"onReason": "host"}]}},
            False,
        ),
        (
            "JobDefinition",
            {"containerProperties": {"resourceRequirements": [{"type": "VCPU", "value": "2"}]}},
            {"containerProperties": {"resourceRequirements": [{"type": "VCPU", "value": "2.0"}]}},
            True,
        ),
        (
            "JobDefinition",
            {"parameters": {"size": "2"}},
            {"parameters": {"size": "2.0"}},
            False,
        ),
    ],
)
def test_two_texts_are_the_same_only_where_aws_writes_them_in_another_way(kind, wanted, have, same):
    assert (lacks(kind, wanted, have, {}) == []) is same


def test_every_row_is_about_a_field_that_the_campaign_changes():
    changed = {(change.kind, change.field) for kind in KINDS for change in changes(kind)}
    unused = [
        row
        for row in ROWS
        if not any(row.kind == kind and fnmatchcase(field, row.field) for kind, field in changed)
    ]
    assert not unused


def test_what_is_not_honoured_yet_is_what_the_operator_says_of_itself():
    told = {kind: {each.path for each in BY_KIND[kind].not_yet} for kind in NOT_YET}
    assert told == {kind: set(fields) for kind, fields in NOT_YET.items()}
