"""Each statement of the policy: what is ours it lets through, what is not it does not.

So "only ours" also holds where our own code is wrong.
"""

import json
import re

import pytest
from tests.support.iam import allows
from tools import iam_policy

from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import CLUSTER_ID, Effect
from awsbatch_operator.settings import Settings

KEY = "awsbatch.dev/cluster"
OURS = {f"aws:ResourceTag/{KEY}": CLUSTER_ID}
THEIRS = {f"aws:ResourceTag/{KEY}": "another-cluster"}
UNTAGGED: dict[str, str] = {}
MAKING = {f"aws:RequestTag/{KEY}": CLUSTER_ID}
MAKING_FOR_OTHERS = {f"aws:RequestTag/{KEY}": "another-cluster"}

WHERE = "arn:aws:batch:eu-central-1:111122223333"
ENVIRONMENT = f"{WHERE}:compute-environment/e"
QUEUE = f"{WHERE}:job-queue/q"
DEFINITION = f"{WHERE}:job-definition/d:1"
POLICY = f"{WHERE}:scheduling-policy/p"
JOB = f"{WHERE}:job/0a1b"
CONSUMABLE = f"{WHERE}:consumable-resource/licence"

# By operation: what it makes, what it changes or ends, and what of others it may use.
MAKES = {
    "CreateComputeEnvironment": ENVIRONMENT,
    "CreateJobQueue": QUEUE,
    "CreateSchedulingPolicy": POLICY,
    "RegisterJobDefinition": DEFINITION,
    "SubmitJob": JOB,
}
CHANGES = {
    "UpdateComputeEnvironment": [ENVIRONMENT],
    "DeleteComputeEnvironment": [ENVIRONMENT],
    "UpdateJobQueue": [QUEUE],
    "DeleteJobQueue": [QUEUE],
    "UpdateSchedulingPolicy": [POLICY],
    "DeleteSchedulingPolicy": [POLICY],
    "DeregisterJobDefinition": [DEFINITION],
    "TerminateJob": [JOB],
    "UntagResource": [ENVIRONMENT, QUEUE, DEFINITION, POLICY],
    "TagResource": [ENVIRONMENT, QUEUE, DEFINITION, POLICY],
}
USES = {
    "CreateJobQueue": [ENVIRONMENT, POLICY],
    "UpdateJobQueue": [ENVIRONMENT, POLICY],
    "RegisterJobDefinition": [CONSUMABLE],
    "SubmitJob": [QUEUE, DEFINITION, f"{WHERE}:job-definition/d", CONSUMABLE],
}


@pytest.fixture(scope="module")
def document():
    return json.loads((iam_policy.FOLDER / "operator-policy.json").read_text())


def test_every_call_that_changes_aws_is_tried_here():
    mutating = {
        call.operation
        for call in CALLS
        if call.effect is not Effect.READS and call.part == "operator"
    }
    groups = {"CreatePlacementGroup", "DeletePlacementGroup"}
    assert mutating == MAKES.keys() | CHANGES.keys() | groups


def test_placement_groups_are_made_with_our_tag_and_only_ours_are_removed(document):
    group = "arn:aws:ec2:eu-central-1:111122223333:placement-group/g"
    creating = {"ec2:CreateAction": "CreatePlacementGroup"}
    assert allows(document, "ec2:CreatePlacementGroup", group, MAKING)
    assert allows(document, "ec2:CreateTags", group, MAKING | creating)
    assert allows(document, "ec2:DeletePlacementGroup", group, OURS)
    for wrong in (UNTAGGED, MAKING_FOR_OTHERS):
        assert not allows(document, "ec2:CreatePlacementGroup", group, wrong)
        assert not allows(document, "ec2:CreateTags", group, wrong | creating)
    assert not allows(document, "ec2:CreateTags", group, MAKING)
    assert not allows(document, "ec2:DeletePlacementGroup", group, THEIRS)


@pytest.mark.parametrize("operation", MAKES)
def test_what_is_made_must_carry_our_clusters_tag(document, operation):
    action, made = f"batch:{operation}", MAKES[operation]
    assert allows(document, action, made, MAKING)
    assert allows(document, "batch:TagResource", made, MAKING)
    for wrong in (UNTAGGED, MAKING_FOR_OTHERS):
        assert not allows(document, action, made, wrong)
        assert not allows(document, "batch:TagResource", made, wrong)


@pytest.mark.parametrize(
    ("operation", "resource"),
    [(operation, resource) for operation, found in CHANGES.items() for resource in found],
)
def test_only_what_carries_our_clusters_tag_is_changed_or_ended(document, operation, resource):
    action = f"batch:{operation}"
    assert allows(document, action, resource, OURS)
    assert not allows(document, action, resource, THEIRS)
    assert not allows(document, action, resource, UNTAGGED)


def test_nothing_of_another_cluster_is_taken_over_by_tagging_it(document):
    assert allows(document, "batch:TagResource", ENVIRONMENT, MAKING)
    assert not allows(document, "batch:TagResource", ENVIRONMENT, MAKING | THEIRS)


def test_a_job_that_is_there_is_never_tagged_or_untagged(document):
    for action in ("batch:TagResource", "batch:UntagResource"):
        assert not allows(document, action, JOB, OURS)


