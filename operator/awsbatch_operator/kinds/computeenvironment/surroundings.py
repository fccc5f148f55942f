"""A look at what surrounds an environment that is replaced, or is to be.

At rest nothing of this is read. What is read comes from the shared feeds, which ask AWS for all
environments and all queues of an account at once; tasks are counted only where an environment takes
no new jobs any more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.metadata import RESOLVED, Resource, Shape
from awsbatch_operator.api.names import default_aws_name, may_succeed
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.capacity_ports import EcsPort
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.computeenvironment.observed import Around, Observed, environments_of
from awsbatch_operator.kinds.computeenvironment.rediscovery import standing
from awsbatch_operator.kinds.lasting import whose

REPLACEMENT = "Replacement"  # status.plan.action


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Looks around. Raises AwsError and NoTokenError."""

    batch: BatchPort
    ecs: EcsPort
    cluster_id: str

    async def look(
        self, resource: Resource, resolved: ScopeRecord, scope: Scope, *, there: bool, fresh: bool
    ) -> Around | None:
        """What matters of it; None if nothing does. `there`: AWS has what serves.

        The record is not the only place to look: it may have been lost, or somebody may have put an
        older one back. Environments that carry the object's tags under a name of its own are found.
        """
        replaced = bool(resolved.successor or resolved.predecessors) or _is_planned(resource)
        unsure = not there or resource.deleting or RESOLVED not in resource.annotations
        if not replaced and not unsure:
            return None
        listed = await self.batch.compute_environments(scope, fresh=fresh and replaced)
        around = self._around(resource, resolved, listed)
        if not replaced and not (around.strays or around.remade):
            return None
        queues = await self.batch.job_queues(scope, fresh=fresh)
        names = {*resolved.names, *around.strays}
        around = replace(around, queues=_using(queues, _arns(listed, names)))
        counted = {
            name: await self._counted(other, around, scope) for name, other in around.others.items()
        }
        return replace(around, others=counted)

    def _around(self, resource: Resource, resolved: ScopeRecord, listed: Sequence[Shape]) -> Around:
        owner = Owner(self.cluster_id, resource.key, resource.uid)
        firsts = {resolved.aws_name, _first_name(resource, self.cluster_id)}
        named = {_name(detail): Observed(detail) for detail in listed}
        theirs = {name: whose(each, resource, owner) for name, each in named.items()}
        ours = {name for name, found in theirs.items() if found is Ownership.OURS}
        again = {name for name, found in theirs.items() if found is Ownership.RECREATED}
        others = [name for name in resolved.names if name != resolved.serving and name in named]
        unknown = {name for name in named if name not in resolved.names and _is_of(name, firsts)}
        return Around(
            others={name: named[name] for name in others if name in ours | again},
            foreign=frozenset(name for name in others if name not in ours | again),
            strays=_likeliest_first(unknown & ours, named),
            remade=_likeliest_first(unknown & again, named),
            names=frozenset(named),
        )

    async def _counted(self, other: Observed, around: Around, scope: Scope) -> Observed:
        """With the tasks that run in it, once it takes no new jobs."""
        return await counted(other, self.ecs, scope, used=bool(around.using(other.arn)))


def _likeliest_first(names: Collection[str], named: Mapping[str, Observed]) -> tuple[str, ...]:
    """By how likely each is the environment that took over last: not one that drains."""
    return tuple(sorted(names, key=lambda name: standing(named[name].detail), reverse=True))


async def counted(environment: Observed, ecs: EcsPort, scope: Scope, *, used: bool) -> Observed:
    """With the tasks that run in it, once it takes no new jobs. Raises AwsError and NoTokenError.

    `used`: queues use it, so that other things than tasks hold up its end.
    """
    if used or environment.state != "DISABLED" or environment.at_work:
        return environment
    cluster = str(environment.detail.get("ecsClusterArn") or "")
    return replace(environment, tasks=await ecs.tasks(scope, cluster) if cluster else 0)


def _is_planned(resource: Resource) -> bool:
    """Whether the status says that a replacement is about to begin."""
    return (resource.status.get("plan") or {}).get("action") == REPLACEMENT


def _first_name(resource: Resource, cluster_id: str) -> str:
    return str(resource.spec.get("awsName") or default_aws_name(cluster_id, resource.key))


def _is_of(name: str, firsts: Collection[str]) -> bool:
    return any(name == first or may_succeed(name, first) for first in firsts)


def _name(detail: Shape) -> str:
    return str(detail["computeEnvironmentName"])


def _arns(listed: Sequence[Shape], names: Collection[str]) -> frozenset[str]:
    return frozenset(
        str(detail["computeEnvironmentArn"]) for detail in listed if _name(detail) in names
    )


def _using(queues: Sequence[Shape], arns: Collection[str]) -> tuple[Shape, ...]:
    return tuple(queue for queue in queues if not set(arns).isdisjoint(environments_of(queue)))
