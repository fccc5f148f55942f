"""What a JobQueue wants AWS to have, with its references resolved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.account_limits import Room
from awsbatch_operator.kinds.jobqueue.spec import JobQueueSpec
from awsbatch_operator.kinds.lasting import reached_before
from awsbatch_operator.kinds.scope_record import recorded_in
from awsbatch_operator.kinds.tagging import WantedTags, wanted_tags
from awsbatch_operator.kinds.terms import Terms, terms_of


@dataclass(frozen=True, slots=True)
class Desired:
    """`content` are AWS's members with ARNs in the place of references.

    `waiting` are the environments (ARN: name and why) that are not VALID, or are being deleted: AWS
    takes only VALID ones into a queue, so a queue that has them keeps them, and no queue gets them.
    `room` is what the account has of queues. `moved` are environments that were replaced, by the
    ARN of the one before (old: new).
    """

    owner: Owner
    name: str
    content: Mapping[str, Any]
    waiting: Mapping[str, str]
    tags: WantedTags
    reached: bool
    room: Room = field(default_factory=Room)
    terms: Terms = field(default_factory=Terms)
    moved: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> str:
        """ENABLED or DISABLED; AWS's default is ENABLED."""
        return str(self.content.get("state", "ENABLED"))


def desired_queue(resource: Resource, targets: Targets, owner: Owner) -> Desired:
    """From the spec and what its references were resolved to."""
    spec = JobQueueSpec.model_validate(resource.spec)
    content = {**spec.aws}
    namespace, waiting, moved = resource.key.namespace, {}, dict[str, str]()
    order = []
    for entry in spec.environments:
        reference = entry["computeEnvironmentRef"]
        arn = _arn(reference, "ComputeEnvironment", namespace, targets)
        order.append({"order": entry["order"], "computeEnvironment": arn})
        why = _not_taken(reference, namespace, targets)
        if why:
            waiting[arn] = f"{reference['name']} ({why})"
        else:
            moved |= dict.fromkeys(_before(reference, arn, namespace, targets), arn)
    content["computeEnvironmentOrder"] = order
    policy = resource.spec.get("schedulingPolicyRef")
    if policy is not None:
        content["schedulingPolicyArn"] = _arn(policy, "SchedulingPolicy", namespace, targets)
    return Desired(
        owner=owner,
        name=targets.aws_name,
        content=content,
        waiting=waiting,
        tags=wanted_tags(resource, owner.tags()),
        reached=reached_before(resource),
        terms=terms_of(resource),
        moved=moved,
    )


def _arn(reference: Shape, kind: str, namespace: str, targets: Targets) -> str:
    if "arn" in reference:
        return str(reference["arn"])
    return targets.arn(ObjectKey(kind, namespace, reference["name"]))


def _before(reference: Shape, arn: str, namespace: str, targets: Targets) -> list[str]:
    """The ARNs of the environments that the one of this ARN has taken over from."""
    if "arn" in reference:
        return []
    target = targets.found[ObjectKey("ComputeEnvironment", namespace, reference["name"])]
    try:
        recorded = recorded_in(target)
    except RecordError:
        return []
    place = arn.rpartition("/")[0]
    return [f"{place}/{name}" for name in (recorded.predecessors if recorded else ())]


def _not_taken(reference: Shape, namespace: str, targets: Targets) -> str:
    """Why AWS would not take the environment into a queue, as far as we know; "" if it would."""
    if "arn" in reference:
        return ""  # AWS will say
    target = targets.found[ObjectKey("ComputeEnvironment", namespace, reference["name"])]
    if target.deleting:
        return "being deleted"
    status = str(target.status.get("awsStatus", "unknown"))
    return "" if status == "VALID" else status


def waits_for_jobs(resource: Resource) -> bool:
    """Whether deletion waits for the jobs in the queue; otherwise AWS terminates them."""
    return bool(_drain(resource).get("policy", "Wait") != "Terminate")


def drain_timeout(resource: Resource) -> float:
    """Seconds after which they are terminated all the same; 0: as long as they take."""
    seconds = _drain(resource).get("timeoutSeconds", 0)
    return float(seconds) if isinstance(seconds, int) else 0.0


def _drain(resource: Resource) -> Shape:
    """The spec's own words: deletion must work with a spec that is not sound, too."""
    drain = resource.spec.get("drain")
    return drain if isinstance(drain, Mapping) else {}
