"""What `$Latest` and `$Default` of a launch template mean: a number (pure).

AWS Batch reads them again whenever it exchanges instances for some other reason, and tells nobody.
So AWS is sent a number, which is what is compared. It is looked up in EC2 once and recorded before
the call (Pin), or whenever a look finds another one (Track).

A number comes, in this order, from the record; from AWS's environment, where the whole record was
lost (a cluster that was rebuilt, an environment that is taken over) or where AWS has the very same
word; from EC2. What EC2 cannot tell now leaves the template as AWS has it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from awsbatch_operator.api import replacing_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RESOLVED, TEMPLATE_VERSIONS, Resource, Shape
from awsbatch_operator.api.names import BY_ID, BY_NAME
from awsbatch_operator.kinds.computeenvironment.members import RESOURCES, resources_of

_NUMBERS = {"$Latest": "LatestVersionNumber", "$Default": "DefaultVersionNumber"}
_TEMPLATE = "launchTemplate"


@dataclass(frozen=True, slots=True)
class Use:
    """A template as it stands in a content, or in one of its overrides.

    `name` is how it is looked up; `types` are those that it is for, none: all.
    """

    name: str
    version: str
    types: frozenset[str] = frozenset()

    @property
    def word(self) -> str:
        """Under which the number is recorded."""
        return f"{self.name}:{self.version}"

    @property
    def place(self) -> tuple[str, frozenset[str]]:
        """What it has in common with the same one, of whatever version."""
        return self.name, self.types

    @property
    def symbolic(self) -> bool:
        """Whether it takes a look to know the number."""
        return self.version in _NUMBERS


@dataclass(frozen=True, slots=True)
class Pins:
    """The record. `lost`: nothing of the object is recorded at all, not even where it lives."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    lost: bool = False

    def record(self, before: "Pins") -> Mapping[str, str]:
        """The annotation, if it says something else than before."""
        if self.numbers == before.numbers:
            return {}
        numbers = dict(sorted(self.numbers.items()))
        return {TEMPLATE_VERSIONS: json.dumps(numbers, separators=(",", ":"))}


@dataclass(frozen=True, slots=True)
class Templates:
    """What EC2 says of launch templates, by the name of a Use. `refusal`: why it says nothing."""

    told: Mapping[str, Shape] = field(default_factory=dict)
    refusal: Finding | None = None

    def number(self, use: Use) -> int | None:
        """The number that the word leads to now; None if there is none."""
        found = self.told.get(use.name, {}).get(_NUMBERS[use.version])
        return None if found is None else int(found)


@dataclass(frozen=True, slots=True)
class Settled:
    """A content with numbers, what is to be recorded of them, and why EC2 has not told one.

    `complete`: each word has a number, or AWS's environment has the same word.
    """

    content: Mapping[str, Any]
    pins: Pins
    findings: tuple[Finding, ...] = ()
    complete: bool = True


def pins_in(resource: Resource) -> Pins:
    """What was recorded; nothing, too, if somebody has edited it into something else."""
    lost = RESOLVED not in resource.annotations
    try:
        body = json.loads(resource.annotations.get(TEMPLATE_VERSIONS, "{}"))
        return Pins({str(word): int(number) for word, number in body.items()}, lost)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Pins(lost=lost)


def to_look_up(
    wanted: Mapping[str, Any], have: Mapping[str, Any], pins: Pins, *, track: bool
) -> tuple[str, ...]:
    """The templates that EC2 must be asked about before it is known what is wanted.

    `have` is what AWS describes; nothing if there is no environment.
    """
    theirs = {use.place: use for use in _uses(have)}
    unknown = {
        use.name
        for use in _uses(wanted)
        if use.symbolic and (track or _known(use, theirs.get(use.place), pins) is None)
    }
    return tuple(sorted(unknown))


