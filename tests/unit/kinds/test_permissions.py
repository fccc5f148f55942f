"""What AWSAccounts allow: the decision itself, without any cluster."""

from collections.abc import Iterator

import botocore.session
import pytest
from tests.unit.kinds.values import ACCOUNT, REGION, resource

from awsbatch_operator.kinds.permissions import (
    PROFILE_FIELDS,
    ROLE_FIELDS,
    Allowances,
    allowances,
    refusal,
    roles,
)

ROLE = f"arn:aws:iam::{ACCOUNT}:role/batch-jobs"
CREATING = (
    "CreateComputeEnvironment",
    "CreateJobQueue",
    "CreateSchedulingPolicy",
    "RegisterJobDefinition",
    "SubmitJob",
)


def refused(spec, allowed, labels=None, region=REGION):
    finding = refusal(
        resource("JobDefinition", spec),
        allowed,
        account_id=ACCOUNT,
        region=region,
        namespace_labels=labels or {},
    )
    return "" if finding is None else finding.text()


def account(name="research", **spec):
    return allowances(resource("AWSAccount", spec, name=name))


def members(shape, seen: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """(name, type) of every member below a shape of AWS's model."""
    if shape.name in seen:
        return
    if shape.type_name == "structure":
        for name, inner in shape.members.items():
            yield name, inner.type_name
            yield from members(inner, (*seen, shape.name))
    elif shape.type_name == "list":
        yield from members(shape.member, (*seen, shape.name))


def test_every_role_of_awss_model_is_guarded():
    model = botocore.session.get_session().get_service_model("batch")
    named = {
        name
        for operation in CREATING
        for name, type_name in members(model.operation_model(operation).input_shape)
        if type_name == "string" and name.lower().endswith(("role", "rolearn", "profilearn"))
    }
    assert named
    assert named <= ROLE_FIELDS | PROFILE_FIELDS


def test_without_a_list_every_role_is_allowed():
    assert refused({"containerProperties": {"jobRoleArn": ROLE}}, account("default")) == ""


def test_a_role_that_no_pattern_matches_is_named_with_its_path():
    spec = {"containerProperties": {"jobRoleArn": ROLE, "executionRoleArn": f"{ROLE}-2"}}
    message = refused(spec, account("default", allowedRoleArns=[f"{ROLE}-*"]))
    assert f"spec.containerProperties.jobRoleArn ({ROLE})" in message
    assert "executionRoleArn" not in message
    assert "allowedRoleArns" in message


def test_a_bare_role_name_means_that_role_of_the_objects_account():
    found = dict(roles({"serviceRole": "batch"}, account_id=ACCOUNT, partition="aws"))
    assert found == {"spec.serviceRole": f"arn:aws:iam::{ACCOUNT}:role/batch"}
    spec = {"computeResources": {"instanceRole": "ecs"}}
    china = account("default", allowedRoleArns=["arn:aws-cn:iam::*:instance-profile/ecs"])
    assert refused(spec, china, region="cn-north-1") == ""
    assert refused(spec, china) != ""


def test_a_pattern_has_no_meaning_but_star_and_question_mark():
    spec = {"containerProperties": {"jobRoleArn": ROLE}}
    allowed = account("default", allowedRoleArns=[ROLE.replace("batch-jobs", "batch.jobs")])
    assert refused(spec, allowed) != ""
    allowed = account("default", allowedRoleArns=[ROLE.replace("batch-jobs", "batch?jobs")])
    assert refused(spec, allowed) == ""


def test_values_of_environment_variables_are_no_roles():
    spec = {"containerProperties": {"environment": [{"name": "ROLE", "value": ROLE}]}}
    assert refused(spec, account("default", allowedRoleArns=[])) == ""


@pytest.mark.parametrize(
    ("name", "spec", "labels", "served"),
    [
        ("default", {}, {}, True),
        ("research", {}, {}, False),
        ("default", {"allowedNamespaces": {"names": ["other"]}}, {}, False),
        ("research", {"allowedNamespaces": {"names": ["science"]}}, {}, True),
        ("research", {"allowedNamespaces": {"matchLabels": {"a": "1"}}}, {"a": "1"}, True),
        ("research", {"allowedNamespaces": {"matchLabels": {"a": "1"}}}, {"a": "2"}, False),
        (
            "research",
            {"allowedNamespaces": {"matchLabels": {"a": "1", "b": "2"}}},
            {"a": "1"},
            False,
        ),
    ],
)
def test_an_account_serves_no_namespace_but_those_that_it_names(name, spec, labels, served):
    assert (refused({}, account(name, **spec), labels) == "") is served


def test_references_by_arn_need_a_pattern_in_an_account_and_none_as_ourselves():
    arn = f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/theirs"
    spec = {"jobQueueRef": {"arn": arn}}
    assert arn in refused(spec, account("default"))
    assert refused(spec, account("default", allowedExternalArns=["*:job-queue/*"])) == ""
    assert refused(spec, Allowances(account="")) == ""


def test_many_refused_roles_are_counted_and_not_all_listed():
    spec = {"all": [{"jobRoleArn": f"{ROLE}{number}"} for number in range(20)]}
    assert "and 15 more" in refused(spec, account("default", allowedRoleArns=[]))
