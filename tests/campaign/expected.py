"""With which valid specs an object may rest without being Ready, and what AWS cannot take back.

Everything else that a valid spec comes to but Ready is a fault of the operator, of the simulator,
or of the campaign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.campaign.values import Change

REFUSAL = "The campaign does not want this."
# What somebody who has made a mistake that the schema does not see may be told. Whether AWS has
# said so is looked at besides.
OF_MISTAKES = frozenset(
    {
        "Stalled InvalidRequest",
        "Stalled PermissionDenied",
        "Stalled EnvironmentInvalid",
        "Stalled LaunchTemplateNotFound",
        "Stalled PoolInvalid",
        "Reconciling ReferenceNotFound",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """What the values of a field may come to; `words` stand in what the object says."""

    kind: str
    field: str  # of the change; * stands for anything
    verdict: str
    words: str

    def fits(self, change: Change, verdict: str, said: str) -> bool:
        """Whether it is about that."""
        mine = change.kind == self.kind and fnmatchcase(change.field, self.field)
        return mine and verdict == self.verdict and self.words in said


_REFUSED = "Stalled InvalidRequest"
ROWS: tuple[Row, ...] = (
    # Multi-node parallel jobs run on EC2 only, which takes nothing that is about Fargate.
    *(
        Row("JobDefinition", f"*.{name}.*", _REFUSED, f"{name} is not applicable for EC2.")
        for name in ("ephemeralStorage", "networkConfiguration", "fargatePlatformConfiguration")
    ),
    # TaskContainerProperties.essential: "All jobs must have at least one essential container".
    Row(
        "JobDefinition",
        "*.essential",
        _REFUSED,
        "All jobs must have at least one essential container.",
    ),
    # The queue's environments stay where they are.
    Row("JobQueue", "region", "Stalled ReferenceElsewhere", "spec.computeEnvironmentOrder[0]"),
    # UpdateJobQueue has no such member.
    Row(
        "JobQueue",
        "jobQueueType",
        "Stalled ReplacementNeeded",
        "AWS cannot change jobQueueType of a queue that exists.",
    ),
    # The simulator runs jobs of one container: what else a job overrides can only be compared with
    # what was sent.
    *(
        Row(
            "BatchJob",
            f"{name}.*",
            _REFUSED,
            f"{name} cannot be used with a job definition of containerProperties.",
        )
        for name in ("ecsPropertiesOverride", "eksPropertiesOverride", "nodeOverrides")
    ),
    Row(
        "BatchJob",
        "consumableResourcePropertiesOverride.*",
        _REFUSED,
        "The simulator does not implement batch: SubmitJob of jobs that consume resources.",
    ),
    # The jobs that it names never come to be.
    Row("BatchJob", "dependsOn*", "Reconciling ReferenceNotFound", "jobRef: BatchJob science/"),
    # The jobs of the campaign never end, and its days are longer than this.
    Row("BatchJob", "activeDeadlineSeconds", "Stalled DeadlineExceeded", "have had as long as"),
    Row("BatchJob", "suspend", "Suspended Suspended", "Set spec.suspend to false"),
    Row("BatchJob", "region", "Stalled ReferenceElsewhere", "spec.jobQueueRef: JobQueue"),
    # The pool of the campaign asks for the family m7i, which is x86_64.
    Row(
        "ComputeEnvironment",
        "*.instanceRequirements.architecture",
        "Stalled PoolInvalid",
        "no instance type that EC2 has in eu-central-1 is as it says.",
    ),
    # The campaign makes no machine image that could be named.
    Row("ComputeEnvironment", "*.amiRef.name", "Reconciling ReferenceNotFound", "ExtendedAMI"),
    # docs/decisions/0023: whether jobs run there cannot be seen in AWS.
    *(
        Row(
            "ComputeEnvironment",
            field,
            "Stalled ReplacementNeeded",
            "Whether jobs still run in an environment on EKS cannot be seen in AWS",
        )
        for field in ("eksConfiguration.*", "spec, from * EKS*")
    ),
)

# Fields that the API has and this version does not honour, by kind.
NOT_YET: Mapping[str, frozenset[str]] = {
    "ComputeEnvironment": frozenset(),
    "JobQueue": frozenset(),
    "BatchJob": frozenset(),
}

_PROVIDER = "computeResources.managedInstancesProvider"
# What AWS cannot take back in place once it is set, by kind; why not.
_KEPT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ComputeEnvironment": (
        (
            "serviceRole",
            "UpdateComputeEnvironment: a regular role can't be changed to a service-linked role",
        ),
        (
            f"{_PROVIDER}.*",
            "UpdateManagedInstancesProviderConfiguration documents no empty value",
        ),
        ("computeResources.capacityTags", "TagrisTagsMap takes no empty map"),
    )
}
# But of these the API reference names the value that stands for none.
_TAKEN_BACK = frozenset(
    {
        f"{_PROVIDER}.propagateTags",
        *(
            f"{_PROVIDER}.instanceLaunchTemplate.{name}"
            for name in (
                "instanceMetadataTagsPropagation",
                "localStorageConfiguration",
                "monitoring",
            )
        ),
    }
)


def expected(change: Change, spec: Mapping[str, Any], verdict: str, said: str) -> bool:
    """Whether a valid value of the field may come to that."""
    if verdict == "Stalled NotSupportedYet":
        return any(
            f"spec.{path} is not honoured." in said and _is_in(spec, path.split("."))
            for path in NOT_YET.get(change.kind, ())
        )
    return any(row.fits(change, verdict, said) for row in ROWS)


def _is_in(value: Any, path: Sequence[str]) -> bool:
    if not path:
        return True
    name, rest = path[0].removesuffix("[]"), path[1:]
    if name not in value:
        return False
    entries = value[name] if path[0].endswith("[]") else [value[name]]
    return any(_is_in(each, rest) for each in entries)


def kept(kind: str, field: str) -> bool:
    """Whether AWS keeps the field when the spec says nothing of it any more."""
    if field in _TAKEN_BACK:
        return False
    return any(fnmatchcase(field, pattern) for pattern, _ in _KEPT.get(kind, ()))
