"""Drift: put right within five minutes, or only told, for all that can be changed in AWS."""

from functools import partial
from typing import Any

import pytest
from tests.support import manifests
from tests.support.drifts import (
    DRIFTS,
    TAGGED,
    arn_of,
    changed_queue,
    other_revision,
    other_shares,
    started,
)
from tests.support.installation import Installation
from tests.support.made_elsewhere import described
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.kinds.computeenvironment.members import (
    _IN_PLACE_ON_FARGATE,
    VERBS,
    Verb,
)
from awsbatch_operator.kinds.jobqueue.plan import _CHANGEABLE

FIVE_MINUTES = 300


def content(there):
    """What AWS has, but for what only AWS says, and for revisions beside the newest one."""
    things = described(there)
    revisions = sorted(name for name in things if name.startswith("JobDefinition"))
    for older in revisions[:-1]:
        del things[older]
    things["JobDefinition"] = things.pop(revisions[-1])
    for each in things.values():
        resources = each.get("computeResources", {})
        resources.pop("desiredvCpus", None)  # Batch owns it
        for entry in resources.get("ec2Configuration", ()):
            entry.pop("batchImageStatus", None)  # of the instances that it has launched
        for member in ("revision", "jobDefinitionArn", "statusReason", "status"):
            each.pop(member, None)
    return things


async def test_whatever_somebody_changes_is_put_right_within_five_minutes():
    """One after the other: each is seen by the shared feed, or it is not."""
    there = Installation()
    async with there.running():
        await started(there)
        before = content(there)
        for what, (key, drift, _) in DRIFTS.items():
            told, updated = (len(notes(there, key, word)) for word in ("DriftRepaired", "Updated"))
            drift(there)
            took = await there.clock.run_until(
                partial(told_more, there, key, "DriftRepaired", told), within=FIVE_MINUTES
            )
            await there.until_ready(key, within=FIVE_MINUTES - took)
            assert content(there) == before, what
            assert len(notes(there, key, "Updated")) == updated, what


def told_more(there, key, reason, than):
    return len(notes(there, key, reason)) > than


def notes(there, key, reason):
    return [note for told, note in there.events(key) if told == reason]


async def test_tags_are_put_right_within_five_minutes_and_foreign_ones_stay():
    there = Installation()
    async with there.running():
        keys = await started(there)
        before = content(there)
        for key in keys:
            change_tags(there, key)
        await there.clock.advance(FIVE_MINUTES)
        after = content(there)
    assert {each["tags"].pop("billing") for each in after.values()} == {"42"}
    assert after == before
    assert there.changes() == ["batch:TagResource"] * len(keys)


def change_tags(there, key):
    arn = arn_of(there, key)
    there.aws().tag_resource(resourceArn=arn, tags={"team": "theirs", "billing": "42"})
    there.aws().untag_resource(resourceArn=arn, tagKeys=["awsbatch.dev/name"])


async def test_a_drift_that_is_only_told_is_listed_once_and_left_as_it_is():
    there = Installation()
    async with there.running():
        keys = await started(there, driftPolicy="Report")
        before = {key: there.condition(key, "Ready") for key in keys}
        wanted: dict[ObjectKey, tuple[str, ...]] = dict.fromkeys(keys, ())
        for key, drift, fields in DRIFTS.values():
            drift(there)
            await there.clock.advance(40)
            wanted[key] += fields
        await there.clock.advance(FIVE_MINUTES)
        for key in keys:
            change_tags(there, key)
            wanted[key] += ("tags.awsbatch.dev/name", "tags.team")
        await there.clock.advance(FIVE_MINUTES)
        there.calls.clear()
        versions = {key: there.kube.see(key)["metadata"]["resourceVersion"] for key in keys}
        await there.clock.advance(2000)
        assert there.changes() == []
        for key in keys:
            assert there.kube.see(key)["metadata"]["resourceVersion"] == versions[key]
            told = there.condition(key, "Drifted")
            assert f"in {', '.join(sorted(wanted[key]))}." in told["message"]
            now = there.condition(key, "Ready")
            assert (now["status"], before[key]["status"]) == ("True", "True"), (key, now)
            events = notes(there, key, "Drifted")
            assert events[-1] == told["message"]
            assert len(events) == len(set(events))
            assert not notes(there, key, "DriftRepaired")


