"""What AWSAccounts allow: the decision itself, without any cluster."""

import time

import botocore.session
import pytest
from tests.unit.kinds.values import ACCOUNT, REGION, resource

from awsbatch_operator.kinds.named_resources import roles
from awsbatch_operator.kinds.permissions import Allowances, allowances, refusal

ROLE = f"arn:aws:iam::{ACCOUNT}:role/batch-jobs"


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
    return allowances(resource("AWSAccount", spec, name=name), own_region=REGION)


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
    china = account(
        "default",
        region="cn-north-1",
        allowedRoleArns=["arn:aws-cn:iam::*:instance-profile/ecs"],
        allowedRegions=[REGION],
    )
    assert refused(spec, china, region="cn-north-1") == ""
    assert refused(spec, china) != ""


def test_a_pattern_has_no_meaning_but_star_and_question_mark():
    spec = {"containerProperties": {"jobRoleArn": ROLE}}
    allowed = account("default", allowedRoleArns=[ROLE.replace("batch-jobs", "batch.jobs")])
    assert refused(spec, allowed) != ""
    allowed = account("default", allowedRoleArns=[ROLE.replace("batch-jobs", "batch?jobs")])
    assert refused(spec, allowed) == ""


@pytest.mark.parametrize(
    ("pattern", "role", "fits"),
    [
        ("arn:*:role/b*s", "batch-jobs", True),
        ("arn:*:role/b*s", "batch-jobs-2", False),
        ("arn:*a*a*s", "aaas", True),
        ("arn:*ab*ab", "ab", False),
        ("arn:*ab*ab", "abxab", True),
        ("arn:*b**j?bs*", "batch-jobs", True),
        ("arn:*/?", "x", True),
        ("arn:*/?", "xy", False),
    ],
)
def test_stars_may_stand_anywhere(pattern, role, fits):
    spec = {"containerProperties": {"jobRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{role}"}}
    assert (refused(spec, account("default", allowedRoleArns=[pattern])) == "") is fits


def test_no_arn_makes_the_comparison_slow():
    """Half a second for the worst 2 kB; a pattern that tries every star again takes hours."""
    spec = {"containerProperties": {"jobRoleArn": "arn:aws:iam:" + ":" * 2000}}
    began = time.process_time()
    assert refused(spec, account("default", allowedRoleArns=["arn:*:*:*:*:*:role/*"])) != ""
    assert time.process_time() - began < 0.5


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


@pytest.mark.parametrize(
    ("spec", "region", "allowed"),
    [
        ({}, REGION, True),  # the operator's, since the account names none
        ({}, "us-east-1", False),
        ({"region": "us-east-1"}, "us-east-1", True),
        ({"region": "us-east-1"}, REGION, False),
        ({"allowedRegions": []}, "us-east-1", False),
        ({"allowedRegions": ["us-east-1"]}, "us-east-1", True),
        ({"allowedRegions": ["us-east-1"]}, REGION, True),
        ({"allowedRegions": ["us-east-*"]}, "us-east-1", False),
    ],
)
def test_an_account_allows_its_own_region_and_those_that_it_lists(spec, region, allowed):
    assert (refused({}, account("default", **spec), region=region) == "") is allowed


def test_the_refusal_of_a_region_names_it_and_where_to_add_it():
    message = refused({}, account("default"), region="us-east-1")
    assert f"does not allow the region us-east-1; it allows {REGION}" in message
    assert "spec.allowedRegions of AWSAccount default" in message


@pytest.mark.parametrize(("also", "named"), [([], "us-east-1"), (["us-east-1"], "")])
def test_an_image_is_copied_only_to_regions_that_the_account_allows(also, named):
    spec = {"regions": ["us-east-1"]}
    message = refused(spec, account("default", allowedRegions=also))
    assert (f"does not allow the region {named};" in message) is bool(named)
    assert ("or remove it from spec.regions" in message) is bool(named)


def test_the_operators_own_identity_is_in_any_region_unless_a_flag_says_otherwise():
    assert refused({}, Allowances(account=""), region="us-east-1") == ""
    message = refused({}, Allowances(account="", regions=(REGION,)), region="us-east-1")
    assert "--allowed-regions" in message


@pytest.mark.parametrize("policy", ["Adopt", "AdoptOrCreate"])
@pytest.mark.parametrize("leave", [None, False, True])
def test_what_exists_is_taken_over_only_with_leave_of_the_account(policy, leave):
    given = {} if leave is None else {"allowAdoption": leave}
    message = refused({"adoptionPolicy": policy}, account("default", **given))
    wanted = "Set spec.allowAdoption of AWSAccount default to true, or remove spec.adoptionPolicy."
    assert message.endswith("" if leave else wanted)
    assert bool(message) is not bool(leave)


@pytest.mark.parametrize("policy", [None, "Create"])
def test_who_takes_nothing_over_needs_no_leave(policy):
    assert refused({"adoptionPolicy": policy} if policy else {}, account("default")) == ""


def test_the_operators_own_identity_gives_leave_by_a_flag():
    spec = {"adoptionPolicy": "Adopt"}
    assert refused(spec, Allowances(account="", adoption=True)) == ""
    assert "Set the operator's --allow-adoption to true" in refused(spec, Allowances(account=""))


def test_what_an_object_has_already_needs_no_leave_any_more():
    of = resource("JobQueue", {"adoptionPolicy": "Adopt"}, status={"arn": "arn:1"})
    kept = refusal(of, account("default"), account_id=ACCOUNT, region=REGION, namespace_labels={})
    assert kept is None


def test_the_partition_of_each_region_of_aws_is_known():
    """botocore has them all; by a wrong one no pattern of an account would ever match."""
    known = botocore.session.get_session().get_available_partitions()
    loader = botocore.session.get_session().get_component("data_loader")
    partitions = {each["id"]: each for each in loader.load_data("partitions")["partitions"]}
    assert set(known) <= partitions.keys()
    for name, partition in partitions.items():
        for region in partition["regions"]:
            if not region.endswith("-global"):
                role = f"arn:{name}:iam::{ACCOUNT}:role/batch-jobs"
                allowed = account("default", allowedRoleArns=[role], allowedRegions=[region])
                spec = {"containerProperties": {"jobRoleArn": "batch-jobs"}}
                assert refused(spec, allowed, region=region) == "", region
