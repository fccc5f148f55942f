"""Job definitions and scheduling policies: plans that come to an end and touch only ours."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.values import NOW, RECORDED, owner, resource, targets

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.api.tags import CONTENT, Ownership
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.jobdefinition.desired import desired_definition
from awsbatch_operator.kinds.jobdefinition.observe import Observed, Revision, whose
from awsbatch_operator.kinds.jobdefinition.plan import (
    Deregister,
    Register,
    plan_definition,
    plan_removal,
)
from awsbatch_operator.kinds.queues import Use
from awsbatch_operator.kinds.schedulingpolicy.desired import desired_policy
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed as ObservedPolicy
from awsbatch_operator.kinds.schedulingpolicy.plan import Update, plan_policy
from awsbatch_operator.kinds.schedulingpolicy.plan import plan_removal as plan_policy_removal
from awsbatch_operator.kinds.tagging import Tag, Untag


def spec(command: str, keep: int | None = None, **changes: Any) -> dict[str, Any]:
    container = {"image": "busybox", "command": [command]}
    kept = {} if keep is None else {"keepRevisions": keep}
    return {"type": "container", "containerProperties": container, **kept, **changes}


class Model:
    """AWS, as far as one definition goes, and what the status shows of it."""

    def __init__(self):
        self.revisions: list[Revision] = []
        self.last = 0
        self.registered: list[str] = []
        self.annotations: dict[str, str] = {}
        self.users: tuple[Any, ...] = ()

    def observed(self):
        newest = sorted(self.revisions, key=lambda revision: -revision.number)
        return Observed(tuple(newest)) if newest else None

    def register(self, tags, content, *, by_us=True):
        self.last += 1
        self.revisions.append(Revision(f"arn:{self.last}", self.last, tags, content))
        if by_us:
            self.registered.append(tags[CONTENT])

    def resource(self, of_spec):
        shown = [
            {"arn": one.arn, "contentHash": one.content_hash, "registeredTime": NOW.rfc3339()}
            for one in self.revisions
            if CONTENT in one.tags
        ]
        status = {"revisions": shown} if shown else {}
        return resource("JobDefinition", of_spec, status=status, annotations=self.annotations)

    def plan(self, of_spec):
        of = self.resource(of_spec)
        wanted = desired_definition(of, targets(users=self.users), owner(of))
        return plan_definition(wanted, self.observed(), NOW.plus(900))

    def apply(self, action):
        match action:
            case Register(request, _):
                content = {
                    k: v for k, v in request.items() if k not in {"jobDefinitionName", "tags"}
                }
                self.register(request["tags"], content)
            case Deregister(arn):
                self.revisions = [one for one in self.revisions if one.arn != arn]
            case Tag(arn, tags):
                self._retag(arn, lambda have: {**have, **tags})
            case Untag(arn, keys):
                self._retag(arn, lambda have: {k: v for k, v in have.items() if k not in keys})

    def _retag(self, arn, change):
        self.revisions = [
            replace(one, tags=change(one.tags)) if one.arn == arn else one for one in self.revisions
        ]

    def converge(self, of_spec):
        for _ in range(9):
            plan = self.plan(of_spec)
            self.annotations = {**self.annotations, **plan.intent}
            for action in plan.actions:
                self.apply(action)
            if not plan.actions and not plan.intent and plan.look_again_seconds is None:
                return
        raise AssertionError("it never comes to an end")


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["one", "two", "three"]),
        st.integers(1, 4),
        st.dictionaries(st.sampled_from("ab"), st.sampled_from("12")),
    ),
    min_size=1,
    max_size=6,
)


@given(edits=EDITS, foreign=st.integers(0, 3))
def test_edits_come_to_an_end_keep_as_many_as_asked_and_touch_nothing_foreign(edits, foreign):
    model = Model()
    for command, keep, tags in edits:
        model.converge(spec(command, keep, tags=tags))
        for _ in range(foreign):
            model.register({"team": "x"}, {}, by_us=False)
        ours = [one for one in model.revisions if CONTENT in one.tags]
        assert 1 <= len(ours) <= keep
        assert any(one.content["containerProperties"]["command"] == [command] for one in ours)
    assert sum("team" in one.tags for one in model.revisions) == foreign * len(edits)


@given(commands=st.lists(st.sampled_from(["one", "two", "three"]), min_size=1, max_size=9))
def test_while_revisions_are_kept_no_content_is_registered_twice(commands):
    model = Model()
    for command in commands:
        model.converge(spec(command, 50))
    assert len(model.registered) == len(set(model.registered)) == len(set(commands))


@given(used=st.sets(st.integers(1, 4)), intent=st.booleans())
def test_a_revision_that_a_job_needs_is_never_deregistered(used, intent):
    model = Model()
    jobs = []
    for number in used:
        body = f'{{"definition":"arn:{number}"}}'
        jobs.append(
            resource("BatchJob", annotations={SUBMISSION: body})
            if intent
            else resource("BatchJob", status={"jobDefinitionArn": f"arn:{number}"})
        )
    model.users = tuple(jobs)
    for command in ("one", "two", "three", "four", "five"):
        model.converge(spec(command, 1))
    assert {one.number for one in model.revisions} == used | {5}


def test_jobs_are_not_asked_for_while_no_revision_has_to_go():
    class Untouchable(tuple):
        __slots__ = ()

        def __iter__(self):
            raise AssertionError("nobody needs to know")

    model = Model()
    model.users = Untouchable()
    model.converge(spec("one", 3))
    model.converge(spec("two", 3))


def test_what_was_registered_a_moment_ago_is_not_registered_again_while_aws_hides_it():
    model = Model()
    model.converge(spec("one"))
    of = model.resource(spec("one"))
    wanted = desired_definition(of, targets(), owner(of))
    plan = plan_definition(wanted, None, NOW.plus(5))
    assert not plan.actions
    assert plan.findings[0].reason is catalogue.AWS_BUSY
    assert plan_definition(wanted, None, NOW.plus(60)).actions


def test_a_hash_of_another_version_is_compared_by_content():
    model = Model()
    model.converge(spec("one"))
    model.apply(Tag("arn:1", {CONTENT: "v0:abc"}))
    assert not model.plan(spec("one")).actions
    assert model.plan(spec("two")).actions


def test_whose_a_name_is_follows_from_all_revisions():
    of = owner(resource("JobDefinition"))
    ours, earlier = of.tags(), {**of.tags(), "awsbatch.dev/owner-uid": "uid-0"}

    def of_tags(*tags):
        found = tuple(Revision(f"arn:{n}", n, each) for n, each in enumerate(tags))
        return whose(Observed(found), of)

    assert of_tags({}, {"team": "x"}) is Ownership.FOREIGN
    assert of_tags({}, earlier) is Ownership.RECREATED
    assert of_tags({}, earlier, ours) is Ownership.OURS


def removal(**options: Any) -> Removal:
    of = resource("JobDefinition")
    return Removal(owner(of), RECORDED, options={"seen": True, "called": NOW} | options)


def test_a_removal_deregisters_ours_and_no_others():
    model = Model()
    model.converge(spec("one"))
    model.register({}, {}, by_us=False)
    plan = plan_removal(removal(), model.observed(), NOW)
    assert plan.actions == (Deregister("arn:1"),)
    model.apply(plan.actions[0])
    assert plan_removal(removal(), model.observed(), NOW).released


# --- scheduling policies ---


def policy(weights: dict[str, str], seconds: int) -> dict[str, Any]:
    shares = [{"shareIdentifier": name, "weightFactor": weight} for name, weight in weights.items()]
    return {"fairsharePolicy": {"shareDecaySeconds": seconds, "shareDistribution": shares}}


def desired_of(of_spec):
    of = resource("SchedulingPolicy", of_spec)
    return desired_policy(of, targets(), owner(of))


def as_aws_returns(content):
    """Weights as floats, shares in AWS's own order."""
    fair = content["fairsharePolicy"]
    shares = [
        {**share, "weightFactor": float(share["weightFactor"])}
        for share in reversed(fair["shareDistribution"])
    ]
    return {"fairsharePolicy": {**fair, "shareDistribution": shares}}


