"""How AWS changes each member of a compute environment: the table of updates (pure).

Sources: AWS Batch user guide, "Updating compute environments" and "Infrastructure updates"; the API
reference of UpdateComputeEnvironment and ComputeResourceUpdate, which says of each member whether
it needs an infrastructure update. Where other tools know less than AWS does: docs/decisions/0022.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from awsbatch_operator.kinds.computeenvironment.noops import FARGATE

SERVICE_LINKED_ROLE = "/aws-service-role/batch.amazonaws.com/"
RESOURCES = "computeResources"
IMAGE_UPDATE = f"{RESOURCES}.updateToLatestImageVersion"
TEMPLATE = f"{RESOURCES}.launchTemplate"
DESIRED_SIZE = f"{RESOURCES}.desiredvCpus"
PROVIDER = f"{RESOURCES}.managedInstancesProvider"
CAPACITY_TAGS = f"{RESOURCES}.capacityTags"
LAUNCHED = f"{PROVIDER}.instanceLaunchTemplate"
FIPS = f"{LAUNCHED}.fipsEnabled"
_INSTANCES = frozenset({"EC2", "SPOT"})


class Verb(Enum):
    """What it takes to change a member."""

    IN_PLACE = "InPlace"  # while everything goes on
    INFRASTRUCTURE = "Infrastructure"  # AWS exchanges the instances, if role and strategy allow it
    REPLACEMENT = "Replacement"  # another environment
    NEVER = "Never"  # it is AWS Batch's own once the environment exists


# By path; the longest that leads to a member counts, and what is not here takes a replacement.
VERBS: Mapping[str, Verb] = {
    **dict.fromkeys(
        ("state", "serviceRole", "updatePolicy", "unmanagedvCpus", "ecsSettings"), Verb.IN_PLACE
    ),
    **dict.fromkeys(("type", "eksConfiguration"), Verb.REPLACEMENT),
    "eksConfiguration.accessEntry": Verb.IN_PLACE,
    **dict.fromkeys(
        (
            *(f"{RESOURCES}.{name}" for name in ("minvCpus", "maxvCpus", "scalingPolicy")),
            PROVIDER,
            CAPACITY_TAGS,
        ),
        Verb.IN_PLACE,
    ),
    **dict.fromkeys((f"{LAUNCHED}.capacityOptionType", FIPS), Verb.REPLACEMENT),
    **{
        f"{RESOURCES}.{name}": Verb.INFRASTRUCTURE
        for name in (
            "allocationStrategy",
            "bidPercentage",
            "ec2Configuration",
            "ec2KeyPair",
            "imageId",
            "instanceRole",
            "instanceTypes",
            "launchTemplate",
            "placementGroup",
            "securityGroupIds",
            "subnets",
            "tags",
            "type",
            "updateToLatestImageVersion",
        )
    },
    f"{RESOURCES}.spotIamFleetRole": Verb.REPLACEMENT,
    DESIRED_SIZE: Verb.NEVER,
}
# What an update takes back of a provider, and the value that it sends for it: AWS's defaults.
TAKEN_BACK: Mapping[str, Any] = {
    f"{PROVIDER}.propagateTags": "NONE",
    f"{LAUNCHED}.instanceMetadataTagsPropagation": False,
    f"{LAUNCHED}.localStorageConfiguration": {"useLocalStorage": False},
    f"{LAUNCHED}.monitoring": "BASIC",
}
# "For compute environments that use Fargate resources, you can update" these.
_IN_PLACE_ON_FARGATE = (f"{RESOURCES}.subnets", f"{RESOURCES}.securityGroupIds")
# With these the order of instanceTypes is the user's preference.
ORDERED_STRATEGIES = frozenset(
    {"BEST_FIT_PROGRESSIVE_ORDERED", "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED"}
)
UPDATABLE_STRATEGIES = frozenset(
    {
        "BEST_FIT_PROGRESSIVE",
        "BEST_FIT_PROGRESSIVE_ORDERED",
        "SPOT_CAPACITY_OPTIMIZED",
        "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED",
        "SPOT_PRICE_CAPACITY_OPTIMIZED",
    }
)


def verb(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Verb:
    """What it takes to change the member of an environment with these contents.

    One of another sort has other members: what the spec says of them is for its successor, and of
    the one that serves until then AWS would refuse it. But for the state, which all have.
    """
    if path not in {"state", DESIRED_SIZE} and _sort(before) != _sort(after):
        return Verb.REPLACEMENT
    kinds = {resources_of(content).get("type") for content in (before, after)}
    if kinds <= FARGATE and under(path, _IN_PLACE_ON_FARGATE):
        return Verb.IN_PLACE
    found = _of_path(path)
    if found is Verb.INFRASTRUCTURE and not (kinds <= _INSTANCES and _updatable(before, after)):
        return Verb.REPLACEMENT
    return found


def _sort(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """What decides which members an environment has at all: who launches its instances, and how."""
    kind = resources_of(content).get("type")
    alike = next((each for each in (_INSTANCES, FARGATE) if kind in each), kind)
    return content.get("type"), alike, bool(content.get("eksConfiguration"))


def _of_path(path: str) -> Verb:
    while path not in VERBS and "." in path:
        path = path.rpartition(".")[0]
    return VERBS.get(path, Verb.REPLACEMENT)


def _updatable(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether AWS exchanges instances by itself: as it is, and as it is to be."""
    return all(
        service_linked(content)
        and resources_of(content).get("allocationStrategy") in UPDATABLE_STRATEGIES
        for content in (before, after)
    )


def service_linked(content: Mapping[str, Any]) -> bool:
    """Whether AWS Batch acts with its service-linked role, its default."""
    role = str(content.get("serviceRole") or "")
    return not role or SERVICE_LINKED_ROLE in role


def resources_of(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The computeResources; none of an UNMANAGED environment."""
    return content.get(RESOURCES) or {}


def under(path: str, prefixes: tuple[str, ...]) -> bool:
    """Whether the path is one of these, or leads on from one."""
    return any(path == prefix or path.startswith(f"{prefix}.") for prefix in prefixes)
