"""Which job queues in AWS stand in the way of a deletion (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import CLUSTER, NAME, NAMESPACE
from awsbatch_operator.api.words import some_of
from awsbatch_operator.kinds.blockers import blocked, shown_by_going
from awsbatch_operator.kinds.contract import Removal


@dataclass(frozen=True, slots=True)
class Use:
    """A job queue that uses a compute environment or a scheduling policy."""

    name: str
    owner: str  # "namespace/name" of the JobQueue that made it, "" if none did
    arn: str = ""
    going: bool = False  # AWS is deleting it
    cluster: str = ""  # of that JobQueue

    def __str__(self) -> str:
        return self.seen_from(self.cluster)

    def seen_from(self, cluster: str) -> str:
        """The queue, and whose it is, to somebody in that cluster."""
        if not self.owner:
            return f"{self.name} (no JobQueue of this operator)"
        elsewhere = "" if self.cluster == cluster else f" of the cluster {self.cluster}"
        return f"{self.name} (JobQueue {self.owner}{elsewhere})"


def uses(queues: Sequence[Shape], arn: str) -> tuple[Use, ...]:
    """The queues that have the environment in their order, or the policy as theirs."""
    return tuple(_use(queue) for queue in queues if arn in _used_by(queue))


def in_use(
    removal: Removal, now: Instant, queues: Sequence[Use], *, words: str, remedy: str
) -> Finding:
    """That these queues stand in the way; `words` with their names, those that stay."""
    going = set(shown_by_going(removal, "arn"))
    staying = [use for use in queues if not use.going and use.arn not in going]
    here = removal.owner.cluster_id
    message = words.format(some_of([use.seen_from(here) for use in staying or queues]))
    finding = Finding(catalogue.STILL_IN_USE, message, remedy)
    return blocked(removal, now, by_others=bool(staying), finding=finding)


def exchanged(order: Sequence[Shape], heirs: Mapping[str, str]) -> list[dict[str, Any]]:
    """The order with environments (ARNs) exchanged for their heirs, each of them named once.

    An heir that the order has already stays in its own place: AWS takes no environment twice, and
    two that were replaced may have the same heir.
    """
    named = {str(entry["computeEnvironment"]) for entry in order}
    kept = []
    for entry in order:
        arn = str(entry["computeEnvironment"])
        heir = heirs.get(arn, arn)
        if heir != arn and heir in named:
            continue
        named.add(heir)
        kept.append({**entry, "computeEnvironment": heir})
    return kept


def _used_by(queue: Shape) -> set[str]:
    entries = queue.get("computeEnvironmentOrder") or ()
    return {str(entry["computeEnvironment"]) for entry in entries} | {
        str(queue.get("schedulingPolicyArn", ""))
    }


def _use(queue: Shape) -> Use:
    tags = queue.get("tags") or {}
    ours = CLUSTER in tags and NAMESPACE in tags and NAME in tags
    return Use(
        name=str(queue["jobQueueName"]),
        arn=str(queue["jobQueueArn"]),
        going=queue.get("status") == "DELETING",
        owner=f"{tags[NAMESPACE]}/{tags[NAME]}" if ours else "",
        cluster=tags[CLUSTER] if ours else "",
    )
