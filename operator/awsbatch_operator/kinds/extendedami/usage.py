"""Who uses an image: environments in AWS, whoever's they are, and what EC2 knows to refer to it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.extendedami.choosing import superseded
from awsbatch_operator.kinds.extendedami.desired import Retention
from awsbatch_operator.kinds.extendedami.observed import Image


@dataclass(frozen=True, slots=True)
class Usage:
    """Asks. Raises AwsError and NoTokenError."""

    batch: BatchPort
    images: ImagePort

    async def of(
        self,
        resource: Resource,
        scope: Scope,
        own: Sequence[Image],
        retention: Retention | None,
        now: Instant,
        *,
        fresh: bool,
    ) -> Mapping[str, tuple[str, ...]]:
        """Of each image that is about to go, what uses it; others are left out."""
        ids = [each.id for each in _asked(resource, own, retention, now)]
        if not ids:
            return {}
        found: dict[str, list[str]] = defaultdict(list)
        for environment in await self.batch.compute_environments(scope, fresh=fresh):
            for image in images_of(environment):
                name = str(environment.get("computeEnvironmentName") or "")
                found[image].append(f"compute environment {name}")
        if not resource.deleting:
            referring = await self.images.references(scope, ids, fresh=fresh)
            for image, arns in referring.items():
                found[image] += arns
        return {name: tuple(dict.fromkeys(found[name])) for name in ids}

    async def of_templates(
        self, scope: Scope, templates: Sequence[Shape], *, deleting: bool
    ) -> frozenset[str]:
        """Names and ids of launch templates that environments name, where somebody has to know."""
        if not templates or (len(templates) == 1 and not deleting):
            return frozenset()
        environments = await self.batch.compute_environments(scope)
        return frozenset(name for each in environments for name in templates_of(each))


def _asked(
    resource: Resource, own: Sequence[Image], retention: Retention | None, now: Instant
) -> Sequence[Image]:
    if resource.deleting:
        return own
    if retention is None:
        return ()
    shown = resource.status.get("imageId")
    used = next((each for each in own if each.id == shown), None)
    keep, days = retention.keep, retention.min_age_days
    return superseded(own, used, keep=keep, min_age_days=days, now=now)


def images_of(environment: Shape) -> Iterator[str]:
    """The images that a compute environment in AWS names."""
    resources = environment.get("computeResources") or {}
    if resources.get("imageId"):
        yield str(resources["imageId"])
    for entry in resources.get("ec2Configuration") or ():
        if entry.get("imageIdOverride"):
            yield str(entry["imageIdOverride"])


def templates_of(environment: Shape) -> Iterator[str]:
    """The launch templates that a compute environment in AWS names."""
    template = (environment.get("computeResources") or {}).get("launchTemplate") or {}
    for each in (template, *(template.get("overrides") or ())):
        for member in ("launchTemplateId", "launchTemplateName"):
            if each.get(member):
                yield str(each[member])
