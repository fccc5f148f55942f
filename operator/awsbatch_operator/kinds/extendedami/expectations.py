"""What the look after a call must show (pure)."""

from dataclasses import dataclass

from awsbatch_operator.kinds.extendedami.observed import Observed


@dataclass(frozen=True, slots=True)
class Launched:
    """EC2 shows the instance of a launch."""

    token: str

    def met(self, observed: Observed | None) -> bool:
        return observed is not None and observed.machine(self.token) is not None


@dataclass(frozen=True, slots=True)
class Clustered:
    """ECS shows the cluster of verification."""

    def met(self, observed: Observed | None) -> bool:
        return observed is not None and observed.cluster


@dataclass(frozen=True, slots=True)
class Ended:
    """EC2 shows none of these instances as one that costs."""

    ids: tuple[str, ...]

    def met(self, observed: Observed | None) -> bool:
        machines = () if observed is None else observed.machines
        return not any(each.id in self.ids and each.costs for each in machines)


@dataclass(frozen=True, slots=True)
class Imaged:
    """EC2 shows an image of the build."""

    build: str

    def met(self, observed: Observed | None) -> bool:
        return observed is not None and any(each.build == self.build for each in observed.images)


@dataclass(frozen=True, slots=True)
class Gone:
    """EC2 shows the image no more."""

    id: str

    def met(self, observed: Observed | None) -> bool:
        return observed is None or observed.image(self.id) is None


@dataclass(frozen=True, slots=True)
class Judged:
    """EC2 shows the verdict on an image."""

    id: str
    verdict: str

    def met(self, observed: Observed | None) -> bool:
        image = None if observed is None else observed.image(self.id)
        return image is None or image.verdict == self.verdict


@dataclass(frozen=True, slots=True)
class TemplateShows:
    """EC2 shows the launch template."""

    name: str

    def met(self, observed: Observed | None) -> bool:
        templates = () if observed is None else observed.templates
        return any(each.get("LaunchTemplateName") == self.name for each in templates)


@dataclass(frozen=True, slots=True)
class Copied:
    """EC2 shows the copy of a build in a region."""

    region: str
    build: str

    def met(self, observed: Observed | None) -> bool:
        copies = () if observed is None else observed.copies.get(self.region, ())
        return any(each.build == self.build for each in copies)


@dataclass(frozen=True, slots=True)
class Uncopied:
    """EC2 shows the copy in the region no more."""

    region: str
    id: str

    def met(self, observed: Observed | None) -> bool:
        copies = () if observed is None else observed.copies.get(self.region, ())
        return not any(each.id == self.id for each in copies)


@dataclass(frozen=True, slots=True)
class Published:
    """The parameter has the id of the image; "" for one that is gone.

    PutParameter answers before Systems Manager has looked at an image and taken the value
    (`DataType` in its API reference), so until then the parameter is as it was.
    """

    name: str
    image: str

    def met(self, observed: Observed | None) -> bool:
        have = None if observed is None else observed.parameters.get(self.name)
        return ("" if have is None else str(have["Value"])) == self.image


@dataclass(frozen=True, slots=True)
class Deprecated:
    """EC2 shows the image as deprecated, or not."""

    id: str
    deprecated: bool

    def met(self, observed: Observed | None) -> bool:
        image = None if observed is None else observed.image(self.id)
        return image is None or bool(image.deprecated) is self.deprecated
