"""Kind x reference x state of the target: a reference resolves only to what is proven the target's.

By the specs of the kinds that refer to others; whoever makes a new kind of reference adds it here.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.values import ACCOUNT, NOW, RECORDED, REGION, at_home, ready, resource

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.metadata import RESOLVED, Resource
from awsbatch_operator.api.references import _KINDS, Need, Reference, arn_targets, in_aws
from awsbatch_operator.kinds import gates
from awsbatch_operator.kinds.batchjob.resolving import needed_references as of_a_job
from awsbatch_operator.kinds.lasting import needed_references
from awsbatch_operator.kinds.scope_record import annotation

ENVIRONMENT = {"order": 1, "computeEnvironmentRef": {"name": "target"}}
OTHER_ENVIRONMENT = {"order": 1, "computeEnvironmentRef": {"name": "own"}}
# (kind that refers, its spec, kind of the target)
REFERRING: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("JobQueue", {"computeEnvironmentOrder": [ENVIRONMENT]}, "ComputeEnvironment"),
    (
        "JobQueue",
        {
            "computeEnvironmentOrder": [OTHER_ENVIRONMENT],
            "schedulingPolicyRef": {"name": "target"},
        },
        "SchedulingPolicy",
    ),
    (
        "BatchJob",
        {"jobQueueRef": {"name": "target"}, "jobDefinitionRef": {"arn": "arn:1"}},
        "JobQueue",
    ),
    (
        "BatchJob",
        {"jobQueueRef": {"arn": "arn:1"}, "jobDefinitionRef": {"name": "target"}},
        "JobDefinition",
    ),
)
# Of these nothing refers to a thing in AWS by the target's ARN: the account is a gate of its own,
# machine images have no kind yet, and jobs are known by their id.
ELSEWHERE = {"AWSAccount", "ExtendedAMI", "BatchJob"}

ANOTHERS = "another-teams"


def missing(_: Resource) -> None:
    return None


def just_created(target: Resource) -> Resource:
    return replace(target, finalizers=())


def standing(target: Resource) -> Resource:
    return ready(at_home(target))


def not_ready(target: Resource) -> Resource:
    return at_home(target)


def edited(target: Resource) -> Resource:
    return replace(standing(target), generation=2)


def going(target: Resource) -> Resource:
    return replace(standing(target), deleting=True)


def claim(target: Resource) -> Resource:
    """Stalled AlreadyExists from the start: recorded nowhere, with no ARN."""
    return replace(target, status={"conditions": [_stalled()]}, finalizers=())


def claim_that_shows_the_arn(target: Resource) -> Resource:
    """As an earlier version left it: Stalled, and with the ARN of what it does not have."""
    found = at_home(target)
    return replace(found, status={**found.status, "conditions": [_stalled()]}, annotations={})


def lost_to_another(target: Resource) -> Resource:
    """It had its own once: its record stands, its ARN has been taken back."""
    found = at_home(target)
    status = {name: value for name, value in found.status.items() if name != "arn"}
    return replace(found, status={**status, "conditions": [_stalled()]})


def forged_arn(target: Resource) -> Resource:
    """Somebody who can write the status has written another's ARN into it."""
    found = standing(target)
    own = str(found.status["awsName"])
    return replace(
        found, status={**found.status, "arn": found.status["arn"].replace(own, ANOTHERS)}
    )


def forged_record(target: Resource) -> Resource:
    """Somebody who can write annotations has written another's name into the record."""
    recorded = replace(RECORDED, aws_name=ANOTHERS)
    return replace(standing(target), annotations=annotation(recorded, NOW))


def unreadable(target: Resource) -> Resource:
    return replace(standing(target), annotations={RESOLVED: "{"})


def _stalled() -> dict[str, Any]:
    return {"type": "Stalled", "status": "True", "reason": "AlreadyExists", "message": ""}


State = Callable[[Resource], Resource | None]
NEVER = frozenset[Need]()
# What each state is enough for.
STATES: Mapping[State, frozenset[Need]] = {
    missing: NEVER,
    just_created: NEVER,
    standing: frozenset({Need.READY, Need.STANDING, Need.IN_AWS}),
    not_ready: frozenset({Need.STANDING, Need.IN_AWS}),
    edited: frozenset({Need.STANDING, Need.IN_AWS}),
    going: frozenset({Need.IN_AWS}),
    claim: NEVER,
    claim_that_shows_the_arn: NEVER,
    lost_to_another: NEVER,
    forged_arn: NEVER,
    forged_record: NEVER,
    unreadable: NEVER,
}
TABLE = tuple(
    (referring, state, need)
    for referring, state in itertools.product(REFERRING, STATES)
    for need in (
        (Need.READY, Need.IN_AWS) if referring[0] == "BatchJob" else (Need.STANDING, Need.IN_AWS)
    )
)


