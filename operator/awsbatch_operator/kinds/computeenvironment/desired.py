"""What a ComputeEnvironment wants AWS to have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import PLACEMENT_GROUP, Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.account_limits import Room
from awsbatch_operator.kinds.computeenvironment.instances import has_capacity
from awsbatch_operator.kinds.computeenvironment.noops import without_noops
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.own_images import Given, filled
from awsbatch_operator.kinds.computeenvironment.placement import asks_for_group, group_name
from awsbatch_operator.kinds.computeenvironment.remaking import Remaking, remaking_in
from awsbatch_operator.kinds.computeenvironment.replacing_record import (
    Policy,
    Replacing,
    policy_of,
    replacing_in,
)
from awsbatch_operator.kinds.computeenvironment.spec import ComputeEnvironmentSpec
from awsbatch_operator.kinds.computeenvironment.update_record import UpdateRecord, update_record
from awsbatch_operator.kinds.computeenvironment.versions import Pins, Templates, pins_in
from awsbatch_operator.kinds.computeenvironment.versions import settled as with_numbers
from awsbatch_operator.kinds.lasting import reached_before
from awsbatch_operator.kinds.tagging import WantedTags, wanted_tags
from awsbatch_operator.kinds.terms import Terms, terms_of


@dataclass(frozen=True, slots=True)
class Desired:
    """`content` are AWS's members as the spec has them; `reached`: it was reached before.

    `retained`: what AWS has must not be removed. `was_deleting`: AWS was removing the environment
    when it was last looked at. `notes` are about the spec alone, and in nobody's way; `misfits` are
    what AWS must not be asked for. `given` is what the named ExtendedAMIs gave for it before.
    `room` says how many environments the account has. `recorded` has the names in AWS, `replacing`
    how far a replacement has come, and `users` are the objects that name this one.
    `has_instances`: the operator launches instances for it, or did.

    `pins` are the recorded numbers of launch templates. Once `settled`, `content` has numbers, and
    `pinned` is the record to be written of them; `untold`: EC2 has not told one; `complete`: the
    content has one for each all the same; `as_recorded` is the content with the numbers that were
    recorded before, None if one was not. `group`: the placement group that we make for it, "" if
    it asks for none; `grouped`: one was made, or was about to be.
    """

    owner: Owner
    name: str
    content: Mapping[str, Any]
    tags: WantedTags
    reached: bool
    generation: int = 0
    retained: bool = False
    was_deleting: bool = False
    remaking: Remaking = field(default_factory=Remaking)
    notes: tuple[Finding, ...] = ()
    misfits: tuple[Finding, ...] = ()
    given: Given = field(default_factory=Given)
    tracks_images: bool = False
    tracks_templates: bool = False
    pins: Pins = field(default_factory=Pins)
    pinned: Mapping[str, str] = field(default_factory=dict)
    untold: tuple[Finding, ...] = ()
    complete: bool = True
    as_recorded: Mapping[str, Any] | None = None
    update: UpdateRecord = field(default_factory=UpdateRecord)
    group: str = ""
    grouped: bool = False
    room: Room = field(default_factory=Room)
    terms: Terms = field(default_factory=Terms)
    recorded: ScopeRecord | None = None
    replacement: Policy = field(default_factory=Policy)
    replacing: Replacing = field(default_factory=Replacing)
    users: Sequence[Resource] = field(default=(), compare=False)
    has_instances: bool = False

    @property
    def managed(self) -> bool:
        """Whether AWS Batch runs the instances."""
        return bool(self.content.get("type") == "MANAGED")

    @property
    def replaceable(self) -> bool:
        """Whether another environment may take the place of this one, as far as the spec goes.

        What runs in the cluster of an UNMANAGED one, or on EKS, could not follow or be waited for.
        """
        cannot = self.has_instances or not self.managed or self.content.get("eksConfiguration")
        return not (cannot or self.replacement.refuse or self.terms.adopts_only)

    @property
    def state(self) -> str:
        """ENABLED or DISABLED; AWS's default is ENABLED."""
        return str(self.content.get("state", "ENABLED"))


def desired_environment(resource: Resource, targets: Targets, owner: Owner) -> Desired:
    """From the spec, and from the images that it refers to."""
    spec = ComputeEnvironmentSpec.model_validate(resource.spec)
    policy = resource.spec.get("deletionPolicy")
    group = group_name(owner) if asks_for_group(resource) else ""
    content = filled(_content(spec, group), resource.key.namespace, targets.found)
    return Desired(
        owner=owner,
        name=targets.aws_name,
        content=content.content,
        tags=wanted_tags(resource, owner.tags()),
        reached=reached_before(resource),
        terms=terms_of(resource),
        generation=resource.generation,
        retained=policy == "Retain" or (policy is None and targets.adopted),
        was_deleting=was_deleting(resource),
        remaking=remaking_in(resource),
        notes=_old_names(spec),
        misfits=content.misfits,
        given=content.given,
        tracks_images=spec.tracks_images,
        tracks_templates=spec.tracks_templates,
        pins=pins_in(resource),
        update=update_record(resource),
        group=group,
        grouped=bool(resource.annotations.get(PLACEMENT_GROUP)),
        recorded=targets.recorded,
        replacement=policy_of(resource.spec),
        replacing=replacing_in(resource),
        users=targets.users,
        has_instances=has_capacity(resource),
    )


def _content(spec: ComputeEnvironmentSpec, group: str) -> Mapping[str, Any]:
    content = without_noops(spec.aws)
    if group:
        resources = {**content["computeResources"], "placementGroup": group}
        content["computeResources"] = resources
    return content


def settled(desired: Desired, observed: Observed | None) -> Desired:
    """The same with numbers for what the spec says of launch templates in words."""
    have = {} if observed is None or not observed.present else observed.content
    templates = Templates() if observed is None else observed.templates
    found = with_numbers(
        desired.content, have, desired.pins, templates, track=desired.tracks_templates
    )
    before = with_numbers(desired.content, have, desired.pins, Templates(), track=False)
    return replace(
        desired,
        content=found.content,
        pinned=found.pins.record(desired.pins),
        untold=found.findings,
        complete=found.complete,
        as_recorded=before.content if before.complete else None,
    )


def _old_names(spec: ComputeEnvironmentSpec) -> tuple[Finding, ...]:
    """blockDurationMinutes, which manifests from AWS's own time of spot blocks have."""
    blocks = {
        pool.name: pool.spot_block.block_duration_minutes
        for pool in (spec.capacity.pools if spec.capacity else ())
        if pool.spot_block
    }
    return tuple(
        Finding(
            catalogue.OLD_NAME,
            f"spec.capacity.pools[name={name}].spotBlock.blockDurationMinutes is an old name.",
            f"Write durationSeconds: {minutes * 60} instead; the block stays as it is.",
        )
        for name, minutes in blocks.items()
        if minutes is not None
    )


def was_deleting(resource: Resource) -> bool:
    """Whether AWS had taken a deletion when the environment was last looked at."""
    return bool(resource.status.get("awsStatus") == "DELETING")
