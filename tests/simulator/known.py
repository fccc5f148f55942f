"""What the simulated services look up elsewhere, for tests without moto."""

from collections.abc import Mapping, Sequence

from awsbatch_simulator.context import Place
from awsbatch_simulator.ports import PublicImage, PublicParameter, SecurityGroup

ECS_OWNER = "591542846629"


class KnownThings:
    """A Lookup for which everything exists, unless it is called missing."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.networks: dict[str, str] = {}  # by subnet, where it is not 10.0.0.0/16
        self.zones: dict[str, str] = {}  # by subnet, where it is not the first one
        self.images: dict[str, PublicImage] = {}  # those that are listed
        self.parameters: dict[str, PublicParameter] = {}

    def role_exists(self, place: Place, role: str) -> bool:
        return role not in self.missing

    def instance_profile_exists(self, place: Place, profile: str) -> bool:
        return profile not in self.missing

    def subnet_zone(self, place: Place, subnet: str) -> str | None:
        return None if subnet in self.missing else self.zones.get(subnet, f"{place.region}a")

    def subnet_vpc(self, place: Place, subnet: str) -> str | None:
        return None if subnet in self.missing else "vpc-1"

    def subnet_network(self, place: Place, subnet: str) -> str | None:
        return None if subnet in self.missing else self.networks.get(subnet, "10.0.0.0/16")

    def zone_ids(self, place: Place) -> Mapping[str, str]:
        return {f"{place.region}a": "euc1-az2"}

    def public_image(self, region: str, image: str) -> PublicImage | None:
        """An ECS-optimized image; every id names one unless it is called missing."""
        if image in self.missing or not image.startswith("ami-"):
            return None
        made_for = "arm64" if "a7" in image else "x86_64"
        name = f"al2023-ami-ecs-hvm-2023.0.20260922-kernel-6.1-{made_for}"
        return self.images.get(image) or PublicImage(image, name, ECS_OWNER, made_for)

    def public_images(self, region: str) -> Mapping[str, PublicImage]:
        return self.images

    def public_parameters(self, region: str) -> Mapping[str, PublicParameter]:
        return self.parameters

    def security_group_exists(self, place: Place, group: str) -> bool:
        return group not in self.missing

    def security_group(self, place: Place, group: str) -> SecurityGroup | None:
        return None if group in self.missing else SecurityGroup(group, f"name-of-{group}", "vpc-1")

    def security_group_named(self, place: Place, vpc: str, name: str) -> SecurityGroup | None:
        return None if name in self.missing else SecurityGroup(f"sg-of-{name}", name, vpc)

    def key_pair_exists(self, place: Place, name: str) -> bool:
        return name not in self.missing

    def default_subnets(self, place: Place) -> Sequence[str]:
        return tuple(self.zones) or ("subnet-1",)
