"""Where a replacement meets what else happens: updates, drift, adoption, the object's end."""

from dataclasses import dataclass, replace
from typing import Any

from tests.unit.kinds.environments import managed
from tests.unit.kinds.replacement_aws import Queue, arn
from tests.unit.kinds.replacement_model import World, spec
from tests.unit.kinds.test_replacement import FIRST, edit, standing
from tests.unit.kinds.test_replacement_states import creating, draining, operations_of, until

from awsbatch_operator.api.metadata import PLACEMENT_GROUP, TEMPLATE_VERSIONS
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.placement import Group, group_name
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
from awsbatch_operator.kinds.computeenvironment.versions import Templates
from awsbatch_operator.kinds.tagging import unmarked
from awsbatch_operator.kinds.terms import Terms

TEMPLATE = {"launchTemplateName": "nodes", "version": "$Latest"}


@dataclass
class WithThings(World):
    """With a launch template, and a placement group that stands."""

    newest: int = 3
    group: bool = False

    def look(self) -> Observed | None:
        found = super().look()
        if found is None:
            return None
        told = Templates({"name:nodes": {"LatestVersionNumber": self.newest}})
        return replace(found, templates=told, group=self._group())

    def _group(self) -> Group | None:
        if not self.group:
            return None
        tags = [{"Key": key, "Value": value} for key, value in self.desired.owner.tags().items()]
        return Group(group_name(self.desired.owner), {"Tags": tags})

    def call(self, operation: str, request: Any) -> None:
        if operation == "DeletePlacementGroup":
            self.group = False
        else:
            super().call(operation, request)


def updatable(**top: Any) -> dict[str, Any]:
    """What AWS can exchange the instances of, unlike of what stood before."""
    resources = {"subnets": ["subnet-1"], "launchTemplate": TEMPLATE}
    return managed(**resources, top=top)


def templated(world: World) -> set[str]:
    """The versions that the environments have."""
    have = (each["computeResources"] for each in world.environments.values())
    return {each["launchTemplate"]["version"] for each in have if "launchTemplate" in each}


def test_a_newer_version_of_a_template_does_not_hold_up_the_successor_that_has_the_one_before():
    world = standing_with_things()
    edit(world, updatable(launchTemplateVersions="Track"))
    until(world, lambda: len(world.environments) == 2)
    world.newest = 4
    until(world, lambda: "Promoted" in world.told)
    assert world.calls.count("CreateComputeEnvironment") == 1
    until(world, lambda: templated(world) == {"4"})


def test_the_number_that_a_successor_was_made_with_is_recorded_while_the_old_one_is_updating():
    world = standing_with_things()
    edit(world, updatable())
    world.environments[FIRST]["status"] = "UPDATING"
    world.turn()
    world.turn()
    assert len(world.environments) == 2
    assert '"name:nodes:$Latest":3' in world.annotations[TEMPLATE_VERSIONS]


def test_a_drift_is_told_while_the_environment_before_drains():
    world = standing()
    draining(world)
    name = world.recorded.serving
    have = world.environments[name]
    world.environments[name] = {
        **have,
        "computeResources": {**have["computeResources"], "maxvCpus": 99},
    }
    reports = replace(world.desired, terms=Terms(reports=True))
    plan = plan_environment(reports, world.look(), world.now)
    assert plan.drift == ("computeResources.maxvCpus",)


def test_no_remaking_is_announced_for_an_object_that_only_reports_drift():
    world = standing()
    world.queues.clear()
    world.environments[FIRST] |= {
        "status": "INVALID",
        "statusReason": "CLIENT_ERROR - The ECS cluster was not found",
    }
    observed = world.look()
    assert observed is not None
    assert shown_plan(world.desired, observed)["action"] == "Replacement"
    reports = replace(world.desired, terms=Terms(reports=True))
    assert shown_plan(reports, observed)["action"] == "None"


def standing_with_things(**changes: Any) -> WithThings:
    """As `standing`, with what is around the environment."""
    world = WithThings(**changes)
    world.settle()
    world.queues.append(Queue("main", [arn(FIRST)]))
    world.calls.clear()
    world.told.clear()
    return world


def with_a_group_that_only_the_old_one_uses() -> WithThings:
    world = standing_with_things()
    draining(world)
    world.group = True
    world.annotations[PLACEMENT_GROUP] = group_name(world.desired.owner)
    used = {"placementGroup": group_name(world.desired.owner)}
    have = world.environments[FIRST]
    resources = {**have["computeResources"], **used}
    world.environments[FIRST] = {**have, "computeResources": resources}
    return world


def test_the_placement_group_stands_as_long_as_an_environment_that_drains_uses_it():
    world = with_a_group_that_only_the_old_one_uses()
    assert "DeletePlacementGroup" not in operations_of(world)
    world.settle()
    assert not world.group
    assert FIRST not in world.environments


def test_in_a_deletion_the_placement_group_goes_after_all_environments():
    world = with_a_group_that_only_the_old_one_uses()
    world.delete()
    until(world, lambda: world.recorded.serving not in world.environments)
    for _ in range(4):
        world.turn()
        world.tick()
    assert FIRST in world.environments
    assert world.group
    world.settle()
    assert world.environments == {}
    assert not world.group


