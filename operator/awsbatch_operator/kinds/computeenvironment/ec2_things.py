"""A look at what EC2 has of the things around a compute environment: templates and its group."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import PLACEMENT_GROUP, ObjectKey, Resource
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner, holder
from awsbatch_operator.aws.capacity_ports import Ec2Port
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.instances import tags_of
from awsbatch_operator.capacity.looking import Lookout
from awsbatch_operator.kinds import outcomes
from awsbatch_operator.kinds.computeenvironment.placement import (
    Group,
    concerns_group,
    group_name,
    may_be_forgotten,
)
from awsbatch_operator.kinds.computeenvironment.spec import TemplateVersions
from awsbatch_operator.kinds.computeenvironment.versions import Templates, pins_in, to_look_up


@dataclass(frozen=True, slots=True)
class Ec2Things:
    """What was found; nothing where nobody has to know."""

    templates: Templates
    group: Group | None

    def matter(self, *, deleting: bool) -> bool:
        """Whether they say something, also of an environment that AWS does not have.

        In a deletion, a group that EC2 does not have says nothing.
        """
        group = self.group
        if deleting:
            return group is not None and not (group.detail is None and group.refusal is None)
        return group is not None or bool(self.templates.told or self.templates.refusal)


async def ec2_things(
    lookout: Lookout,
    resource: Resource,
    owner: Owner,
    scope: Scope,
    have: Mapping[str, Any],
    *,
    fresh: bool,
) -> Ec2Things:
    """Both; `have` is what AWS describes. Raises AwsError and NoTokenError.

    What the operator may not ask is told, and holds up nothing else of the environment.
    """
    templates = Templates()
    if not resource.deleting:
        templates = await _templates(lookout, resource, scope, have, fresh=fresh)
    known, group = concerns_group(resource, owner, have), None
    if known or may_be_forgotten(resource, have):
        group = await _group(lookout, group_name(owner), scope, fresh=fresh)
        if group.refusal and resource.deleting and not resource.annotations.get(PLACEMENT_GROUP):
            group = None  # none was ever made, so nothing has to be known of it
        elif not known and not group.is_ours(owner):
            group = None
    return Ec2Things(templates, group)


async def _templates(
    lookout: Lookout, resource: Resource, scope: Scope, have: Mapping[str, Any], *, fresh: bool
) -> Templates:
    resources = resource.spec.get("computeResources")
    if not isinstance(resources, Mapping) or not isinstance(
        resources.get("launchTemplate"), Mapping
    ):
        return Templates()
    track = resource.spec.get("launchTemplateVersions") == TemplateVersions.TRACK
    names = to_look_up(resource.spec, have, pins_in(resource), track=track)
    if not names:
        return Templates()
    try:
        return Templates(await lookout.ec2.template_versions(scope, names, fresh=fresh))
    except AwsError as error:
        return Templates(refusal=_refusal(error))


async def _group(lookout: Lookout, name: str, scope: Scope, *, fresh: bool) -> Group:
    try:
        found = await lookout.ec2.placement_groups(scope, [name], fresh=fresh)
    except AwsError as error:
        return Group(name, refusal=_refusal(error))
    return Group(name, found.get(name))


def _refusal(error: AwsError) -> Finding:
    """Why EC2 does not tell. Raises the error itself if it passes."""
    if not outcomes.denied(error):
        raise error
    return outcomes.finding(error)


async def given_templates(
    ec2: Ec2Port, scope: Scope, cluster_id: str, named: Collection[ObjectKey]
) -> frozenset[str]:
    """The launch templates that these ExtendedAMIs have made, by their tags.

    None if EC2 does not let us look: what is not known to be theirs is only told.
    """
    try:
        found = await ec2.launch_templates(scope)
    except AwsError as error:
        if not outcomes.denied(error):
            raise
        return frozenset()
    return frozenset(
        str(each["LaunchTemplateId"])
        for each in found
        if holder(tags_of(each), cluster_id) in named
    )
