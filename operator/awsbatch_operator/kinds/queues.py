"""Which job queues in AWS stand in the way of a deletion (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import NAME, NAMESPACE


@dataclass(frozen=True, slots=True)
class Use:
    """A job queue that uses a compute environment or a scheduling policy."""

    name: str
    owner: str  # "namespace/name" of the JobQueue that made it, "" if none of ours did

    def __str__(self) -> str:
        if not self.owner:
            return f"{self.name} (no JobQueue of this operator)"
        return f"{self.name} (JobQueue {self.owner})"


def uses(queues: Sequence[Shape], arn: str) -> tuple[Use, ...]:
    """The queues that have the environment in their order, or the policy as theirs."""
    return tuple(_use(queue) for queue in queues if arn in _used_by(queue))


def _used_by(queue: Shape) -> set[str]:
    entries = queue.get("computeEnvironmentOrder") or ()
    return {str(entry["computeEnvironment"]) for entry in entries} | {
        str(queue.get("schedulingPolicyArn", ""))
    }


def _use(queue: Shape) -> Use:
    tags = queue.get("tags") or {}
    ours = NAMESPACE in tags and NAME in tags
    return Use(
        name=str(queue["jobQueueName"]),
        owner=f"{tags[NAMESPACE]}/{tags[NAME]}" if ours else "",
    )
