"""What differs between a spec and AWS, and what kind of update it takes (pure)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from awsbatch_operator.kinds.computeenvironment import images
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.members import (
    CAPACITY_TAGS,
    DESIRED_SIZE,
    FIPS,
    IMAGE_UPDATE,
    LAUNCHED,
    ORDERED_STRATEGIES,
    PROVIDER,
    RESOURCES,
    TAKEN_BACK,
    Verb,
    resources_of,
    service_linked,
    under,
    verb,
)
from awsbatch_operator.kinds.computeenvironment.noops import without_noops
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.schema.canonical import canonical, differences

_IMAGES = f"{RESOURCES}.ec2Configuration"
_GROUPS = f"{RESOURCES}.securityGroupIds"
_TYPES = f"{RESOURCES}.instanceTypes"
# Where the spec is silent, AWS fills in a value of its own, which is then no difference.
_FILLED_IN = (
    "serviceRole",
    _IMAGES,
    _TYPES,
    f"{RESOURCES}.instanceRole",
    _GROUPS,
)
# The same inside of structures, where an entry of the spec is silent.
_VERSION_OF_KUBERNETES = "imageKubernetesVersion"
_NO_WISH = "INHERIT_FROM_CLUSTER"


class Change(Enum):
    """Kinds of update, from the lightest to the heaviest."""

    NONE = "None"
    SCALING = "Scaling"
    INFRASTRUCTURE = "Infrastructure"
    REPLACEMENT = "Replacement"


@dataclass(frozen=True, slots=True)
class Differences:
    """The fields that differ: those changed in place, and those that take more.

    `left` are those that the spec is silent about, and that AWS has something of which it does not
    fill in by itself: they were in the spec once, or somebody else has set them.
    """

    in_place: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    change: Change = Change.NONE
    left: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(sorted((*self.in_place, *self.beyond)))


def compare(desired: Desired, observed: Observed) -> Differences:
    """What AWS would have to change, and how it can.

    A newer image that AWS announces is a difference if the spec wants it, until it was asked for.
    """
    wanted, have = _alike(desired.content, without_noops(observed.content))
    differing = differences(wanted, have, ignore=(DESIRED_SIZE,))
    if _same_types(resources_of(wanted), resources_of(have)):
        differing = tuple(path for path in differing if path != _TYPES)
    if _by_region(desired, observed):
        differing = tuple(path for path in differing if path != FIPS)
    left = tuple(
        path
        for path in differing
        if (_filled_in(path, wanted) and _is_set(path, observed)) or _stays(path, wanted, have)
    )
    cleared = tuple(path for path in left if _clearable(path, wanted, have))
    silent = {path for path in differing if _filled_in(path, wanted) or path in left}
    found = [path for path in differing if path not in silent or path in cleared]
    policies = ["updatePolicy" in canonical(content) for content in (wanted, have)]
    if policies == [False, True]:
        found.append("updatePolicy")  # not a member of a creation, so the comparison skips it
    if desired.tracks_images and images.announced(observed) and not _answered(desired, observed):
        found.append(IMAGE_UPDATE)
    verbs = {path: _verb(path, observed, wanted, have) for path in found}
    in_place = tuple(path for path, each in verbs.items() if each is Verb.IN_PLACE)
    beyond = tuple(path for path, each in verbs.items() if each is not Verb.IN_PLACE)
    kept = tuple(path for path in left if path not in cleared)
    return Differences(in_place, beyond, _change(verbs), kept)


def of_fields(fields: Iterable[str], desired: Desired, observed: Observed) -> Differences:
    """The differences in these fields alone, all of which take more than a change in place."""
    verbs = {path: how(path, desired, observed) for path in fields}
    return Differences(beyond=tuple(verbs), change=_change(verbs))


def left_words(observed: Observed, found: Differences) -> tuple[str, ...]:
    """A sentence for each field that left the spec and that AWS keeps."""
    return tuple(_left_words(path, observed) for path in found.left)


def _left_words(path: str, observed: Observed) -> str:
    silent = f"The spec says nothing of {path} any more"
    if path == "serviceRole":
        return (
            "The spec names no serviceRole any more; AWS cannot go back to its service-linked role "
            f"and keeps {observed.content.get('serviceRole', '')}."
        )
    if path == _IMAGES and (kinds := images.named_once(observed)):
        return f"{silent}, or never did; AWS keeps the image type {', '.join(kinds)}."
    return f"{silent}; AWS keeps what it has."


def how(field: str, desired: Desired, observed: Observed) -> Verb:
    """What it takes to change a field of this environment."""
    return verb(field, observed.content, desired.content)


def crosses(role: str, observed: Observed) -> bool:
    """AWS cannot change a service-linked role into an ordinary one, or back."""
    return service_linked({"serviceRole": role}) != service_linked(observed.content)


def _verb(
    path: str, observed: Observed, wanted: Mapping[str, Any], have: Mapping[str, Any]
) -> Verb:
    if path == "serviceRole" and crosses(str(wanted.get("serviceRole") or ""), observed):
        return Verb.REPLACEMENT
    return verb(path, have, wanted)


def _change(verbs: Mapping[str, Verb]) -> Change:
    found = set(verbs.values())
    if Verb.REPLACEMENT in found:
        return Change.REPLACEMENT
    if Verb.INFRASTRUCTURE in found:
        return Change.INFRASTRUCTURE
    return Change.SCALING if found else Change.NONE


def _answered(desired: Desired, observed: Observed) -> bool:
    return desired.update.is_of(observed.mark) and desired.update.answered


def _filled_in(path: str, wanted: Mapping[str, Any]) -> bool:
    for filled in _FILLED_IN:
        if under(path, (filled,)):
            first, _, rest = filled.partition(".")
            holder = resources_of(wanted) if rest else wanted
            return (rest or first) not in holder
    return False


def _is_set(path: str, observed: Observed) -> bool:
    """Whether AWS has there what it would not have filled in by itself."""
    resources = resources_of(observed.content)
    if path == "serviceRole":
        return not service_linked(observed.content)
    if path == _IMAGES:
        return _own_image(resources) or bool(images.named_once(observed))
    return path == _GROUPS  # types of instances, and a profile that no environment can be without


def _stays(path: str, wanted: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    """Whether it was said of managed instances once, and no update takes it away.

    AWS keeps of a provider what an update does not name, and documents no empty value of anything
    in it; so it would be asked for the same again whenever it has finished. Of capacityTags it
    takes no empty map (the shape TagrisTagsMap).
    """
    holder, _, name = path.rpartition(".")
    if path not in {PROVIDER, CAPACITY_TAGS} and not under(holder, (PROVIDER,)):
        return False
    if verb(path, have, wanted) is not Verb.IN_PLACE or path in TAKEN_BACK:
        return False
    said: Any = canonical(wanted)
    for each in holder.split("."):
        said = said.get(each) or {}
    return holder in {RESOURCES, PROVIDER, LAUNCHED} and name not in said


def _clearable(path: str, wanted: Mapping[str, Any], have: Mapping[str, Any]) -> bool:
    """Whether an empty value takes away what the spec is silent about.

    Without groups the instances need a launch template that names some. An image type alone is
    kept: whether a spec has ever named it is not known, and with AWS's default of today the
    instances would get another release of Amazon Linux.
    """
    if path not in {_IMAGES, _GROUPS} or verb(path, have, wanted) is not Verb.INFRASTRUCTURE:
        return False
    if path == _IMAGES:
        return _own_image(resources_of(have))
    return "launchTemplate" in resources_of(wanted)


def _own_image(resources: Mapping[str, Any]) -> bool:
    return any(each.get("imageIdOverride") for each in resources["ec2Configuration"])


def _by_region(desired: Desired, observed: Observed) -> bool:
    """Whether AWS decides on FIPS: "If not specified", it is enabled in GovCloud and nowhere else.

    (InstanceLaunchTemplate.fipsEnabled in ECS's API reference.)
    """
    provider = resources_of(desired.content).get("managedInstancesProvider") or {}
    silent = (provider.get("instanceLaunchTemplate") or {}).get("fipsEnabled") is None
    return silent and observed.arn.startswith("arn:aws-us-gov:")


def _same_types(asked: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    """Whether the types are alike by the strategy that is asked for, whatever the other one was."""
    types = [list(each.get("instanceTypes") or ()) for each in (asked, got)]
    ordered = asked.get("allocationStrategy") in ORDERED_STRATEGIES
    return types[0] == types[1] if ordered else sorted(types[0]) == sorted(types[1])


# --- the same, written in one way ---


def _alike(
    wanted: Mapping[str, Any], have: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Both contents, where AWS writes what it was sent in a way of its own."""
    wanted, have = _with_role(dict(wanted), have, "serviceRole"), dict(have)
    for content in (wanted, have):
        if "eksConfiguration" in content:
            content["eksConfiguration"] = _cluster(content["eksConfiguration"])
    if RESOURCES not in wanted or RESOURCES not in have:
        return wanted, have
    asked, got = dict(wanted[RESOURCES]), dict(have[RESOURCES])
    asked = _with_role(asked, got, "instanceRole")
    for resources in (asked, got):
        if "ec2Configuration" in resources:
            entries = resources["ec2Configuration"]
            resources["ec2Configuration"] = sorted(entries, key=_text)
        if "launchTemplate" in resources:
            resources["launchTemplate"] = _template(resources["launchTemplate"])
    if "ec2Configuration" in asked and "ec2Configuration" in got:
        got["ec2Configuration"] = _with_silence(asked["ec2Configuration"], got["ec2Configuration"])
    return {**wanted, RESOURCES: asked}, {**have, RESOURCES: got}


def _with_role(wanted: dict[str, Any], observed: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A role by bare name written as the ARN that AWS made of it, if it is that one."""
    have = str(observed.get(name) or "")
    if name in wanted and have.endswith(f"/{wanted[name]}"):
        return {**wanted, name: have}
    return wanted


def _cluster(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """EksConfiguration; to follow the cluster is what AWS does where nothing is said."""
    entry = given.get("accessEntry") or {}
    kept = {name: value for name, value in given.items() if name != "accessEntry"}
    state = entry.get("desiredState")
    return kept if state in {None, _NO_WISH} else {**kept, "accessEntry": {"desiredState": state}}


def _template(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """LaunchTemplateSpecification; its overrides are for different types, so in any order."""
    if "overrides" not in given:
        return given
    return {**given, "overrides": sorted(given["overrides"], key=_text)}


def _with_silence(
    asked: list[Mapping[str, Any]], got: list[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """AWS's entries without the version of Kubernetes that it has chosen where none was asked."""
    silent = {each.get("imageType") for each in asked if not each.get(_VERSION_OF_KUBERNETES)}
    return [
        {name: value for name, value in each.items() if name != _VERSION_OF_KUBERNETES}
        if each.get("imageType") in silent
        else each
        for each in got
    ]


def _text(entry: Mapping[str, Any]) -> str:
    """Sorts entries that are alike but for the order of what they list."""
    in_order = {
        name: sorted(value) if isinstance(value, list) and name == "targetInstanceTypes" else value
        for name, value in entry.items()
    }
    return json.dumps(in_order, sort_keys=True, default=str)
