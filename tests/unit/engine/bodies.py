"""Bodies as an API server sends them, for tests that need no API server."""

from typing import Any

from awsbatch_operator.api.metadata import API_VERSION, ObjectKey


def body(
    key: ObjectKey, *, version: int, uid: str = "uid-1", generation: int = 1, **parts: Any
) -> dict[str, Any]:
    """One object; `parts` are spec, status, or parts of the metadata."""
    metadata = {
        "name": key.name,
        "uid": uid,
        "resourceVersion": str(version),
        "generation": generation,
        "creationTimestamp": "2027-01-15T08:00:00Z",
    }
    if key.namespace:
        metadata["namespace"] = key.namespace
    made = {"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata}
    for name, value in parts.items():
        (made if name in {"spec", "status"} else metadata)[name] = value
    return made