def test_what_was_adopted_and_stays_loses_our_tags_in_all_of_its_environments():
    world = standing()
    draining(world)
    plan = unmarked(world.look())
    untagged = {action.request["resourceArn"] for action in plan.actions}
    assert untagged == {arn(name) for name in world.environments}


def test_jobs_that_run_in_an_environment_which_is_in_no_queue_any_more_outlive_its_deletion():
    world = standing()
    world.start_job(world.queues[0])
    running = dict(world.tasks)
    world.delete()
    world.tasks = running
    for _ in range(9):
        world.turn()
        world.tick()
    assert FIRST in world.environments  # the model asserts that no job is ended
    assert [each.reason.name for each in world.plan().findings] == ["Draining"]
    world.end_jobs()
    assert world.settle().released
    assert "DrainTimedOut" not in world.told


def test_a_deletion_ends_jobs_that_run_on_after_the_drain_timeout_and_tells_it():
    world = standing()
    world.spec = spec(replacement={"drainTimeoutSeconds": 300})
    world.start_job(world.queues[0])
    running = dict(world.tasks)
    world.delete()
    world.tasks = running
    until(world, lambda: bool(world.plan().findings))
    since, world.may_end_jobs = world.now, True
    until(world, lambda: FIRST not in world.environments)
    assert 250 < world.now.since(since) < 400
    assert "DrainTimedOut" in world.told


def test_a_deletion_of_an_idle_environment_writes_no_record_of_its_draining():
    world = standing()
    before = dict(world.annotations)
    world.delete()
    assert world.settle().released
    assert world.annotations.keys() == before.keys()


TEAM: dict[str, Any] = {"tags": {"team": "climate"}}


def tags_in_aws(world: World) -> set[str]:
    """The keys of the user's tags, in all environments."""
    found = {key for each in world.environments.values() for key in each["tags"]}
    return {key for key in found if not key.startswith("awsbatch.dev/")}


def test_a_tag_that_leaves_the_spec_while_the_successor_is_made_leaves_that_too():
    world = standing(spec=spec(**TEAM))
    edit(world, spec("subnet-2", **TEAM))
    until(world, lambda: len(world.environments) == 2)
    edit(world, spec("subnet-2"))
    for _ in range(3):  # AWS takes its time to make it
        world.turn()
    world.settle()
    assert tags_in_aws(world) == set()


def test_a_tag_that_a_successor_was_made_with_is_ours_though_aws_was_at_work_on_the_old_one():
    world = standing()
    edit(world, spec("subnet-2", **TEAM))
    world.environments[FIRST]["status"] = "UPDATING"
    world.turn()
    world.turn()
    assert len(world.environments) == 2
    edit(world, spec("subnet-2"))
    world.settle()
    assert tags_in_aws(world) == set()


def test_a_tag_that_somebody_else_has_put_on_the_successor_stays():
    world = standing(spec=spec(**TEAM))
    edit(world, spec("subnet-2"))
    until(world, lambda: len(world.environments) == 2)
    (new,) = world.environments.keys() - {FIRST}
    have = world.environments[new]
    world.environments[new] = {**have, "tags": {**have["tags"], "billing": "42"}}
    world.settle()
    assert tags_in_aws(world) == {"billing"}


def test_what_holds_up_a_deletion_is_not_said_in_words_of_a_replacement():
    """Whoever deletes an object does not want to hear how its replacement would go on."""
    world = standing()
    draining(world)
    del world.environments[world.recorded.serving]  # by hand
    world.delete()
    world.queues.append(Queue("theirs", [arn(FIRST)], follows=False, owner=""))
    world.now = world.now.plus(600)  # nobody deletes the queue as well
    (finding,) = world.plan().findings
    assert finding.reason.name == "StillInUse"
    assert FIRST in finding.message
    assert "theirs (no JobQueue of this operator)" in finding.message
    assert "successor" not in finding.text()
    assert "foreignQueues" not in finding.text()
    world.queues.clear()
    world.environments[FIRST]["status"] = "UPDATING"
    reasons = {each.reason.name for each in world.plan().findings}
    assert reasons == {"Updating"}


def test_two_predecessors_in_one_queue_of_others_are_exchanged_by_one_and_the_same_call():
    """The second call would otherwise put back what the first one has taken out."""
    world = standing()
    world.spec = spec(replacement={"foreignQueues": "Swap"})
    draining(world)
    world.start_job(world.queues[0])
    edit(world, spec("subnet-3", replacement={"foreignQueues": "Swap"}))
    until(world, lambda: len(world.recorded.predecessors) == 2)
    both = [arn(name) for name in world.recorded.predecessors]
    for name in world.recorded.predecessors:
        world.environments[name] = {**world.environments[name], "state": "ENABLED"}
    world.queues.append(Queue("theirs", both, follows=False, owner=""))
    requests = [
        action.request for action in world.plan().actions if action.operation == "UpdateJobQueue"
    ]
    (entry,) = {str(request["computeEnvironmentOrder"]) for request in requests}
    assert len(requests) == 2
    assert arn(world.recorded.serving) in entry


def test_the_successor_in_creation_is_not_in_the_way_of_what_serves():
    world = standing()
    creating(world)
    world.delete()
    assert world.settle().released
    assert world.environments == {}
