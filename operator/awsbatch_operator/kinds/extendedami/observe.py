"""From AWS to Observed: what the record and the spec make worth asking for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.names import BY_NAME
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort, SsmPort
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.extendedami import choosing
from awsbatch_operator.kinds.extendedami.act import Memories, Remembered
from awsbatch_operator.kinds.extendedami.adopting import is_claimable
from awsbatch_operator.kinds.extendedami.clusters import Clusters
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.looks import Look, is_ours, own_images
from awsbatch_operator.kinds.extendedami.observed import (
    Image,
    Machine,
    Observed,
    image_of,
    machine_of,
    tags_by_key,
)
from awsbatch_operator.kinds.extendedami.record import Build, Stage, mark_of, recorded
from awsbatch_operator.kinds.extendedami.requests import image_name
from awsbatch_operator.kinds.extendedami.sources import Sources, read_texts
from awsbatch_operator.kinds.extendedami.texts import with_texts
from awsbatch_operator.kinds.extendedami.usage import Usage
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.userdata.images.console import read_console
from awsbatch_operator.userdata.images.model import Console

_SPEAKS = frozenset({"running", "stopping", "stopped", "shutting-down", "terminated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Looks. Raises AwsError, NoTokenError, KubeError and RecordError."""

    batch: BatchPort
    ec2: Ec2Port
    ecs: EcsPort
    images: ImagePort
    ssm: SsmPort
    kube: KubePort
    memories: Memories
    clock: Clock
    pace: float = 1.0

    async def observe(
        self,
        resource: Resource,
        owner: Owner,
        scope: Scope,
        wanted: Desired | None,
        *,
        fresh: bool,
    ) -> Observed:
        """All that there is; asked of AWS itself if `fresh`.

        `wanted` is None for an object that is being deleted, or whose spec cannot be read.
        """
        kept = self.memories.of(resource.key, resource.uid)
        base = None if wanted is None else wanted.base
        look = Look(resource, owner, scope, fresh, recorded(resource), base, kept)
        made = look.record is not None and look.record.stage is Stage.IMAGE  # there any moment
        listed = await self.images.own_images(scope, fresh=fresh or made)
        named, own = await self._named(look, own_images(listed, owner))
        found = Observed(
            key=resource.key,
            uid=resource.uid,
            record=look.record,
            mark=mark_of(resource),
            base=None,
            images=own,
            since=self.memories.since(kept),
            pace=self.pace,
            named=named,
            name_taken=kept.name_taken,
            image_answered=bool(kept.image_answered),
            refused=dict(kept.refused),
            answered=dict(kept.answered),
            unsent=frozenset(kept.unsent),
            tried=frozenset(kept.tried),
            shown=str(resource.status.get("imageId") or ""),
            shown_template=str((resource.status.get("launchTemplate") or {}).get("id") or ""),
            texts=await read_texts(self.kube, wanted),
        )
        found = await self._with_machines(look, found)
        found = await self._with_sources(look, found, wanted, listed)
        found = await self._with_claim(look, found, wanted)
        return await self._with_uses(look, found, wanted)

    async def _with_claim(self, look: Look, found: Observed, wanted: Desired | None) -> Observed:
        """With an image that has no owner, where one is due that may be taken over.

        Only while there is none of the object's own, so that at rest nothing is asked.
        """
        record = found.record
        if wanted is None or not wanted.adopts or (record is not None and record.under_way):
            return found
        desired = with_texts(wanted, found)
        due = choosing.due(desired, found, self.clock.now())
        if due is None or any(each.accepted for each in found.images):
            return found
        key, own = look.resource.key, {each.id for each in found.images}
        shapes = await self.images.images_named_like(
            look.scope, image_name(key.namespace, key.name, "*" * len(due.build))
        )
        others = choosing.newest_first(image_of(each) for each in shapes)
        others = [each for each in others if each.id not in own]
        free = [each for each in others if is_claimable(desired, found, each)]
        name = image_name(key.namespace, key.name, due.build)
        return replace(
            found,
            claimable=next(iter(free), None),
            unclaimable=next((each for each in others if each.name == name), None),
        )

    async def _with_machines(self, look: Look, found: Observed) -> Observed:
        """With instances, what the one in hand says, and the cluster of verification."""
        machines = await self._machines(look)
        machine = _in_hand(look.record, machines)
        clusters = self._clusters
        there = await clusters.there(look)
        return replace(
            found,
            machines=machines or (),
            looked=machines is not None,
            console=await self._console(look, machine),
            joined=await clusters.joined(look, machine),
            cluster=there,
            lost=await clusters.lost(look) if there else (),
        )

    async def _with_sources(
        self, look: Look, found: Observed, wanted: Desired | None, listed: Sequence[Shape]
    ) -> Observed:
        """With the base, copies in further regions, and snapshots."""
        sources = Sources(ec2=self.ec2, images=self.images, ssm=self.ssm)
        base, copies = await sources.base(look), await sources.copies(look, wanted)
        return replace(
            found,
            base=base,
            earlier_base=await sources.earlier_base(look, base),
            copies=copies,
            copied_snapshots=await sources.copied_snapshots(look, copies),
            snapshots=await sources.snapshots(look, listed),
        )

    async def _with_uses(self, look: Look, found: Observed, wanted: Desired | None) -> Observed:
        """With what uses the images, launch templates, and the parameter."""
        usage, resource, scope = Usage(self.batch, self.images), look.resource, look.scope
        retention = None if wanted is None else wanted.retention
        now, own = self.clock.now(), found.images
        users = await usage.of(resource, scope, own, retention, now, fresh=look.fresh)
        templates = await self._templates(look)
        used = await usage.of_templates(scope, templates, deleting=resource.deleting)
        return replace(
            found,
            users=users,
            templates=templates,
            foreign_template=await self._foreign_template(look),
            templates_used=used,
            parameters=await self._parameters(look, wanted),
        )

    @property
    def _clusters(self) -> Clusters:
        return Clusters(ec2=self.ec2, ecs=self.ecs, images=self.images)

    async def _machines(self, look: Look) -> tuple[Machine, ...] | None:
        """The object's instances; None: nobody has to know."""
        if not (look.unclean or look.fresh):
            return None
        uid, key = look.owner.uid, look.resource.key
        shapes = await self.ec2.instances(look.scope, uid, fresh=look.fresh, wake=key)
        # And those of an earlier object of its name, of which a launch may show at any time.
        everybodys = await self.ec2.all_instances(look.scope, fresh=look.fresh)
        known = {each["InstanceId"] for each in shapes}
        former = [
            each
            for each in everybodys
            if each["InstanceId"] not in known and is_ours(tags_by_key(each), look.owner)
        ]
        found = tuple(machine_of(each) for each in (*shapes, *former))
        launch = None if look.record is None else look.record.launch
        unseen = launch is not None and not any(each.token == launch.token for each in found)
        if unseen and look.unclean and not look.fresh:
            shapes = await self.ec2.instances(look.scope, uid, fresh=True, wake=key)
            found = tuple(machine_of(each) for each in (*shapes, *former))
        return found

    async def _named(
        self, look: Look, own: tuple[Image, ...]
    ) -> tuple[Image | None, tuple[Image, ...]]:
        """The image that has the name which EC2 has refused; ours counts among ours."""
        record = look.record
        if record is None or not _refused_by_name(record, look.kept):
            return None, own
        if any(each.build == record.build for each in own):
            return None, own
        key = look.resource.key
        name = image_name(key.namespace, key.name, record.build)
        shape = await self.images.image_named(look.scope, name)
        if shape is None:
            look.kept.name_taken = False
            return None, own
        found = image_of(shape)
        if is_ours(found.tags, look.owner) and found.build == record.build:
            look.kept.name_taken = False
            return None, (*own, found)
        return found, own

    async def _console(self, look: Look, machine: Machine | None) -> Console | None:
        record = look.record
        speaks = machine is not None and machine.state in _SPEAKS
        if record is None or machine is None or not speaks:
            return None
        if record.stage not in {Stage.BUILD, Stage.VERIFY}:
            return None
        try:
            text = await self.ec2.console_output(look.scope, machine.id)
        except AwsError as error:
            if error.kind is not ErrorKind.NOT_FOUND:
                raise
            return None
        nonce = record.nonce if record.stage is Stage.BUILD else record.verify_nonce
        return read_console(text, nonce=nonce)

    async def _parameters(self, look: Look, wanted: Desired | None) -> Mapping[str, Shape]:
        """The parameter of the spec, and that which was written last."""
        names = {"" if wanted is None else wanted.ssm_parameter}
        names |= set() if look.record is None else {look.record.published}
        if look.resource.deleting:
            publish = look.resource.spec.get("publish")
            names.add(str(publish.get("ssmParameter", "")) if isinstance(publish, dict) else "")
        found = {
            name: await self.images.parameter(look.scope, name, fresh=look.fresh)
            for name in sorted(names - {""})
        }
        return {name: each for name, each in found.items() if each is not None}

    async def _templates(self, look: Look) -> tuple[Shape, ...]:
        found = await self.ec2.launch_templates(look.scope, fresh=look.fresh)
        return tuple(each for each in found if is_ours(tags_by_key(each), look.owner))

    async def _foreign_template(self, look: Look) -> Shape | None:
        """What has the name that EC2 has refused; None: nothing, or it is the object's own."""
        name = look.kept.template_refused
        if not name:
            return None
        asked = f"{BY_NAME}{name}"
        found = await self.ec2.template_versions(look.scope, (asked,), fresh=look.fresh)
        there = found.get(asked)
        if there is None or is_ours(tags_by_key(there), look.owner):
            look.kept.template_refused = ""
            return None
        return {**there, "LaunchTemplateName": name}


def _refused_by_name(record: Build, kept: Remembered) -> bool:
    """Whether EC2 has refused an image because another one has its name."""
    failure = record.failure
    over = record.stage is Stage.FAILED and failure is not None and failure.taken
    return over or (record.stage is Stage.IMAGE and kept.name_taken)


def _in_hand(record: Build | None, machines: tuple[Machine, ...] | None) -> Machine | None:
    if record is None or record.launch is None:
        return None
    return next((each for each in machines or () if each.token == record.launch.token), None)
