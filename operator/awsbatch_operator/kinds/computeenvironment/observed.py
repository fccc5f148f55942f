"""A compute environment as AWS has it, which queues use it, and its instances (values)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.computeenvironment.instances import Capacity
from awsbatch_operator.kinds.computeenvironment.placement import Group
from awsbatch_operator.kinds.computeenvironment.versions import Templates
from awsbatch_operator.kinds.lasting import Detail
from awsbatch_operator.kinds.queues import Use

_RETURNED_ONLY = frozenset(
    {"computeEnvironmentName", "computeEnvironmentArn", "ecsClusterArn", "tags", "status"}
    | {"statusReason", "containerOrchestrationType", "uuid", "context"}
)


@dataclass(frozen=True, slots=True)
class Observed(Detail):
    """DescribeComputeEnvironments' detail. `queues` are read only when that matters.

    It does when the environment is to go: with its object, or because it is INVALID.
    """

    queues: tuple[Use, ...] = ()
    capacity: Capacity | None = None  # None: no instances are launched for it, nor ever were
    templates: Templates = field(default_factory=Templates)  # as far as they had to be looked up
    given_templates: frozenset[str] = frozenset()  # ids, as far as it had to be looked up
    group: Group | None = None  # None: no placement group of ours is or was asked for
    around: "Around | None" = None  # None: not looked at; nothing of it matters
    tasks: int | None = None  # that run in its ECS cluster; None: not counted

    @property
    def present(self) -> bool:
        """Whether AWS has the environment. If not, the rest says what else there is of it."""
        return "computeEnvironmentName" in self.detail

    @property
    def arn(self) -> str:
        """The environment's ARN."""
        return str(self.detail.get("computeEnvironmentArn", ""))

    @property
    def mark(self) -> str:
        """What tells it from an earlier or later environment of the same name: AWS's own uuid.

        The ARN is made of the name, and so is the same for all of them.
        """
        return str(self.detail.get("uuid") or self.detail.get("ecsClusterArn") or "")

    @property
    def content(self) -> Mapping[str, Any]:
        """The members that a spec can have."""
        return {name: value for name, value in self.detail.items() if name not in _RETURNED_ONLY}

    @property
    def all_tags(self) -> Mapping[str, str]:
        """The tags of every environment of the object together, whichever serves."""
        return {key: text for tags in self.tagged.values() for key, text in tags.items()}

    def has_group_of(self, owner: Owner) -> bool:
        """Whether EC2 has a placement group that we have made for the owner."""
        return self.group is not None and self.group.is_ours(owner)

    def uses_group(self, name: str) -> bool:
        """Whether AWS launches instances into that placement group, for it or another one.

        One that drains, or is not wanted any more, still needs what it was made with.
        """
        others = () if self.around is None else self.around.others.values()
        return any(name == each.placement_group for each in (self, *others))

    @property
    def placement_group(self) -> str:
        """The placement group that AWS launches the instances into; "" if there is none."""
        resources = self.content.get("computeResources") or {}
        return str(resources.get("placementGroup") or "")

    @property
    def tagged(self) -> Mapping[str, Mapping[str, str]]:
        """The tags of every environment of the object, by ARN."""
        others = {} if self.around is None else self.around.others
        own = {self.arn: self.tags} if self.arn else {}
        return own | {each.arn: each.tags for each in others.values()}


@dataclass(frozen=True, slots=True)
class Around:
    """What matters of the account and region while an environment is replaced, or is to be.

    `others` are the environments of the object besides the one that serves, by name: its successor
    and its predecessors, as far as AWS has them. `foreign` are recorded names under which AWS has
    what is not the object's. `strays` are names of environments that are the object's by their
    tags and do not stand in its record, which was lost or put back; `remade` those of an earlier
    object of the same name; of both the first is the likeliest to be the one that serves.
    `names` are all environments that there are, whoever has them. `queues` are those that use an
    environment of the object.
    """

    others: Mapping[str, Observed] = field(default_factory=dict)
    foreign: frozenset[str] = frozenset()
    strays: tuple[str, ...] = ()
    remade: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    queues: tuple[Shape, ...] = ()

    def using(self, arn: str) -> tuple[Shape, ...]:
        """The queues that have the environment in their order."""
        return tuple(queue for queue in self.queues if arn in environments_of(queue))


def environments_of(queue: Shape) -> tuple[str, ...]:
    """The ARNs of the environments in the queue's order."""
    entries = queue.get("computeEnvironmentOrder") or ()
    return tuple(str(entry["computeEnvironment"]) for entry in entries)


@dataclass(frozen=True, slots=True)
class Other:
    """What a look must show of another environment of the object. Implements Expectation."""

    name: str
    expects: Any  # an Expectation about that environment

    def met(self, observed: Observed | None) -> bool:
        if observed is None or observed.around is None:
            return True
        return bool(self.expects.met(observed.around.others.get(self.name)))


@dataclass(frozen=True, slots=True)
class LeftQueue:
    """The queue's order has the environment no more. Implements Expectation."""

    queue: str
    environment: str

    def met(self, observed: Observed | None) -> bool:
        if observed is None or observed.around is None:
            return True
        using = observed.around.using(self.environment)
        return self.queue not in {str(queue["jobQueueArn"]) for queue in using}