def settled(
    wanted: Mapping[str, Any],
    have: Mapping[str, Any],
    pins: Pins,
    templates: Templates,
    *,
    track: bool,
) -> Settled:
    """The content that AWS is sent, and is compared with."""
    theirs = {use.place: use for use in _uses(have)}
    words = [use for use in _uses(wanted) if use.symbolic]
    versions = {
        use.word: _chosen(use, theirs.get(use.place), pins, templates, track=track) for use in words
    }
    chosen = {word: version for word, version in versions.items() if version is not None}
    complete = len(chosen) == len(versions)
    content = _with(wanted, chosen) if complete else _as_it_is(wanted, have)
    numbers = {word: int(version) for word, version in chosen.items() if version.isdecimal()}
    untold = [
        use
        for use in words
        if versions[use.word] is None or (track and templates.number(use) is None)
    ]
    findings = tuple(dict.fromkeys(_missing(use, templates) for use in untold))
    return Settled(content, replace(pins, numbers=numbers), findings, complete)


def _chosen(
    use: Use, theirs: Use | None, pins: Pins, templates: Templates, *, track: bool
) -> str | None:
    now = templates.number(use)
    if track and now is not None:
        return str(now)
    known = _known(use, theirs, pins)
    if known is None and now is not None:
        return str(now)
    if known is None and track and theirs is not None:
        return theirs.version
    return known


def _known(use: Use, theirs: Use | None, pins: Pins) -> str | None:
    """The version without a look at EC2."""
    if use.word in pins.numbers:
        return str(pins.numbers[use.word])
    if theirs is None:
        return None
    lost = pins.lost and theirs.version.isdecimal()
    return theirs.version if lost or theirs.version == use.version else None


def _missing(use: Use, templates: Templates) -> Finding:
    if templates.refusal is not None:
        return templates.refusal
    what, name = ("id", use.name.removeprefix(BY_ID))
    if use.name.startswith(BY_NAME):
        what, name = ("name", use.name.removeprefix(BY_NAME))
    words = f"EC2 has no launch template of the {what} {name}, so {use.version} leads nowhere."
    return Finding(replacing_reasons.TEMPLATE_NOT_FOUND, words)


# --- where templates stand ---


def _uses(content: Mapping[str, Any]) -> Iterator[Use]:
    template = resources_of(content).get(_TEMPLATE) or {}
    for each in (template, *(template.get("overrides") or ())):
        use = _use(each)
        if use is not None:
            yield use


def _use(specification: Mapping[str, Any]) -> Use | None:
    version = specification.get("version") or "$Default"  # AWS's default
    types = frozenset(specification.get("targetInstanceTypes") or ())
    if named := specification.get("launchTemplateId"):
        return Use(f"{BY_ID}{named}", version, types)
    if named := specification.get("launchTemplateName"):
        return Use(f"{BY_NAME}{named}", version, types)
    return None


def _with(content: Mapping[str, Any], chosen: Mapping[str, str]) -> Mapping[str, Any]:
    """The content with these versions in the place of the words."""
    if not chosen:
        return content
    resources = resources_of(content)
    template = _numbered(resources[_TEMPLATE], chosen)
    if "overrides" in template:
        template["overrides"] = [_numbered(each, chosen) for each in template["overrides"]]
    return {**content, RESOURCES: {**resources, _TEMPLATE: template}}


def _numbered(specification: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Any]:
    use = _use(specification)
    if use is None or use.word not in chosen:
        return dict(specification)
    return {**specification, "version": chosen[use.word]}


def _as_it_is(content: Mapping[str, Any], have: Mapping[str, Any]) -> Mapping[str, Any]:
    """The content with the launch template that AWS has, if it has any."""
    theirs = resources_of(have).get(_TEMPLATE)
    resources = {name: each for name, each in resources_of(content).items() if name != _TEMPLATE}
    if theirs:
        resources[_TEMPLATE] = theirs
    return {**content, RESOURCES: resources} if have else content
