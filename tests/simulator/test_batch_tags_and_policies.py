"""Tags of all that Batch has, and scheduling policies."""

import pytest
from tests.simulator.cloud import Cloud, serverless


def test_tags_of_every_kind_are_set_listed_and_removed():
    cloud = serverless()
    arns = [
        cloud("DescribeComputeEnvironments")["computeEnvironments"][0]["computeEnvironmentArn"],
        cloud("DescribeJobQueues")["jobQueues"][0]["jobQueueArn"],
        cloud.definition(),
        cloud("CreateSchedulingPolicy", name="fair")["arn"],
        cloud.job(cloud.submit())["jobArn"],
    ]
    for arn in arns:
        cloud("TagResource", resourceArn=arn, tags={"a": "1", "b": "2"})
        cloud("TagResource", resourceArn=arn, tags={"b": "3"})
        assert cloud("ListTagsForResource", resourceArn=arn)["tags"] == {"a": "1", "b": "3"}
        cloud("UntagResource", resourceArn=arn, tagKeys=["a", "nothing"])
        assert cloud("ListTagsForResource", resourceArn=arn)["tags"] == {"b": "3"}


def test_tags_stand_in_descriptions():
    cloud = serverless()
    cloud.definition(tags={"team": "climate"})
    [definition] = cloud("DescribeJobDefinitions", jobDefinitions=["simulate:2"])["jobDefinitions"]
    assert definition["tags"] == {"team": "climate"}


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("arn:aws:batch:eu-central-1:111122223333:job-queue/nobody", "does not exist"),
        ("arn:aws:batch:us-east-1:111122223333:job-queue/main", "Invalid resource ARN"),
        ("arn:aws:batch:eu-central-1:111122223333:odd/main", "Invalid resource ARN"),
        ("arn:aws:batch:eu-central-1:111122223333:job-definition/simulate:x", "does not exist"),
        ("arn:aws:batch:eu-central-1:111122223333:job/x:1", "Child jobs cannot be tagged"),
    ],
)
def test_tags_of_what_does_not_exist_are_refused(arn, message):
    assert message in serverless().refused("ListTagsForResource", resourceArn=arn)


def test_a_fifty_first_tag_is_refused_and_changes_nothing():
    cloud = serverless()
    arn = cloud.definition(tags={f"k{number}": "" for number in range(50)})
    refusal = cloud.refused("TagResource", resourceArn=arn, tags={"one": "more"})
    assert "up to 50 tags" in refusal
    assert len(cloud("ListTagsForResource", resourceArn=arn)["tags"]) == 50


@pytest.mark.parametrize(
    ("ours", "propagate", "status"),
    [(26, True, "FAILED"), (25, True, "SUCCEEDED"), (26, False, "SUCCEEDED")],
)
def test_a_job_fails_when_its_task_would_have_more_than_fifty_tags(ours, propagate, status):
    """SubmitJob.propagateTags: then "the job is moved to the FAILED state"."""
    cloud = serverless()
    cloud.definition("tagged", tags={f"d{number}": "" for number in range(25)})
    tags = {f"j{number}": "" for number in range(ours)}
    job_id = cloud.submit(definition="tagged", tags=tags, propagateTags=propagate)
    cloud.step(30)
    job = cloud.job(job_id)
    assert (job["status"], job["attempts"] == []) == (status, status == "FAILED")
    if status == "FAILED":
        assert "tags of the job and its job definition are more than 50" in job["statusReason"]


def test_tags_of_the_same_name_are_one_tag_of_the_task():
    cloud = serverless()
    tags = {f"k{number}": "" for number in range(50)}
    cloud.definition("tagged", tags=tags, propagateTags=True)
    job_id = cloud.submit(definition="tagged", tags=tags)
    cloud.step(30)
    assert cloud.status(job_id) == "SUCCEEDED"


def share(name: str, weight: float = 1.0) -> dict[str, object]:
    return {"shareIdentifier": name, "weightFactor": weight}


