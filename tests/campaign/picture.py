"""What AWS has of an object, in a form in which two looks can be compared, and whether it is so.

This is not the operator's own comparison: that may be what is wrong. What AWS itself does to values
(order, case) is named here once more; of the operator it has only the table of AWS's defaults.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.support.described import spec_of

from awsbatch_operator.schema.canonical_forms import DEFAULTS, TELLING
from awsbatch_operator.schema.model import input_shape

Shape = Mapping[str, Any]

# Members of no AWS object, or such that AWS changes by itself.
_NOT_KEPT = frozenset({"desiredvCpus", "managedPlacementGroup", "updateToLatestImageVersion"})
# Words of a launch template's version, for which AWS is sent the number that they lead to: each
# template of `ground.py` has two versions, of which the first is the default.
_NUMBERED = {"$Default": "1", "$Latest": "2"}
_ORDERED = frozenset({"command", "args", "entryPoint", "evaluateOnExit"})
# Whose entries AWS drops where they have no value (Terraform's acceptance tests of
# aws_batch_job_definition); the variables of pods it keeps.
_VARIABLES = frozenset({"environment"})
# What AWS writes in another way than it was sent, by the last members on the way to it:
# "The values aren't case sensitive" (EvaluateOnExit), and it answers in lower case.
_CASELESS = frozenset({"evaluateOnExit.action"})
# "The full ARN or short name" may be given (CreateComputeEnvironment.serviceRole,
# ComputeResource.instanceRole); it answers the ARN.
_SHORT = frozenset({"serviceRole", "computeResources.instanceRole"})
# Numbers in text: weights are single-precision floats in AWS (ShareAttributes.weightFactor), and
# ECS reads amounts as numbers (ResourceRequirement.value).
_DECIMAL = frozenset({"shareDistribution.weightFactor", "resourceRequirements.value"})
# Where AWS has a default, that is what a silent spec means: it is no difference to say it.
_NOTHING: tuple[Any, ...] = (None, "", [], {})
# What EKS fills in for the pods of the campaign, whose images have tags; and what Batch means where
# nothing is said of how a cluster lets it in. To say hostNetwork, the default, is no silence: the
# pod then has another dnsPolicy (EksPodProperties.dnsPolicy), which a node range does not show.
_OF_KUBERNETES: Mapping[str, tuple[Any, ...]] = {
    "desiredState": ("INHERIT_FROM_CLUSTER",),
    "dnsPolicy": ("ClusterFirstWithHostNet",),
    "imagePullPolicy": ("IfNotPresent",),
}
_OPERATIONS = {
    "ComputeEnvironment": "CreateComputeEnvironment",
    "JobQueue": "CreateJobQueue",
    "SchedulingPolicy": "CreateSchedulingPolicy",
    "JobDefinition": "RegisterJobDefinition",
    "BatchJob": "SubmitJob",
}
_OURS = ("computeEnvironmentOrder", "schedulingPolicyRef", "updatePolicy")


@dataclass(frozen=True, slots=True)
class Picture:
    """AWS's state of one object: nothing, or its content as a spec, and which thing it is.

    `thing` is the very environment or job, of which another may have the same name; `made` is how
    many were ever made, of which revisions and jobs stay; `status` is AWS's word for how it stands.
    """

    content: Shape | None = None
    thing: str = ""
    made: int = 0
    status: str = field(default="", compare=False)

    def differs(self, other: "Picture") -> list[str]:
        """The fields in which the content of the two differs."""
        if self.content is None or other.content is None:
            return [] if self.content == other.content else ["all of it"]
        return sorted(_differing(plain(self.content), plain(other.content), ""))


def _differing(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in one.keys() | other.keys():
            yield from _differing(one.get(name), other.get(name), f"{path}.{name}".lstrip("."))
    elif one != other:
        yield path


def content_of(kind: str, detail: Shape) -> dict[str, Any]:
    """What a Describe call says, as a spec."""
    told = {name: detail[name] for name in ("updatePolicy",) if name in detail}
    return {**spec_of(kind, detail), **told}  # which no creation takes


def described(batch: Any, kind: str, arn: str) -> dict[str, Any]:
    """What AWS says of a thing to anybody who asks."""
    match kind:
        case "ComputeEnvironment":
            found = batch.describe_compute_environments(computeEnvironments=[arn])
            return dict(found["computeEnvironments"][0])
        case "JobQueue":
            return dict(batch.describe_job_queues(jobQueues=[arn])["jobQueues"][0])
        case "SchedulingPolicy":
            return dict(batch.describe_scheduling_policies(arns=[arn])["schedulingPolicies"][0])
        case _:
            found = batch.describe_job_definitions(jobDefinitions=[arn])
            return dict(found["jobDefinitions"][0])


def lacks(kind: str, wanted: Shape, content: Shape, arns: Mapping[str, str]) -> list[str]:
    """The members of AWS's that the spec asks for and AWS has otherwise.

    `arns` are those of the objects of ours that a reference may name.
    """
    known = set(input_shape(_OPERATIONS[kind]).members) | set(_OURS)
    asked = {name: value for name, value in wanted.items() if name in known}
    found = list(_lacking(_resolved(asked, arns), content, ""))
    if dict(wanted.get("tags", {})) != dict(content.get("tags", {})):
        found.append("tags")
    return found


def _resolved(value: Any, arns: Mapping[str, str]) -> Any:
    """References by name written as by ARN."""
    if isinstance(value, list):
        return [_resolved(each, arns) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {
        name: {"arn": arns.get(inner["name"], inner["name"])}
        if name.endswith("Ref") and isinstance(inner, Mapping) and "name" in inner
        else _resolved(inner, arns)
        for name, inner in value.items()
    }


def _lacking(wanted: Any, have: Any, path: str) -> Iterator[str]:
    name = path.rpartition(".")[2]
    if name in _NOT_KEPT or (_says_nothing(wanted, name) and _says_nothing(have, name)):
        return
    if isinstance(wanted, Mapping) and isinstance(have, Mapping):
        for member, inner in wanted.items():
            yield from _lacking(inner, have.get(member), f"{path}.{member}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(have, list):
        if not _same_entries(wanted, have, path):
            yield path
    elif not _same(wanted, have, path):
        yield path


def _same_entries(wanted: list[Any], have: list[Any], path: str) -> bool:
    name = path.rpartition(".")[2]
    told = [each for each in wanted if not _drops(name, each)]
    left = [each for each in have if not _drops(name, each)]
    if len(told) != len(left):
        return False
    if name in _ORDERED:
        return not any(
            any(_lacking(one, other, path)) for one, other in zip(told, left, strict=True)
        )
    for one in told:
        fitting = next((other for other in left if not any(_lacking(one, other, path))), None)
        if fitting is None:
            return False
        left.remove(fitting)
    return True


def _drops(name: str, entry: Any) -> bool:
    """A variable without a value, which AWS drops."""
    return name in _VARIABLES and not entry.get("value")


def _same(wanted: Any, have: Any, path: str) -> bool:
    if wanted == have and isinstance(wanted, bool) == isinstance(have, bool):
        return True
    if not isinstance(wanted, str) or not isinstance(have, str):
        return False
    if _ends(path, _CASELESS):
        return wanted.lower() == have.lower()
    if _ends(path, _SHORT):
        return have.endswith((f":role/{wanted}", f":instance-profile/{wanted}"))
    if _ends(path, _DECIMAL):
        return _number(wanted) == _number(have) is not None
    return _ends(path, {"launchTemplate.version", "overrides.version"}) and (
        _NUMBERED.get(wanted) == have
    )


def _ends(path: str, rows: Collection[str]) -> bool:
    return any(path == row or path.endswith(f".{row}") for row in rows)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text).quantize(Decimal("0.0001"))
    except InvalidOperation:
        return None


def _says_nothing(value: Any, name: str) -> bool:
    """Whether it is AWS's default, or empty in all its members."""
    if isinstance(value, Mapping):
        if name in TELLING:
            return False
        return all(_says_nothing(inner, member) for member, inner in value.items())
    silent = (*_NOTHING, *DEFAULTS.get(name, ()), *_OF_KUBERNETES.get(name, ()))
    return any(value == each and type(value) is type(each) for each in silent)


def plain(value: Any, name: str = "") -> Any:
    """The content without order where it has none, and without what AWS changes by itself."""
    if isinstance(value, Mapping):
        return {
            member: plain(inner, member)
            for member, inner in value.items()
            if member not in _NOT_KEPT and not _says_nothing(inner, member)
        }
    if isinstance(value, list):
        entries = [plain(each) for each in value]
        return entries if name in _ORDERED else sorted(entries, key=repr)
    return value
