"""What objects that refer to another look at: a change of anything else wakes nobody."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from awsbatch_operator.api.metadata import Resource

_NONE: Mapping[str, Any] = {}
_CONDITIONS = frozenset({"Ready", "Complete", "Failed", "Stalled"})


def significance(spec_matters: frozenset[str] = frozenset()) -> Callable[[Resource], Hashable]:
    """A digest that differs when users should look again.

    Identity, deletion, how far the newest generation has come, the AWS identity, the launch
    template of an image, whether AWS calls it VALID, and the status of the conditions that a
    reference waits for. For the kinds of `spec_matters` every
    new generation counts, acted upon or not (an AWSAccount's users obey its spec).
    """

    def digest(resource: Resource) -> Hashable:
        status = resource.status
        return (
            resource.uid,
            resource.deleting,
            status.get("observedGeneration") == resource.generation,
            status.get("arn"),
            tuple(sorted(status.get("launchTemplate", _NONE).items())),
            status.get("jobId"),
            status.get("awsStatus") == "VALID",
            tuple(
                (condition["type"], condition["status"])
                for condition in status.get("conditions", ())
                if condition["type"] in _CONDITIONS
            ),
            resource.generation if resource.key.kind in spec_matters else None,
        )

    return digest
