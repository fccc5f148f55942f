"""What the kinds share whose AWS object lasts as long as the resource."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import Need, Reference, references
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.kinds import statuses
from awsbatch_operator.kinds.contract import KindStatus
from awsbatch_operator.schema.declare import CustomResource, unsupported
from awsbatch_operator.schema.validate import SpecError, read_spec

LOOK_SECONDS = 300.0  # a look without any sign; the shared poller tells of changes much sooner
MOVING_SECONDS = 5.0  # the same while AWS is at work


class Lasting:
    """The answers that all of them give the same way."""

    __slots__ = ()
    bounded = False

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        return needed_references(resource)

    def finished(self, resource: Resource) -> bool:
        del resource
        return False

    async def permit(self, action: object, scope: Scope) -> None:
        """Nothing to wait for: no action of theirs has to be the last thing before the call."""

    def forget(self, key: ObjectKey) -> None:
        """Nothing is kept in memory: everything stands in AWS."""


def refusals(declared: CustomResource[Any], resource: Resource) -> tuple[Finding, ...]:
    """What the spec alone rules out: it breaks the schema, or asks what is not honoured yet."""
    try:
        read_spec(declared, resource.spec)
    except SpecError as error:
        return (Finding(catalogue.INVALID_SPEC, f"{error}."),)
    return tuple(
        Finding(catalogue.NOT_SUPPORTED_YET, f"spec.{field.path} is not honoured.", field.remedy)
        for field in unsupported(declared, resource.spec)
    )


def needed_references(resource: Resource) -> tuple[Reference, ...]:
    """All references by name: targets must be Ready, or only known once our own object stands."""
    need = Need.KNOWN if "arn" in resource.status else Need.READY
    return tuple(replace(reference, need=need) for reference in references(resource))


def where(recorded: Recorded) -> str:
    """The name and the place of an AWS object, for messages."""
    return f"{recorded.aws_name} in account {recorded.account_id}, region {recorded.region}"


def place_of(scope: Scope) -> str:
    """Account and region, for messages."""
    return f"account {scope.account_id}, region {scope.region}"


def starting(resource: Resource) -> KindStatus:
    """The status of an object of which AWS has nothing yet, or that was not looked at."""
    verdict = Verdict(
        Situation.WORKING, catalogue.STARTING.name, "The operator is about to look at it."
    )
    return KindStatus(statuses.kept_fields(resource), verdict)


def settled_on(resource: Resource) -> bool:
    """Whether this generation was reached before: a difference is then a drift."""
    return statuses.settled(resource)


def members(spec: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """AWS's members of a spec, without what is ours."""
    return {name: value for name, value in spec.items() if name in names}