@pytest.mark.parametrize(
    ("operation", "resource"),
    [(operation, resource) for operation, found in USES.items() for resource in found],
)
def test_what_belongs_to_others_can_be_used_where_an_account_allows_it(
    document, operation, resource
):
    for context in (THEIRS, UNTAGGED):
        assert allows(document, f"batch:{operation}", resource, context | MAKING)


def test_no_statement_that_changes_batch_is_without_condition_but_for_what_may_be_used(document):
    free = {
        (action.removeprefix("batch:"), resource.rpartition(":")[2].partition("/")[0])
        for statement in document["Statement"]
        if "Condition" not in statement
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.removeprefix("batch:") in MAKES | CHANGES
    }
    used = {
        (operation, resource.removeprefix(f"{WHERE}:").partition("/")[0])
        for operation, found in USES.items()
        for resource in found
    }
    assert free == used


def test_no_log_group_but_batchs_own_is_read_until_somebody_adds_it(document):
    stream = "arn:aws:logs:eu-west-1:111122223333:log-group:{}:log-stream:simulate/default/0a1b"
    [statement] = [each for each in document["Statement"] if each.get("Sid") == "LogsGetLogEvents"]
    for group, allowed in (("/aws/batch/job", True), ("/climate", False), ("/aws/batch", False)):
        assert allows(document, "logs:GetLogEvents", stream.format(group), UNTAGGED) is allowed
    assert statement["Action"] == ["logs:GetLogEvents"], "the README names it"


def test_queues_of_others_are_changed_by_a_policy_of_its_own_and_only_what_nobody_has_marked(
    document,
):
    """`replacement.foreignQueues: Swap`. A JobQueue of another cluster would change it back."""
    text = (iam_policy.FOLDER / "foreign-queues-policy.json").read_text()
    besides = json.loads(text)
    assert not allows(document, "batch:UpdateJobQueue", QUEUE, UNTAGGED)
    assert allows(besides, "batch:UpdateJobQueue", QUEUE, UNTAGGED)
    assert not allows(besides, "batch:UpdateJobQueue", QUEUE, THEIRS)
    assert not allows(besides, "batch:UpdateJobQueue", ENVIRONMENT, UNTAGGED)
    (statement,) = besides["Statement"]
    assert statement["Action"] == ["batch:UpdateJobQueue"]
    assert CLUSTER_ID not in text, "the README says so"
    for page in ("deploy/iam/README.md", "docs/updates-and-replacement.md"):
        assert "foreign-queues-policy.json" in (iam_policy.FOLDER.parents[1] / page).read_text()


@pytest.mark.parametrize("file", sorted(iam_policy.FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_the_statements_that_people_add_to_have_names_of_their_own(file):
    statements = json.loads(file.read_text())["Statement"]
    names = [statement["Sid"] for statement in statements if "Sid" in statement]
    assert len(set(names)) == len(names)
    readme = (iam_policy.FOLDER / "README.md").read_text()
    for name in names:
        [(service, action)] = re.findall(r"^([A-Z][a-z]+)([A-Z]\w+)$", name)
        assert f"`{name}`" in readme or f"`{service.lower()}:{action}`" in readme


MANAGED, INLINE = 6144, 10_240  # characters without blanks that IAM takes; of a role inline, in all


def sizes(cluster_id: int) -> dict[str, int]:
    """Characters without blanks of each policy, with a cluster id of so many."""
    texts = {path.name: path.read_text() for path in iam_policy.FOLDER.glob("*.json")}
    filled = {name: text.replace(CLUSTER_ID, "c" * cluster_id) for name, text in texts.items()}
    return {
        name: len(json.dumps(json.loads(text), separators=(",", ":")))
        for name, text in filled.items()
    }


def test_the_readme_says_how_long_a_cluster_id_may_be():
    readme = " ".join((iam_policy.FOLDER / "README.md").read_text().split())
    [roomy] = re.findall(r"cluster id of up to (\d+) characters", readme)
    [spare] = re.findall(r"(\d+) characters to spare", readme)
    assert "6,144" in readme
    assert max(sizes(int(roomy)).values()) <= MANAGED - int(spare)


def test_the_readme_and_the_flag_say_from_which_cluster_id_on_the_policy_goes_into_the_role():
    readme = " ".join((iam_policy.FOLDER / "README.md").read_text().split())
    told = str(Settings.model_fields["cluster_id"].description)
    [most, fits] = re.findall(r"cluster ids of up to (\d+) characters; up to (\d+) each", readme)[0]
    assert f"Up to {most} characters; of more than {fits}," in told
    assert f"does with {int(fits) + 1} and more" in readme
    assert "10,240" in readme
    assert max(sizes(int(fits)).values()) <= MANAGED
    too_long = {name for name, size in sizes(int(fits) + 1).items() if size > MANAGED}
    assert too_long == {"operator-policy.json"}
    assert sizes(int(most))["operator-policy.json"] <= INLINE
    assert len(Settings(cluster_id="c" * int(most)).cluster_id) == int(most)
    with pytest.raises(ValueError, match=f"up to {most} letters"):
        Settings(cluster_id="c" * (int(most) + 1))


def test_the_readme_says_what_to_put_in_place_of_the_cluster_id():
    readme = (iam_policy.FOLDER / "README.md").read_text()
    assert f"sed s/{CLUSTER_ID}/" in readme
    assert CLUSTER_ID in (iam_policy.FOLDER / "operator-policy.json").read_text()