def test_policies_are_created_described_listed_updated_and_deleted():
    cloud = Cloud()
    fair = {"shareDecaySeconds": 60, "shareDistribution": [share("blue", 0.5)]}
    arn = cloud("CreateSchedulingPolicy", name="fair", fairsharePolicy=fair)["arn"]
    assert cloud("ListSchedulingPolicies")["schedulingPolicies"] == [{"arn": arn}]
    described = cloud("DescribeSchedulingPolicies", arns=[arn, f"{arn}x"])["schedulingPolicies"]
    assert described == [{"name": "fair", "arn": arn, "fairsharePolicy": fair, "tags": {}}]
    cloud("UpdateSchedulingPolicy", arn=arn, fairsharePolicy={"computeReservation": 5})
    [described] = cloud("DescribeSchedulingPolicies", arns=[arn])["schedulingPolicies"]
    assert described["fairsharePolicy"] == {"computeReservation": 5}
    assert "already exists" in cloud.refused("CreateSchedulingPolicy", name="fair")
    cloud("DeleteSchedulingPolicy", arn=arn)
    assert cloud("ListSchedulingPolicies")["schedulingPolicies"] == []


def test_a_policy_without_a_body_is_one_and_can_be_given_one_of_either_kind_once():
    """CreateSchedulingPolicyRequest requires the name alone; "once set", a kind stays."""
    cloud = serverless()
    arn = cloud("CreateSchedulingPolicy", name="bare")["arn"]
    [described] = cloud("DescribeSchedulingPolicies", arns=[arn])["schedulingPolicies"]
    assert described == {"name": "bare", "arn": arn, "tags": {}}
    cloud.queue("fair", "serverless", schedulingPolicyArn=arn)
    cloud("UpdateSchedulingPolicy", arn=arn)
    cloud("UpdateSchedulingPolicy", arn=arn, fairsharePolicy={"computeReservation": 5})
    cloud("UpdateSchedulingPolicy", arn=arn)
    [described] = cloud("DescribeSchedulingPolicies", arns=[arn])["schedulingPolicies"]
    assert described["fairsharePolicy"] == {"computeReservation": 5}
    quota = {"idleResourceAssignmentStrategy": "FIFO"}
    refusal = cloud.refused("UpdateSchedulingPolicy", arn=arn, quotaSharePolicy=quota)
    assert "cannot be changed" in refusal


def test_a_policy_in_use_is_not_deleted():
    cloud = serverless()
    arn = cloud("CreateSchedulingPolicy", name="fair", fairsharePolicy={})["arn"]
    cloud.queue("fair", "serverless", schedulingPolicyArn=arn)
    assert "is used by fair" in cloud.refused("DeleteSchedulingPolicy", arn=arn)


@pytest.mark.parametrize(
    ("fair", "message"),
    [
        ({"shareDecaySeconds": 604_801}, "between 0 and 604800"),
        ({"computeReservation": 100}, "between 0 and 99"),
        ({"shareDistribution": [share("a", 0.00001)]}, "weightFactor must be"),
        ({"shareDistribution": [share("UserA*"), share("UserA1")]}, "overlap"),
        ({"shareDistribution": [share("a-b")]}, "must be alphanumeric"),
        ({"shareDistribution": [share("ä")]}, "must be alphanumeric"),
        ({"shareDistribution": [share("a" * 256)]}, "must be alphanumeric"),
    ],
)
def test_what_a_fair_share_policy_may_not_say(fair, message):
    assert message in Cloud().refused("CreateSchedulingPolicy", name="x", fairsharePolicy=fair)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        # [bc] TagrisTagsMap, TagKey, TagValue
        ({}, "length greater than or equal to 1"),
        ({"k" * 129: ""}, "length less than or equal to 128"),
        ({"k": "v" * 257}, "length less than or equal to 256"),
        # AWS General Reference, "Tag naming limits and requirements"
        ({"k!": "v"}, "characters that tags can't have"),
        ({"k": "a\nb"}, "characters that tags can't have"),
        ({"k": "a{b}"}, "characters that tags can't have"),
        ({"AWS:k": "v"}, "cannot begin with aws:"),
    ],
)
def test_what_tags_may_not_be_wherever_they_are_given(tags, message):
    cloud = serverless()
    arn = cloud.definition()
    assert message in cloud.refused("TagResource", resourceArn=arn, tags=tags)
    assert message in cloud.refused("CreateSchedulingPolicy", name="a", tags=tags)
    request = {"jobName": "a", "jobQueue": "main", "jobDefinition": "simulate"}
    assert message in cloud.refused("SubmitJob", **request, tags=tags)


def test_tags_may_have_letters_of_every_script_spaces_and_some_signs():
    cloud = serverless()
    tags = {"Straße 1/ä_b": "a.b:c/d=e+f-g@h", "empty": "", "awsbatch.dev/kind": "JobQueue"}
    arn = cloud.definition(tags=tags)
    assert cloud("ListTagsForResource", resourceArn=arn)["tags"] == tags
