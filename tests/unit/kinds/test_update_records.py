"""Infrastructure updates: none over and over, newer images once, and nothing at rest."""

import random
from typing import Any

import pytest
from tests.unit.kinds.environments import before, desired, edited, environment_of, managed, sent
from tests.unit.kinds.values import NOW

from awsbatch_operator.api import catalogue, replacing_reasons
from awsbatch_operator.api.metadata import INFRASTRUCTURE_UPDATE
from awsbatch_operator.kinds.computeenvironment.changes import Change, compare
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.queues import Use

TEMPLATE = {"launchTemplateName": "web", "version": "3"}
NEWEST = {"updateToLatestImageVersion": True}


def refused_in_the_end(spec, wanted, status):
    """AWS has taken the update, was at work, and ends with what it had before."""
    aws = environment_of(spec)
    old = {**aws.detail}
    aws.annotations |= aws.plan(wanted).steps[0].record
    aws.detail = {**old, "status": "UPDATING"}
    aws.annotations |= aws.plan(wanted).record
    aws.detail = {**old, "status": status, "statusReason": "The key pair 'me' does not exist"}
    return aws


def test_an_update_that_aws_never_shows_is_not_asked_for_over_and_over():
    spec = before("EC2", updatable=True)
    wanted = edited(spec, ec2KeyPair="me")
    aws = refused_in_the_end(spec, wanted, "VALID")
    plan = aws.plan(wanted)
    assert not plan.steps
    assert [finding.reason for finding in plan.findings] == [replacing_reasons.UPDATE_NOT_SHOWN]
    assert aws.plan(edited(spec, ec2KeyPair="you")).steps  # something else may help
    aws.annotations |= aws.plan(spec).record  # the difference is gone
    assert aws.plan(wanted).steps


def test_what_is_invalid_after_an_update_in_vain_takes_another_environment():
    spec = before("EC2", updatable=True)
    wanted = edited(spec, ec2KeyPair="me")
    aws = refused_in_the_end(spec, wanted, "INVALID")
    assert [finding.reason for finding in aws.plan(wanted).findings] == [catalogue.REMAKING]
    used = aws.observed([Use("theirs", "")])
    plan = plan_environment(desired(wanted, annotations=aws.annotations), used, NOW)
    assert not plan.steps
    (finding,) = plan.findings
    assert finding.reason is replacing_reasons.REPLACING
    refused = {**wanted, "replacement": {"policy": "Refuse"}}
    plan = plan_environment(desired(refused, annotations=aws.annotations), used, NOW)
    (finding,) = plan.findings
    assert finding.reason is catalogue.ENVIRONMENT_INVALID
    assert "which did not help" in finding.message


def test_an_update_in_vain_is_not_sent_again_because_the_spec_asked_for_more_in_between():
    spec = before("EC2", updatable=True)
    wanted = edited(spec, ec2KeyPair="me")
    aws = refused_in_the_end(spec, wanted, "VALID")
    more = {**edited(wanted, allocationStrategy="BEST_FIT"), "replacement": {"policy": "Refuse"}}
    aws.annotations |= aws.plan(more).record
    assert not aws.plan(wanted).steps
    other = edited(more, ec2KeyPair="")  # now it is gone, and may be asked for again
    aws.annotations |= aws.plan(other).record
    assert aws.plan(wanted).steps


def test_an_image_that_was_asked_for_is_not_asked_for_twice_for_a_wish_for_more_in_between():
    spec = before("EC2", updatable=True)
    tracking = {**spec, "imageUpdates": "Track", "replacement": {"policy": "Refuse"}}
    aws = environment_of(tracking)
    announcing(aws)
    aws.annotations |= aws.plan(tracking).steps[0].record
    aws.annotations |= aws.plan(edited(tracking, allocationStrategy="BEST_FIT")).record
    aws.detail["status"] = "UPDATING"  # only now
    aws.annotations |= aws.plan(tracking).record
    aws.detail["status"] = "VALID"
    assert not aws.plan(tracking).steps


def test_an_update_whose_call_never_went_out_is_sent_again():
    spec = before("EC2", updatable=True)
    wanted = edited(spec, ec2KeyPair="me")
    aws = environment_of(spec)
    aws.annotations |= aws.plan(wanted).steps[0].record
    assert aws.plan(wanted).steps


@pytest.mark.parametrize("text", ["", "7", "null", "{", "[]", '{"environment": 1}', "[" * 9000])
def test_an_edited_record_of_an_update_says_nothing(text):
    aws = environment_of(before("EC2", updatable=True))
    aws.annotations[INFRASTRUCTURE_UPDATE] = text
    assert aws.plan(edited(before("EC2", updatable=True), ec2KeyPair="me")).steps


