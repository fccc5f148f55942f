"""Images that would be made from each other: bases by amiRef that lead around (pure).

Each of them would wait for the next one to be Ready, for ever.
"""

from collections.abc import Callable
from itertools import pairwise

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.image_reasons import BASE_CIRCLE
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import AMI_REF

Find = Callable[[ObjectKey], Resource | None]


def circle(resource: Resource, find: Find) -> tuple[ObjectKey, ...]:
    """The objects of the circle that it is a member of, itself first; () if there is none.

    One that only leads to a circle waits for the members, which say what is wrong.
    """
    found: list[ObjectKey] = []
    current: Resource | None = resource
    while current is not None and current.key not in found:
        found.append(current.key)
        reference = (current.spec.get("base") or {}).get(AMI_REF) or {}
        key = ObjectKey(resource.key.kind, resource.key.namespace, str(reference.get("name", "")))
        if key == resource.key:
            return tuple(found)
        current = find(key)
    return ()


def circle_fault(resource: Resource, find: Find) -> Finding | None:
    """Why it can never be made; None if its base does not lead back to it."""
    keys = circle(resource, find)
    if not keys:
        return None
    links = [f"{each.name} from {base.name}" for each, base in pairwise((*keys, keys[0]))]
    words = f"spec.base.amiRef leads back to this object: {', '.join(links)}."
    return Finding(BASE_CIRCLE, words)
