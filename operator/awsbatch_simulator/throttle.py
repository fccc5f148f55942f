"""AWS's request limits as token buckets, per account and region."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from awsbatch_simulator.context import Place
from awsbatch_simulator.limits import Bucket, Only, RequestLimits

FILTERS = ("Filters", "MaxResults", "NextToken")


@dataclass(slots=True)
class _Level:
    """How full a bucket was at a moment."""

    tokens: float
    when: float

    def take(self, bucket: Bucket, amount: float, now: float) -> bool:
        """Take tokens if there are enough; a bucket that refuses gives none."""
        refilled = self.tokens + max(0.0, now - self.when) * bucket.rate
        self.tokens, self.when = min(bucket.burst, refilled), now
        if self.tokens < amount:
            return False
        self.tokens -= amount
        return True


class Throttle:
    """The buckets' levels. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._levels: dict[tuple[Place, str, str], _Level] = {}

    def admits(
        self,
        limits: RequestLimits,
        *,
        place: Place,
        call: tuple[str, str],
        parameters: Mapping[str, Any],
        now: float,
    ) -> bool:
        """Whether a call (service, operation) is within the limits at real second `now`."""
        if not limits.enabled:
            return True
        service, operation = call
        request = _first(limits.requests, service, operation, parameters)
        if request is not None and not self._take(place, operation, request, 1, now):
            return False
        resource = _first(limits.resources, service, operation, parameters)
        amount = instances(parameters)
        return resource is None or self._take(place, operation, resource, amount, now)

    def _take(
        self, place: Place, operation: str, named: tuple[str, Bucket], amount: float, now: float
    ) -> bool:
        label, bucket = named
        key = (place, label, "" if bucket.shared else operation)
        level = self._levels.get(key)
        if level is None:
            level = self._levels[key] = _Level(bucket.burst, now)
        return level.take(bucket, amount, now)


def _first(
    buckets: Mapping[str, Bucket], service: str, operation: str, parameters: Mapping[str, Any]
) -> tuple[str, Bucket] | None:
    prefix = f"{service}:"
    for label, bucket in buckets.items():
        if (
            label.startswith(prefix)
            and any(fnmatchcase(operation, glob) for glob in bucket.operations)
            and (bucket.only is Only.ALL or not any(name in parameters for name in FILTERS))
        ):
            return label, bucket
    return None


def instances(parameters: Mapping[str, Any]) -> int:
    """How many instances a call is about."""
    count = parameters.get("MaxCount")
    return int(count) if count is not None else len(parameters.get("InstanceIds", ()))