async def test_a_drift_that_is_only_told_ends_when_it_is_taken_back_or_an_edit_applies_the_spec():
    there = Installation()
    report: dict[str, Any] = {"driftPolicy": "Report", **TAGGED}
    async with there.running():
        await started(there, driftPolicy="Report")
        before = content(there)
        changed_queue(priority=99)(there)
        other_shares(there)
        other_revision(there)
        await there.clock.advance(FIVE_MINUTES)
        drifted = (QUEUE, POLICY, DEFINITION)
        assert all(there.is_true(key, "Drifted") for key in drifted)
        changed_queue(priority=10)(there)
        await there.clock.advance(FIVE_MINUTES)
        assert not there.condition(QUEUE, "Drifted")
        assert there.changes() == []
        there.apply(POLICY, manifests.policy("9", **report))
        there.apply(DEFINITION, {**SPECS[DEFINITION], **TAGGED, "driftPolicy": "Correct"})
        await there.until_ready(POLICY, DEFINITION)
        await there.clock.advance(1)
        assert not any(there.condition(key, "Drifted") for key in drifted)
        after = content(there)
        there.apply(POLICY, manifests.policy(**report))
        await there.until_ready(POLICY)
        assert content(there) == before
    assert after["JobDefinition"] == before["JobDefinition"]
    assert there.changes().count("batch:UpdateSchedulingPolicy") == 2
    assert there.changes().count("batch:RegisterJobDefinition") == 1


async def test_what_is_deleted_in_aws_where_a_drift_is_only_told_is_made_anew_by_an_edit():
    there = Installation()
    async with there.running():
        for key in (POLICY, DEFINITION):
            there.apply(key, {**SPECS[key], "driftPolicy": "Report"})
        await there.until_ready(POLICY, DEFINITION)
        there.aws().delete_scheduling_policy(arn=arn_of(there, POLICY))
        there.aws().deregister_job_definition(jobDefinition=arn_of(there, DEFINITION))
        there.calls.clear()
        for key in (POLICY, DEFINITION):
            message = await there.until(key, "Stalled", "DeletedInAWS", within=FIVE_MINUTES)
            assert "Set spec.driftPolicy to Correct" in message
            assert "arn" not in there.status(key)
        await there.clock.advance(2000)
        assert there.changes() == []
        there.apply(POLICY, {**SPECS[POLICY], "driftPolicy": "Correct"})
        there.apply(DEFINITION, {**SPECS[DEFINITION], "driftPolicy": "Report", **TAGGED})
        await there.until_ready(POLICY, DEFINITION)


@pytest.mark.parametrize("policy", ["Correct", "Report"])
async def test_a_change_by_somebody_else_is_a_drift_also_if_aws_was_seen_at_work_on_it(policy):
    """UPDATING is no state in which the object is Ready; it is no new generation either."""
    there = Installation()
    async with there.running():
        for key in (ENVIRONMENT, QUEUE):
            there.apply(key, {**SPECS[key], "driftPolicy": policy})
        await there.until_ready(ENVIRONMENT, QUEUE)
        there.calls.clear()
        changed_queue(priority=99)(there)
        there.kube.annotate(QUEUE, **{"awsbatch.dev/reconcile-at": "now"})
        await there.until(QUEUE, "Reconciling", "Updating", within=5)
        assert there.status(QUEUE)["reachedGeneration"] == 1
        await there.until_ready(QUEUE)
        await there.clock.advance(60)
        reasons = [reason for reason, _ in there.events(QUEUE)]
        assert "reachedGeneration" not in there.status(QUEUE)
        assert "Updated" not in reasons
        assert reasons.count("DriftRepaired") == (policy == "Correct")
        assert there.is_true(QUEUE, "Drifted") is (policy == "Report")
    assert there.changes() == (["batch:UpdateJobQueue"] if policy == "Correct" else [])


# Of environments on EKS and of managed instances, which are not among those here.
ELSEWHERE = frozenset(
    {
        "eksConfiguration.accessEntry",
        "computeResources.managedInstancesProvider",
        "computeResources.capacityTags",
    }
)


@pytest.mark.parametrize(
    ("kind", "changeable"),
    [
        (
            "ComputeEnvironment",
            [
                path
                for path, verb in VERBS.items()
                if verb is Verb.IN_PLACE and path not in ELSEWHERE
            ]
            + [*_IN_PLACE_ON_FARGATE],
        ),
        ("JobQueue", _CHANGEABLE),
    ],
)
def test_every_field_that_is_changed_in_place_is_in_the_table(kind, changeable):
    """The kinds' own lists, so that a new field is not left out here."""
    fields = [found for key, _, found in DRIFTS.values() if key.kind == kind]
    known = tuple(field for found in fields for field in found)
    missing = [field for field in changeable if not any(each.startswith(field) for each in known)]
    # AWS has one security group here, and goes about its ids as about subnets.
    assert set(missing) <= {"computeResources.securityGroupIds"}
