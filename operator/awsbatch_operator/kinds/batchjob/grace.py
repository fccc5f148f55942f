"""How long a definition by name is given to be changed by the same `kubectl apply` (pure)."""

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, Resource, Shape

CLOCKS_APART_SECONDS = 30.0  # the clocks of two machines in good order differ by less


def grace_left(resource: Resource, definition_grace: float, now: Instant) -> float:
    """Seconds until the first run of a job may begin of which nothing is recorded; 0: it may."""
    if resource.held or SUBMISSION in resource.annotations or resource.spec.get("suspend"):
        return 0.0
    return left_of(resource.created, grace_seconds_of(resource, definition_grace), now)


def grace_after(resource: Resource, definition_grace: float, since: Instant, now: Instant) -> float:
    """Seconds until another run may begin that was first wanted at that moment; 0: it may.

    `kubectl apply -k` changes a BatchJob before the JobDefinition of the same commit, too.
    """
    return left_of(since, grace_seconds_of(resource, definition_grace), now)


def grace_seconds_of(resource: Resource, definition_grace: float) -> float:
    """Of a creationTimestamp, which has whole seconds, cut off: hence the one more."""
    reference: Shape = resource.spec.get("jobDefinitionRef") or {}
    by_name = "name" in reference and reference.get("revision") is None
    return definition_grace + 1.0 if by_name and definition_grace > 0 else 0.0


def left_of(created: Instant | None, grace_seconds: float, now: Instant) -> float:
    """The moment of creation is the API server's, and `now` is ours.

    A creation that is ahead of us by more than clocks differ in good order means that one of them
    is wrong, and waiting for the other could take hours.
    """
    if created is None or not grace_seconds:
        return 0.0
    left = created.plus(grace_seconds).since(now)
    return left if 0.0 < left <= grace_seconds + CLOCKS_APART_SECONDS else 0.0