def numbers(weights):
    return {name: float(weight) for name, weight in weights.items()}


WEIGHTS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.sampled_from(["0.5", "1", "1.0", "999.9999", "0.0001"])
)


@given(before=WEIGHTS, after=WEIGHTS, seconds=st.integers(0, 9))
def test_a_policy_is_updated_once_and_then_left_alone(before, after, seconds):
    wanted = desired_of(policy(after, seconds))
    detail = {"arn": "arn:p", "name": "p", "tags": wanted.tags.all}
    have = {**detail, **as_aws_returns(policy(before, 3))}
    plan = plan_policy(wanted, ObservedPolicy(have))
    same = (numbers(before), 3) == (numbers(after), seconds)
    assert len(plan.actions) == (0 if same else 1)
    for action in plan.actions:
        assert isinstance(action, Update)
        assert action.request["arn"] == "arn:p"
        have |= as_aws_returns(action.request)
    fair = have["fairsharePolicy"]
    shares = {
        share["shareIdentifier"]: share["weightFactor"] for share in fair["shareDistribution"]
    }
    assert (shares, fair["shareDecaySeconds"]) == (numbers(after), seconds)
    assert not plan_policy(wanted, ObservedPolicy(have)).actions


@pytest.mark.parametrize("used", [True, False])
def test_a_policy_in_use_is_not_deleted(used):
    detail = {"arn": "arn:p", "name": "p", "tags": {}}
    queues = (Use("q", ""),) if used else ()
    plan = plan_policy_removal(removal(), ObservedPolicy(detail, queues), NOW)
    assert bool(plan.actions) is not used
    assert not plan.released