# --- newer images ---


def announcing(aws):
    aws.detail["computeResources"] |= {
        "ec2Configuration": [{"imageType": "ECS_AL2023", "batchImageStatus": "UPDATE_AVAILABLE"}]
    }


@pytest.mark.parametrize("updatable", [True, False])
@pytest.mark.parametrize(
    "asks",
    [{"imageUpdates": "Track"}, {"computeResources": {"updateToLatestImageVersion": True}}],
)
def test_an_announced_image_is_taken_over_once_where_it_is_tracked(asks, updatable):
    spec = before("EC2", updatable=updatable)
    tracking = {**spec, **asks, "computeResources": spec["computeResources"]}
    tracking["computeResources"] = {**spec["computeResources"], **asks.get("computeResources", {})}
    aws = environment_of(tracking)
    assert not aws.plan(tracking).steps
    announcing(aws)
    assert compare(desired(spec), aws.observed()).change is Change.NONE
    if not updatable:
        assert compare(desired(tracking), aws.observed()).change is Change.REPLACEMENT
        return
    plan = aws.plan(tracking)
    assert sent(plan) == {"computeResources": NEWEST}
    assert plan.steps[0].note.reason is catalogue.UPDATED
    aws.annotations |= plan.steps[0].record
    aws.detail["status"] = "UPDATING"
    aws.annotations |= aws.plan(tracking).record
    aws.detail["status"] = "VALID"  # and it still says UPDATE_AVAILABLE
    plan = aws.plan(tracking)
    assert not plan.steps
    aws.annotations |= plan.record
    assert not aws.plan(tracking).record
    aws.detail["computeResources"]["ec2Configuration"] = [{"imageType": "ECS_AL2023"}]
    aws.annotations |= aws.plan(tracking).record
    announcing(aws)
    assert aws.plan(tracking).steps  # the next one


# --- at rest ---


def shown_by_aws(detail, seed):
    """The same environment as AWS may describe it: lists in any order, and its own defaults."""
    shuffle = random.Random(seed)
    resources = {**detail["computeResources"]}
    for name in ("instanceTypes", "subnets", "securityGroupIds", "ec2Configuration"):
        if name in resources:
            resources[name] = shuffle.sample(resources[name], len(resources[name]))
    if "launchTemplate" in resources:
        start = {"userdataType": "EKS_BOOTSTRAP_SH"}
        template = {**start, **resources["launchTemplate"]}
        overrides = [{**start, **each} for each in template.get("overrides", [])]
        template["overrides"] = shuffle.sample(overrides, len(overrides))
        resources["launchTemplate"] = template
    defaults: dict[str, Any] = {
        "minvCpus": 0,
        "desiredvCpus": shuffle.randrange(16),
        "bidPercentage": 100,
    }
    defaults |= {"scalingPolicy": {"minScaleDownDelayMinutes": 0}, "imageId": "", "tags": {}}
    given = resources.pop("ec2Configuration", [{"imageType": "ECS_AL2023"}])
    defaults["ec2Configuration"] = [
        {"batchImageStatus": "LATEST", "imageKubernetesVersion": "1.31", **each} for each in given
    ]
    names = list({**defaults, **resources})
    shuffle.shuffle(names)
    mixed = {**defaults, **resources}
    return {
        **detail,
        "updatePolicy": {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30},
        "ecsSettings": {"containerInsights": "DISABLED"},
        "state": "ENABLED",
        "computeResources": {name: mixed[name] for name in names},
    }


FULL = managed(
    securityGroupIds=["sg-1", "sg-2"],
    ec2Configuration=[{"imageType": "ECS_AL2023"}, {"imageType": "ECS_AL2023_NVIDIA"}],
    launchTemplate={
        **TEMPLATE,
        "overrides": [
            {"launchTemplateId": "lt-1", "version": "2", "targetInstanceTypes": ["m7i.large"]},
            {"launchTemplateName": "b", "version": "1", "targetInstanceTypes": ["c7i.large"]},
        ],
    },
    instanceRole="ecs",
)


@pytest.mark.parametrize("spec", [FULL, managed()], ids=["full", "short"])
def test_a_hundred_resyncs_with_shuffled_lists_and_awss_defaults_send_nothing(spec):
    aws = environment_of(managed())
    aws.detail["computeResources"] |= spec["computeResources"]
    for seed in range(100):
        aws.detail = shown_by_aws(aws.detail, seed)
        plan = plan_environment(desired(spec), aws.observed(), NOW)
        assert (plan.steps, plan.findings, plan.record) == ((), (), {}), seed