def name_of(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{value[0]}-{value[2]}"
    return value.value if isinstance(value, Need) else value.__name__


def reference_to(kind: str, spec: Mapping[str, Any], target: str, need: Need) -> Reference:
    """The reference as the kind itself asks for it: of something new, or of what stands."""
    standing_already = need is Need.IN_AWS
    of = resource(kind, dict(spec), status={"arn": "arn:own"} if standing_already else {})
    wanted = of_a_job(of) if kind == "BatchJob" else needed_references(of)
    (found,) = [
        each for each in wanted if each.target.kind == target and each.target.name == "target"
    ]
    return found


@pytest.mark.parametrize(("referring", "state", "need"), TABLE, ids=name_of)
def test_a_reference_resolves_only_as_far_as_its_target_is_proven(referring, state, need):
    kind, spec, target_kind = referring
    reference = reference_to(kind, spec, target_kind, need)
    if kind == "BatchJob":
        assert reference.need is Need.READY  # until a submission is recorded
    else:
        assert reference.need is need
    target = state(resource(target_kind, name="target"))
    found, findings = gates.targets([reference], lambda _: target)
    if reference.need in STATES[state]:
        assert findings == ()
        arn = found[reference.target].status["arn"]
        assert arn.startswith(f"arn:aws:batch:{REGION}:{ACCOUNT}:")
        assert ANOTHERS not in arn
        return
    (finding,) = findings
    expected = catalogue.REFERENCE_NOT_FOUND if state is missing else catalogue.REFERENCE_NOT_READY
    assert finding.reason is expected
    assert finding.message.startswith(f"{reference.path}: {target_kind} science/target ")


@pytest.mark.parametrize("need", [Need.OPTIONAL, Need.OWN])
@pytest.mark.parametrize("state", STATES, ids=name_of)
def test_what_nothing_waits_for_is_found_only_if_it_is_proven_too(state, need):
    """A job whose submission is recorded goes on without its queue, and never to another's."""
    reference = Reference("spec.jobQueueRef", resource("JobQueue", name="target").key, need)
    target = state(resource("JobQueue", name="target"))
    found, findings = gates.targets([reference], lambda _: target)
    assert findings == ()
    assert bool(found) is (Need.IN_AWS in STATES[state])


def test_every_kind_that_a_spec_can_refer_to_is_in_the_table():
    assert {target for _, _, target in REFERRING} | ELSEWHERE == set(_KINDS.values())


def test_the_account_is_no_target_of_this_gate():
    account = Reference("spec.accountRef", resource("AWSAccount").key)
    assert gates.targets([account], lambda _: None) == ({}, ())


def named_by_arn(field: str, kind: str) -> Mapping[str, Any]:
    """A spec that names a thing of that kind in AWS under the field."""
    reference = {field: {"arn": at_home(resource(kind, name="target")).status["arn"]}}
    if field == "computeEnvironmentRef":
        return {"computeEnvironmentOrder": [{"order": 1, **reference}]}
    return reference


@pytest.mark.parametrize(
    ("field", "kind"), [pair for pair in _KINDS.items() if pair[1] not in ELSEWHERE]
)
def test_who_names_a_thing_in_aws_by_its_arn_is_known_as_a_user_of_whose_it_is(field, kind):
    user = resource("Any", dict(named_by_arn(field, kind)))
    recorded = in_aws(ACCOUNT, REGION, kind, "science-target-1")
    assert arn_targets(user) == (recorded,)


@pytest.mark.parametrize("order", [None, 7, "x", [7, None], [{}], [{"computeEnvironmentRef": 7}]])
def test_a_spec_that_is_not_sound_names_nothing(order):
    spec = {"computeEnvironmentOrder": order, "schedulingPolicyRef": "x", "jobQueueRef": {"arn": 7}}
    assert arn_targets(resource("JobQueue", spec)) == ()
