"""Whoever has policies may do what they allow, and is refused in the service's own words."""

import json
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.support.one_process import aws_models
from tests.support.simulated_aws import make_simulator

from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.inprocess import InProcess

WHERE = "arn:aws:batch:eu-central-1:111122223333"
USER = "arn:aws:iam::111122223333:user/sandbox"
ROLE = "arn:aws:iam::444455556666:role/batch-operator"
EVERYWHERE = "arn:aws:iam::*:role/batch-operator"
ONCE = Config(retries={"total_max_attempts": 1})
TEAM = {"StringEquals": {"aws:ResourceTag/team": ["a"]}}


def may(*statements: dict[str, Any], of: str = USER) -> Simulator:
    """A simulator in which the user has one policy of these statements."""
    simulator = make_simulator()
    give(simulator, *statements, of=of)
    return simulator


def give(simulator: Simulator, *statements: dict[str, Any], of: str = USER) -> None:
    policies = {of: [{"Version": "2012-10-17", "Statement": list(statements)}]}
    simulator.world.change(simulator.world.settings.patched({"policies": policies}))


def allow(*actions: str, **fields: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"} | fields


def client(simulator: Simulator, service: str, **credentials: str) -> Any:
    session = botocore.session.Session()
    session.register_component("data_loader", aws_models())
    key = simulator.key
    given = {
        "aws_access_key_id": key.access_key_id,
        "aws_secret_access_key": key.secret_access_key,
    } | credentials
    made = session.create_client(service, "eu-central-1", config=ONCE, **given)
    InProcess(simulator).connect(made)
    return made


def refused(call: Any, **request: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    answer = caught.value.response
    error = answer["Error"]
    return error["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], error["Message"]


def test_without_policies_everything_is_allowed_and_with_one_only_what_it_says():
    simulator = make_simulator()
    batch = client(simulator, "batch")
    batch.describe_job_queues()
    give(simulator, allow("batch:DescribeJobQueues"))
    batch.describe_job_queues()
    code, status, message = refused(batch.delete_job_queue, jobQueue="main")
    assert (code, status) == ("AccessDeniedException", 403)
    assert message == (
        f"User: {USER} is not authorized to perform: batch:DeleteJobQueue on resource: "
        f"{WHERE}:job-queue/main because no identity-based policy allows the "
        "batch:DeleteJobQueue action"
    )


def test_a_denial_is_said_to_be_one():
    simulator = may(allow("batch:*"), allow("batch:Describe*", Effect="Deny", Sid="No"))
    _, _, message = refused(client(simulator, "batch").describe_job_queues)
    assert message.endswith("resource: * with an explicit deny in an identity-based policy")
    [denied] = simulator.dispatcher.authorizer.report()["denied"]
    assert (denied["statement"], denied["count"]) == ("No", 1)


def test_ec2_has_words_of_its_own_and_a_dry_run_tells_them():
    ec2 = client(may(allow("ec2:RunInstances", Resource="arn:aws:ec2:*:*:instance/*")), "ec2")
    code, status, message = refused(
        ec2.run_instances, ImageId="ami-1", MinCount=1, MaxCount=1, DryRun=True
    )
    assert (code, status) == ("UnauthorizedOperation", 403)
    assert message.startswith(
        f"You are not authorized to perform this operation. User: {USER} is not authorized to "
        "perform: ec2:RunInstances on resource: arn:aws:ec2:eu-central-1:111122223333:volume/* "
    )


def test_the_tags_of_a_thing_decide_who_may_change_it():
    simulator = may(allow("batch:*"), allow("iam:*"))
    batch = client(simulator, "batch")
    for name, team in (("ours", "a"), ("theirs", "b")):
        batch.create_scheduling_policy(name=name, tags={"team": team})
    give(simulator, allow("batch:DeleteSchedulingPolicy", Condition=TEAM))
    batch.delete_scheduling_policy(arn=f"{WHERE}:scheduling-policy/ours")
    code, *_ = refused(batch.delete_scheduling_policy, arn=f"{WHERE}:scheduling-policy/theirs")
    assert code == "AccessDeniedException"


def test_to_make_something_with_tags_takes_the_right_to_tag_it():
    batch = client(may(allow("batch:CreateSchedulingPolicy")), "batch")
    batch.create_scheduling_policy(name="plain")
    code, _, message = refused(batch.create_scheduling_policy, name="tagged", tags={"team": "a"})
    assert code == "AccessDeniedException"
    assert f"batch:TagResource on resource: {WHERE}:scheduling-policy/tagged" in message


def test_a_role_is_given_only_by_those_who_may_pass_it():
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    own_roles = {"Resource": "arn:aws:iam::*:role/batch-*", "Condition": to_tasks}
    passing = allow("iam:PassRole", **own_roles)
    batch = client(may(allow("batch:*"), passing), "batch")
    needs = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "99"}]
    container = {"image": "busybox", "resourceRequirements": needs}
    own, other = "arn:aws:iam::111122223333:role/batch-job", "arn:aws:iam::111122223333:role/admin"
    request = {"jobDefinitionName": "d", "type": "container"}
    batch.register_job_definition(**request, containerProperties=container | {"jobRoleArn": own})
    _, _, message = refused(
        batch.register_job_definition,
        **request,
        containerProperties=container | {"jobRoleArn": other},
    )
    assert f"iam:PassRole on resource: {other}" in message


@pytest.mark.parametrize("whose", [ROLE, EVERYWHERE])
def test_the_policies_of_a_role_hold_for_its_sessions(whose):
    simulator = may(allow("batch:DescribeJobQueues"), of=whose)
    answer = client(simulator, "sts").assume_role(RoleArn=ROLE, RoleSessionName="me")
    found = answer["Credentials"]
    batch = client(
        simulator,
        "batch",
        aws_access_key_id=found["AccessKeyId"],
        aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"],
    )
    batch.describe_job_queues()
    code, _, message = refused(batch.describe_compute_environments)
    assert code == "AccessDeniedException"
    assert message.startswith("User: arn:aws:sts::444455556666:assumed-role/batch-operator/me is")


def test_policies_that_iam_has_count_as_soon_as_they_change():
    simulator = make_simulator()
    iam, batch = client(simulator, "iam"), client(simulator, "batch")
    batch.describe_job_queues()
    iam.create_user(UserName="sandbox")
    batch.describe_job_queues()
    document = {"Version": "2012-10-17", "Statement": [allow("iam:*")]}
    iam.put_user_policy(UserName="sandbox", PolicyName="p", PolicyDocument=json.dumps(document))
    assert refused(batch.describe_job_queues)[0] == "AccessDeniedException"
    document["Statement"] = [allow("batch:Describe*")]
    policy = iam.create_policy(PolicyName="q", PolicyDocument=json.dumps(document))
    iam.attach_user_policy(UserName="sandbox", PolicyArn=policy["Policy"]["Arn"])
    batch.describe_job_queues()
    iam.detach_user_policy(UserName="sandbox", PolicyArn=policy["Policy"]["Arn"])
    assert refused(batch.describe_job_queues)[0] == "AccessDeniedException"


def test_what_has_been_used_and_denied_is_reported_until_it_is_cleared():
    simulator = may(allow("batch:Describe*", Sid="Read"))
    batch, authorizer = client(simulator, "batch"), simulator.dispatcher.authorizer
    for _ in range(2):
        batch.describe_job_queues()
    refused(batch.list_jobs, jobQueue="main")
    found = authorizer.report()
    assert found["allowed"] == [
        {"principal": USER, "action": "batch:DescribeJobQueues", "statement": "Read",
         "resource": "*", "count": 2}
    ]  # fmt: skip
    assert [each["action"] for each in found["denied"]] == ["batch:ListJobs"]
    assert simulator.dispatcher.calls.count("batch", "ListJobs", "AccessDeniedException") == 1
    authorizer.clear()
    assert authorizer.report() == {"allowed": [], "denied": []}


@pytest.mark.parametrize("statement", [{"Effect": "Perhaps"}, {"Effect": "Allow"}])
def test_a_setting_that_is_no_policy_is_refused(statement):
    with pytest.raises(ValueError, match="polic"):
        may(statement)
