"""Which definitions that stand in jobs a turn has to know of, and the looks for them."""

from dataclasses import dataclass

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.kinds.batchjob.inline import (
    Place,
    inline_of,
    let_go_by,
    recorded_at,
    used_by,
)
from awsbatch_operator.kinds.batchjob.inline_registering import InlineDefinitions
from awsbatch_operator.kinds.batchjob.observed import Observed
from awsbatch_operator.kinds.contract import Removal


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRemoval(Removal):
    """`definitions`: what its records name of definitions that stand in jobs."""

    definitions: frozenset[Place] = frozenset()


def removal_of(resource: Resource, removal: Removal, cluster_id: str) -> Removal:
    """The removal of a job, with the definitions that it has to look after."""
    if removal.recorded is None:
        return removal
    account_id, region = removal.recorded.account_id, removal.recorded.region
    return JobRemoval(
        owner=removal.owner,
        recorded=removal.recorded,
        users=removal.users,
        going=removal.going,
        since=removal.since,
        sent=removal.sent,
        refused_roles=removal.refused_roles,
        definitions=_at_the_end(resource, account_id, region, cluster_id),
    )


def is_last(resource: Resource, definitions: InlineDefinitions) -> bool:
    """Whether AWS may have a definition that stands in jobs, and only this one needs it."""
    return any(
        not definitions.is_gone(place) and not definitions.users.need(place, resource.key)
        for place in used_by(resource)
    )


async def learn_definitions(
    resource: Resource,
    scope: Scope,
    observed: Observed | None,
    definitions: InlineDefinitions,
    *,
    may_be_sent: bool,
    fresh: bool,
) -> None:
    """Know what AWS has of them, as far as this turn may need it.

    `may_be_sent`: its plan may have a submission, of a first run or a further one.
    Raises AwsError and NoTokenError.
    """
    key, cluster_id = resource.key, definitions.cluster_id
    if resource.deleting:
        if observed is None or not observed.alive:
            places = _at_the_end(resource, scope.account_id, scope.region, cluster_id)
            await definitions.learn_all(scope, places, key, fresh=fresh)
        return
    left = let_go_by(resource, scope.account_id, scope.region)
    await definitions.learn_all(scope, left, key, fresh=fresh)
    inline = inline_of(resource, cluster_id) if may_be_sent else None
    if inline is not None:
        await definitions.learn(scope, inline, fresh=fresh)


def _at_the_end(
    resource: Resource, account_id: str, region: str, cluster_id: str
) -> frozenset[Place]:
    """What a deletion has to look after; where every record was taken away, today's definition."""
    places = recorded_at(resource, account_id, region)
    inline = None if places else inline_of(resource, cluster_id)
    return places if inline is None else frozenset({Place(account_id, region, inline.name)})
