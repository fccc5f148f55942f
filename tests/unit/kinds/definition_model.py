"""A job definition in AWS as a model that takes the steps of plans."""

from dataclasses import replace
from typing import Any

from tests.unit.kinds.models import Model as AwsModel
from tests.unit.kinds.values import NOW, owner, resource, targets

from awsbatch_operator.api.tags import CONTENT
from awsbatch_operator.kinds.jobdefinition.desired import desired_definition
from awsbatch_operator.kinds.jobdefinition.observe import Observed
from awsbatch_operator.kinds.jobdefinition.plan import plan_definition
from awsbatch_operator.kinds.registrations import Revision


def spec(command: str, keep: int | None = None, **changes: Any) -> dict[str, Any]:
    container = {"image": "busybox", "command": [command]}
    kept = {} if keep is None else {"keepRevisions": keep}
    return {"type": "container", "containerProperties": container, **kept, **changes}


class Model(AwsModel):
    """AWS, as far as one definition goes, and what the status shows of it."""

    def __init__(self):
        super().__init__()
        self.revisions: list[Revision] = []
        self.last = 0
        self.registered: list[str] = []
        self.shown: list[dict[str, Any]] = []  # what the status lists
        self.users: tuple[Any, ...] = ()

    @property
    def newest(self):
        return max(self.revisions, key=lambda revision: revision.number)

    def observed(self):
        newest = sorted(self.revisions, key=lambda revision: -revision.number)
        recorded = {each["arn"]: each["contentHash"] for each in self.shown}
        return Observed(tuple(newest), recorded) if newest else None

    def register(self, tags, content, *, by_us=True):
        self.last += 1
        members = {k: v for k, v in content.items() if k not in {"keepRevisions", "tags"}}
        made = Revision(f"arn:{self.last}", self.last, tags, members)
        self.revisions.append(made)
        if by_us:
            self.registered.append(tags[CONTENT])
            time, mark = NOW.rfc3339(), tags[CONTENT]
            self.shown.append(
                {
                    "arn": made.arn,
                    "revision": made.number,
                    "contentHash": mark,
                    "registeredTime": time,
                }
            )

    def resource(self, of_spec):
        there = {one.arn for one in self.revisions}
        shown = [each for each in self.shown if each["arn"] in there]
        status = {"revisions": shown} if shown else {}
        return resource("JobDefinition", of_spec, status=status, annotations=self.annotations)

    def plan(self, of_spec):
        of = self.resource(of_spec)
        wanted = desired_definition(of, targets(users=self.users), owner(of))
        return plan_definition(wanted, self.observed(), NOW.plus(900))

    def apply(self, call):
        request = call.request
        match call.operation:
            case "RegisterJobDefinition":
                content = {
                    k: v for k, v in request.items() if k not in {"jobDefinitionName", "tags"}
                }
                self.register(request["tags"], content)
            case "DeregisterJobDefinition":
                gone = request["jobDefinition"]
                self.revisions = [one for one in self.revisions if one.arn != gone]
            case "TagResource":
                self._retag(request["resourceArn"], lambda have: {**have, **request["tags"]})
            case "UntagResource":
                gone = request["tagKeys"]
                self._retag(
                    request["resourceArn"],
                    lambda have: {k: v for k, v in have.items() if k not in gone},
                )
            case _:
                raise AssertionError(call)

    def _retag(self, arn, change):
        self.revisions = [
            replace(one, tags=change(one.tags)) if one.arn == arn else one for one in self.revisions
        ]

    def converge(self, of_spec):
        def plan():
            # A plan that only wants to look again gets its look.
            first = self.plan(of_spec)
            return first if first.steps or first.record else self.plan(of_spec)

        assert self.run(plan).look_again_seconds is None
