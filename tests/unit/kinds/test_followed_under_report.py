"""driftPolicy Report: what the spec follows is taken over, and what was changed by hand stays."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.unit.kinds.environments import Model, managed, sent
from tests.unit.kinds.replacement_aws import Queue, arn
from tests.unit.kinds.replacement_model import spec as with_best_fit
from tests.unit.kinds.test_replacement import edit
from tests.unit.kinds.test_replacement_meetings import TEMPLATE as LATEST_NODES
from tests.unit.kinds.test_replacement_meetings import WithThings, templated
from tests.unit.kinds.test_replacement_states import until
from tests.unit.kinds.values import NOW, RECORDED, owner, ready, resource, targets

from awsbatch_operator.api import catalogue, replacing_reasons
from awsbatch_operator.api.metadata import INFRASTRUCTURE_UPDATE, TEMPLATE_VERSIONS
from awsbatch_operator.api.scope import Origin
from awsbatch_operator.kinds.computeenvironment.desired import (
    Desired,
    desired_environment,
    settled,
)
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.computeenvironment.status import shown_plan
from awsbatch_operator.kinds.computeenvironment.versions import Templates
from awsbatch_operator.kinds.scope_record import annotation
from awsbatch_operator.kinds.terms import Terms

VERSION = "computeResources.launchTemplate.version"
SIZE = "computeResources.maxvCpus"
IMAGE = "computeResources.updateToLatestImageVersion"
TRACK = {"driftPolicy": "Report", "launchTemplateVersions": "Track"}
LATEST = {"launchTemplateName": "web", "version": "$Latest"}
IMAGES = {"driftPolicy": "Report", "imageUpdates": "Track"}
NEWEST = {"updateToLatestImageVersion": True}


def spec(**resources: Any) -> dict[str, Any]:
    return managed(launchTemplate=LATEST, top=TRACK, **resources)


class Followed(Model):
    """An environment of an object that was Ready, and EC2 with the version of a template."""

    def __init__(self, wanted: dict[str, Any]) -> None:
        super().__init__()
        self.newest, self.wanted, self.reached, self.status = 3, wanted, False, {}
        self.run(self.next)
        self.reached, self.status = True, {"arn": "arn:ce"}

    def observed(self, queues: Any = ()) -> Observed:
        told = Templates({"name:web": {"LatestVersionNumber": self.newest}})
        return Observed(self.detail or {"tags": {}}, tuple(queues), templates=told)

    def desired(self) -> Any:
        of = resource("ComputeEnvironment", self.wanted, annotations=self.annotations)
        of = ready(of, **self.status) if self.reached else replace(of, status=self.status)
        return desired_environment(of, targets(), owner(of))

    def next(self) -> Any:
        return plan_environment(self.desired(), self.observed(), NOW)

    def shown(self) -> dict[str, Any]:
        return shown_plan(settled(self.desired(), self.observed()), self.observed())

    def by_hand(self, **resources: Any) -> None:
        self.detail["computeResources"] = {**self.detail["computeResources"], **resources}

    def announce(self, status: str = "UPDATE_AVAILABLE") -> None:
        self.by_hand(ec2Configuration=[{"imageType": "ECS_AL2023", "batchImageStatus": status}])


def test_a_newer_version_is_taken_over_and_is_no_drift():
    aws = Followed(spec())
    aws.newest = 4
    assert (aws.shown()["action"], aws.shown()["fields"]) == ("Infrastructure", [VERSION])
    plan = aws.next()
    assert sent(plan)["computeResources"]["launchTemplate"] == {**LATEST, "version": "4"}
    assert plan.drift == ()
    assert plan.announce["plan"]["action"] == "Infrastructure"
    assert plan.steps[0].note.reason is catalogue.UPDATED
    assert TEMPLATE_VERSIONS not in plan.record, "a step that waits for its token is not sent"
    aws.take_all(plan)
    assert '"name:web:$Latest":4' in aws.annotations[TEMPLATE_VERSIONS]
    plan = aws.next()
    assert (plan.steps, plan.drift) == ((), ())


def test_what_was_changed_by_hand_beside_it_is_listed_and_stays():
    aws = Followed(spec())
    aws.newest = 4
    aws.by_hand(maxvCpus=99, subnets=["subnet-9"])
    plan = aws.next()
    assert sent(plan)["computeResources"].keys() == {"launchTemplate", *NEWEST}
    assert plan.drift == (SIZE, "computeResources.subnets")


@pytest.mark.parametrize("theirs", [{**LATEST, "version": "7"}, {"launchTemplateId": "lt-9"}])
def test_a_template_that_was_changed_by_hand_is_not_brought_forward(theirs):
    aws = Followed(spec())
    aws.by_hand(launchTemplate=theirs)
    for newest in (3, 4):
        aws.newest = newest
        plan = aws.next()
        assert (plan.steps, plan.record) == ((), {})
        assert any(path.startswith("computeResources.launchTemplate") for path in plan.drift)
    assert aws.shown()["action"] == "None"


def test_a_pinned_version_is_no_drift_when_another_one_comes():
    aws = Followed({**spec(), "launchTemplateVersions": "Pin"})
    aws.newest = 4
    plan = aws.next()
    assert (plan.steps, plan.drift) == ((), ())


def test_a_process_that_dies_before_the_call_is_followed_even_if_another_version_has_come():
    aws = Followed(spec())
    aws.newest = 4
    plan = aws.next()
    aws.annotations |= {**plan.record, **plan.steps[0].record}
    for newest in (4, 5):
        aws.newest = newest
        plan = aws.next()
        assert sent(plan)["computeResources"]["launchTemplate"]["version"] == str(newest)
        assert plan.drift == ()


def test_an_update_of_the_image_alone_says_nothing_of_a_template_that_was_changed_by_hand():
    aws = Followed({**spec(), **IMAGES, "launchTemplateVersions": "Track"})
    aws.announce()
    plan = aws.next()
    aws.annotations |= {**plan.record, **plan.steps[0].record}
    aws.by_hand(launchTemplate={**LATEST, "version": "7"})
    plan = aws.next()
    assert sent(plan) == {"computeResources": NEWEST}
    assert plan.drift == (VERSION,)


def test_what_aws_has_taken_and_does_not_show_is_told_and_not_sent_again():
    aws = Followed(spec())
    aws.newest = 4
    plan = aws.next()
    aws.annotations |= {**plan.record, **plan.steps[0].record}
    aws.detail["status"] = "UPDATING"
    aws.annotations |= aws.next().record
    aws.detail["status"] = "VALID"
    plan = aws.next()
    assert plan.steps == ()
    assert [each.reason for each in plan.findings] == [replacing_reasons.UPDATE_NOT_SHOWN]


def test_while_aws_is_at_work_that_is_written_down_and_afterwards_forgotten():
    aws = Followed(spec())
    aws.newest = 4
    aws.take_all(aws.next())
    aws.detail["status"] = "UPDATING"
    plan = aws.next()
    assert '"taken":true' in plan.record[INFRASTRUCTURE_UPDATE]
    aws.annotations |= plan.record
    aws.detail["status"] = "VALID"
    aws.annotations |= aws.next().record
    assert aws.next().record == {}
    assert '"request":""' in aws.annotations[INFRASTRUCTURE_UPDATE]


def test_where_aws_exchanges_nothing_another_environment_follows_if_nothing_was_changed_by_hand():
    aws = Followed(spec(allocationStrategy="BEST_FIT"))
    aws.newest = 4
    assert aws.shown()["action"] == "Replacement"
    plan = aws.next()
    assert [each.reason for each in plan.findings] == [replacing_reasons.REPLACING]
    assert (plan.drift, plan.record) == ((), {}), "AWS was not sent the number yet"
    aws.by_hand(maxvCpus=99)  # the new one would be made without that
    plan = aws.next()
    assert (plan.findings, plan.drift) == ((), (VERSION, SIZE))
    assert aws.shown()["action"] == "None"


def test_an_announced_image_is_taken_over_once():
    aws = Followed(managed(top=IMAGES))
    aws.by_hand(maxvCpus=99)
    aws.announce()
    plan = aws.next()
    assert sent(plan) == {"computeResources": NEWEST}
    assert plan.drift == (SIZE,)
    aws.annotations |= {**plan.record, **plan.steps[0].record}
    aws.detail["status"] = "UPDATING"
    aws.annotations |= aws.next().record
    aws.detail["status"] = "VALID"
    plan = aws.next()
    assert (plan.steps, plan.drift) == ((), (SIZE,))


def just_taken_over(wanted):
    """Its record says that it was adopted, and no status was written since."""
    aws = Followed(wanted)
    recorded = annotation(replace(RECORDED, origin=Origin.ADOPTED), NOW)
    aws.annotations, aws.reached, aws.status = dict(recorded), False, {}
    return aws


def test_of_what_is_taken_over_the_image_that_was_announced_before_is_only_listed():
    """Whoever moves here sees first what would be changed. The next image is followed."""
    aws = just_taken_over(managed(top=IMAGES))
    aws.announce()
    for _ in range(2):
        plan = aws.next()
        assert (plan.steps, plan.drift) == ((), (IMAGE,))
        aws.annotations |= plan.record
        aws.reached, aws.status = True, {"arn": "arn:ce"}
    assert aws.next().record == {}
    aws.announce("UP_TO_DATE")
    aws.annotations |= aws.next().record
    aws.announce()
    assert sent(aws.next()) == {"computeResources": NEWEST}


def test_of_what_is_taken_over_an_edit_takes_the_announced_image_along():
    aws = just_taken_over(managed(top=IMAGES))
    aws.announce()
    aws.annotations |= aws.next().record
    aws.status = {"arn": "arn:ce"}  # of another generation than the one that counts as reached
    assert sent(aws.next()) == {"computeResources": NEWEST}


def test_a_hand_made_change_that_is_repaired_is_told_as_a_drift_beside_what_is_followed():
    aws = Followed({**spec(), "driftPolicy": "Correct"})
    aws.newest = 4
    assert aws.next().steps[0].note.reason is catalogue.UPDATED
    aws.by_hand(launchTemplate={**LATEST, "version": "7"})
    assert aws.next().steps[0].note.reason is catalogue.DRIFT_REPAIRED


def tracked_with_best_fit() -> dict[str, Any]:
    """AWS exchanges no instances of it, so a newer version takes another environment."""
    tracked = with_best_fit("subnet-1", launchTemplateVersions="Track")
    tracked["computeResources"]["launchTemplate"] = LATEST_NODES
    return tracked


def test_a_version_that_comes_while_the_new_environment_is_made_has_another_one_made_after_it():
    """Else the new one would neither be as the spec says nor ever become so."""
    world = WithThings()
    world.settle()
    edit(world, tracked_with_best_fit())
    until(world, lambda: len(world.environments) == 2)
    world.newest = 4
    world.settle()
    assert templated(world) == {"4"}
    assert len(world.environments) == 1


@dataclass
class Reporting(WithThings):
    """An object with environments and queues, whose drift is only reported once it stands."""

    stands: bool = False

    @property
    def desired(self) -> Desired:
        found = super().desired
        return replace(found, terms=Terms(reports=True)) if self.stands else found


@pytest.mark.parametrize("dies", range(8))
def test_a_newer_version_that_takes_another_environment_is_followed_to_the_end(dies):
    world = Reporting()
    world.settle()
    edit(world, tracked_with_best_fit())
    world.settle()
    first = world.recorded.serving
    world.queues.append(Queue("main", [arn(first)]))
    world.stands = True
    world.turn()
    world.newest = 4
    for turn in range(4):
        world.turn(ends_after=dies % 2 if turn == dies // 2 else 99)
    world.settle()
    assert templated(world) == {"4"}
    assert world.environments.keys() == {world.recorded.serving} != {first}
    assert world.queues[0].order == [arn(world.recorded.serving)]
    plan = world.plan()
    assert (plan.drift, plan.record) == ((), {})
