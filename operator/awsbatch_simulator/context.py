"""Who calls, and where: the account and the region that key every store."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """An account and a region: nothing is shared between two places."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Caller:
    """One authenticated request: where it goes, who sends it, and its id."""

    place: Place
    principal: str  # an ARN, as sts get-caller-identity shows it
    request_id: str
