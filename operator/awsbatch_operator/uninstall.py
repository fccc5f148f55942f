"""Let go of all objects before the operator is removed, so that they can still be deleted.

Only our finalizer goes. What the objects stand for in AWS stays, with its tags: an operator that is
installed again, under the same cluster id, finds it.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import structlog

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.engine.store import finalizer_removed
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.kube.port import ConflictError, KubePort, NotFoundError

_log = structlog.get_logger(__name__)


async def run(*, namespaces: tuple[str, ...], kinds: tuple[str, ...]) -> int:
    """Release all objects; 0, or raises KubeError. Stop the operator first: it would hold on."""
    location = Location.detect(os.environ, home=Path.home())
    kube = await KubeClient.open(
        location, clock=SystemClock(), environ=os.environ, namespaces=namespaces
    )
    try:
        await release_served(kube, kinds)
    finally:
        await kube.close()
    return 0


async def release_served(kube: KubePort, kinds: Sequence[str]) -> None:
    """Release the objects of those kinds that there are, and say how many.

    Somebody may have deleted the CRDs after the operator. The last objects of those that are left
    are then held by nothing but our finalizer.
    """
    served = await kube.served_kinds()
    for kind in kinds:
        if kind in served:
            _log.info("released", kind=kind, objects=await release_all(kube, kind))
        else:
            _log.warning("not served, so there is nothing to release", kind=kind)


async def release_all(kube: KubePort, kind: str) -> int:
    """Take our finalizer off every object of a kind; how many had it."""
    released = 0
    async for body in kube.list(kind):
        resource = Resource.from_body(body)
        if resource.held:
            released += await _release(kube, resource)
    return released


async def _release(kube: KubePort, resource: Resource) -> int:
    """1 if the finalizer was there to be taken off. Whoever else writes meanwhile, we win."""
    current: Resource | None = resource
    while current is not None and current.held:
        guard = {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": current.resource_version,
        }
        try:
            await kube.patch(current.key, (guard, *finalizer_removed(current)))
        except NotFoundError:
            return 0
        except ConflictError:
            body = await kube.get(current.key)
            current = None if body is None else Resource.from_body(body)
        else:
            return 1
    return 0
