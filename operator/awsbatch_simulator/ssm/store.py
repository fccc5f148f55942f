"""The parameters of an account in a region; AWS's own are in `ec2/public_images.py`."""

from dataclasses import dataclass, field

IMAGE_TYPE = "aws:ec2:image"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a parameter, which never changes."""

    number: int
    value: str
    data_type: str
    changed_at: float  # epoch seconds
    changed_by: str  # an ARN
    description: str = ""


@dataclass(slots=True, eq=False)
class Parameter:
    """A parameter. `versions` is not empty, in the order of their numbers."""

    name: str
    type: str
    tier: str
    tags: dict[str, str]
    versions: dict[int, Version] = field(default_factory=dict)

    @property
    def latest(self) -> Version:
        """The version that has no successor yet."""
        return self.versions[max(self.versions)]

    @property
    def value(self) -> str:
        """The value of the latest version."""
        return self.latest.value

    @property
    def names_image(self) -> bool:
        """Whether its value is the id of a machine image, by its data type."""
        return self.latest.data_type == IMAGE_TYPE


@dataclass(slots=True)
class SsmStore:
    """Parameters by name."""

    parameters: dict[str, Parameter] = field(default_factory=dict)
