"""What decides about a replacement, and what forbids it: told before anything is sent (pure)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.references import references
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.kinds.computeenvironment import images
from awsbatch_operator.kinds.computeenvironment.changes import Change, Differences
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.instances import OwnPlan
from awsbatch_operator.kinds.computeenvironment.members import IMAGE_UPDATE, TEMPLATE, under
from awsbatch_operator.kinds.computeenvironment.observed import Around, Observed
from awsbatch_operator.kinds.computeenvironment.retiring import (
    Retirement,
    blocked_by,
    may_swap,
)
from awsbatch_operator.kinds.queues import uses

Make = Callable[[Desired], OwnPlan]
"""The plan that creates an environment as desired, by the name of what is desired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """All that decides about one turn of it. `found`: None if AWS has nothing that serves."""

    desired: Desired
    observed: Observed
    found: Differences | None
    recorded: ScopeRecord
    around: Around
    now: Instant
    make: Make
    wanted: bool  # a new environment is to take the place of the one that serves

    @property
    def successor(self) -> Observed | None:
        """The environment that is made to follow; None if AWS has none of its name."""
        return self.around.others.get(self.recorded.successor)

    @property
    def renamed(self) -> Desired:
        """What is desired, of the successor."""
        return replace(self.desired, name=self.recorded.successor)

    @property
    def refused(self) -> Finding | None:
        """What forbids it."""
        return impossible(self.desired, self.observed, self.found)

    @property
    def makes(self) -> bool:
        """Whether the successor is wanted, and nothing forbids it."""
        return self.wanted and self.refused is None

    @property
    def why(self) -> str:
        """Why the environment that serves has to give way."""
        return what_for(self.observed, self.found)

    def retirement(self, name: str) -> Retirement:
        """How an environment of the object goes that AWS has."""
        desired, environment = self.desired, self.around.others[name]
        serves = self.observed.present and self.observed.status == "VALID"
        return Retirement(
            name=name,
            environment=environment,
            queues=self.around.using(environment.arn),
            heir=self.observed.arn if serves else "",
            followers=followers_of(desired),
            swap=desired.replacement.swap,
            kept=desired.retained and name in self.recorded.predecessors,
            role=str(desired.content.get("serviceRole") or ""),
            drain_seconds=desired.replacement.drain_seconds,
            replaced=frozenset(self.around.others[each].arn for each in self._left),
        )

    @property
    def _left(self) -> tuple[str, ...]:
        """The names of those that it was replaced from, and that AWS still has."""
        return tuple(each for each in self.recorded.predecessors if each in self.around.others)


def impossible(desired: Desired, observed: Observed, found: Differences | None) -> Finding | None:
    """Why no new environment takes the place of this one; None if one may."""
    what = what_for(observed, found)
    if desired.replacement.refuse:
        return Finding(
            catalogue.REPLACEMENT_NEEDED,
            f"{what} It takes a new environment in its place, which spec.replacement.policy Refuse "
            "does not allow.",
            "Undo the change, or set spec.replacement.policy to BlueGreen.",
        )
    if desired.terms.adopts_only:
        return Finding(
            catalogue.REPLACEMENT_NEEDED,
            f"{what} It takes a new environment in its place, and adoptionPolicy Adopt makes none.",
            "Undo the change, or set spec.adoptionPolicy to AdoptOrCreate.",
        )
    contents = (desired.content, observed.content) if observed.present else (desired.content,)
    remedy = "Undo the change, or delete this object and create it again."
    if desired.has_instances or any(each.get("type") == "UNMANAGED" for each in contents):
        return Finding(
            catalogue.REPLACEMENT_NEEDED,
            f"{what} A new environment would have an ECS cluster of its own, and the instances of "
            "an UNMANAGED environment stay in the cluster that they have joined: jobs would wait "
            "in the new one for ever.",
            remedy,
        )
    if any(each.get("eksConfiguration") for each in contents):
        return Finding(
            catalogue.REPLACEMENT_NEEDED,
            f"{what} Whether jobs still run in an environment on EKS cannot be seen in AWS, so it "
            "is not replaced.",
            remedy,
        )
    return images.refusal(desired.content)


def what_for(observed: Observed, found: Differences | None) -> str:
    """What is the case with the environment that serves."""
    if found is not None and found.beyond:
        return f"AWS cannot change {', '.join(found.beyond)} of an environment that exists."
    return observed.words if observed.present else "The environment that served is gone."


def blocked(
    desired: Desired, observed: Observed, around: Around, *, room: bool = False
) -> Finding | None:
    """Why it must not begin, or go on to promote the new one; None if it may.

    `room`: the account must have room for one environment more.
    """
    if observed.present:
        using = around.using(observed.arn)
        followers, swap = followers_of(desired), desired.replacement.swap
        found = [use for use in uses(using, observed.arn) if not use.going]
        stay = [use for use in found if use.arn not in followers and not may_swap(use, swap=swap)]
        if stay:
            return blocked_by(desired.name, stay, swap=swap)
    full = desired.room.refusal(own=int(observed.present)) if room else None
    if full is None:
        return None
    words = f"A new environment is made before {desired.name} goes. {full.message}"
    return replace(full, message=words)


def may_serve(it: Replacement, new: Observed, found: Differences) -> bool:
    """Whether the new environment is as the spec says, or will be once it serves.

    A newer version of a launch template, or a newer image, may have come since it was made for this
    generation. That is followed as in any environment that serves: AWS exchanges the instances, or
    yet another environment takes its place. What the spec itself says otherwise by now has another
    one made instead.
    """
    if found.in_place or new.status != "VALID":
        return False
    comes_later = (IMAGE_UPDATE, *((TEMPLATE,) if it.desired.tracks_templates else ()))
    if found.change is Change.INFRASTRUCTURE or all(
        under(each, comes_later) for each in found.beyond
    ):
        return not found.beyond or it.desired.replacing.generation == it.desired.generation
    return False


def followers_of(desired: Desired) -> frozenset[str]:
    """The ARNs of the queues whose JobQueues name the object: they follow by themselves.

    Those that name its environment by ARN are among its users as well, and do not.
    """
    return frozenset(
        str(user.status["arn"])
        for user in desired.users
        if user.key.kind == "JobQueue" and "arn" in user.status and _names(user, desired)
    )


def _names(user: Resource, desired: Desired) -> bool:
    return any(each.target == desired.owner.key for each in references(user))
