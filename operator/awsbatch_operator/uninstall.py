"""Let go of all objects before the operator is removed, so that they can still be deleted.

Only our finalizer goes. What the objects stand for in AWS stays, with its tags: an operator that is
installed again, under the same cluster id, finds it. AWS is not asked for anything.

Whoever dies in the middle begins anew: what was let go is not written again, and an object that was
deleted already is gone. A kind whose CRD has been deleted has no objects.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource
from awsbatch_operator.api.tags import CLUSTER
from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.engine.lease import LeaseView, Standing, evaluate, viewed
from awsbatch_operator.engine.store import finalizer_removed
from awsbatch_operator.kinds.batchjob.record import told_end
from awsbatch_operator.kinds.scope_record import recorded_in
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.kube.port import (
    ConflictError,
    DeniedError,
    KubeError,
    KubePort,
    NotFoundError,
    UnavailableError,
)

ABREAST = 16  # objects that are let go at a time
LEASE_SECONDS = 30.0  # of a lease that states none of its own
PATIENCE_SECONDS = 60.0  # for an operator that is told to stop, which takes 14 s
LOOK_SECONDS = 2.0

Say = Callable[[str], None]


class Exit(IntEnum):
    """The exit codes; 2 is argparse's, for a wrong command line."""

    DONE = 0  # nothing is held any more
    FAILED = 1  # some objects may still be held; the same command again goes on
    OPERATOR_RUNS = 3  # it would take hold again, so nothing was done


class Where(NamedTuple):
    """An account and region of AWS."""

    account: str
    region: str


@dataclass(slots=True)
class Released:
    """What was done about one kind; `trouble` says why not all of it."""

    kind: str
    served: bool = True
    objects: int = 0
    released: int = 0
    trouble: str = ""

    def words(self) -> str:
        """One line for a person."""
        if self.trouble:
            return f"{self.released} let go, then: {self.trouble}"
        if not self.served:
            some = f"{self.released} let go, and now " if self.released else ""
            return f"{some}not served (its CRD is gone), so there are no objects"
        if not self.objects:
            return "no objects"
        rest = self.objects - self.released
        return f"{self.released} let go" + (f", {rest} not held by us" if rest else "")


@dataclass(slots=True)
class Report:
    """All of it: by kind, and what stays in AWS for it, by place and by what it is."""

    kinds: list[Released] = field(default_factory=list)
    left: dict[Where, Counter[str]] = field(default_factory=dict)

    @property
    def code(self) -> Exit:
        """The exit code that this means."""
        return Exit.FAILED if any(each.trouble for each in self.kinds) else Exit.DONE


async def run(
    *, namespaces: tuple[str, ...], kinds: tuple[str, ...], lease: ObjectKey, say: Say
) -> Exit:
    """Release all objects and say what was done. Raises KubeError if nothing could be asked."""
    location, clock = Location.detect(os.environ, home=Path.home()), SystemClock()
    kube = await KubeClient.open(location, clock=clock, environ=os.environ, namespaces=namespaces)
    try:
        return await uninstall(kube, kinds, lease=lease, clock=clock, say=say)
    finally:
        await kube.close()


async def uninstall(
    kube: KubePort, kinds: Sequence[str], *, lease: ObjectKey, clock: Clock, say: Say
) -> Exit:
    """Wait until no operator leads, release everything, and say what was done."""
    leader = await still_leads(kube, lease, clock)
    if leader:
        say(
            f"The operator {leader} still runs: it renews the lease {lease.namespace}/{lease.name}"
            ", and would take hold of every object again. Nothing was done. Remove the operator "
            "first (kubectl delete -k deploy/overlays/aws), or stop it (kubectl scale deployment "
            f"-n {lease.namespace} {lease.name} --replicas=0), and run this again."
        )
        return Exit.OPERATOR_RUNS
    report = await release_everything(kube, kinds)
    for line in lines(report):
        say(line)
    return report.code


async def still_leads(kube: KubePort, lease: ObjectKey, clock: Clock) -> str:
    """Who renews the operator's lease, though it was waited for; "" once nobody holds it.

    Whoever may not read leases is believed to know that no operator runs. A lease that nobody
    renews ends by itself, however long it lasts.
    """
    first: LeaseView | None = None
    view: LeaseView | None = None
    deadline = clock.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(DeniedError):
            found = await kube.read_lease(lease.namespace, lease.name)
            view = viewed(view, found, now=clock.monotonic(), duration=LEASE_SECONDS)
            if found is None:
                return ""
        standing, _ = evaluate(view, "", clock.monotonic())
        if view is None or standing is Standing.FREE:
            return ""
        first = first or view
        if clock.monotonic() >= deadline and view.version != first.version:
            return view.holder
        await clock.sleep(LOOK_SECONDS)


async def release_everything(kube: KubePort, kinds: Sequence[str]) -> Report:
    """Release the objects of all kinds; trouble with one keeps no other held."""
    report = Report()
    for kind in kinds:
        done = Released(kind)
        report.kinds.append(done)
        try:
            await _release_kind(kube, done, report.left)
        except UnavailableError as error:
            # The last object of a CRD that is being deleted takes it along, also under our hands.
            done.served = kind in await kube.served_kinds()
            done.trouble = str(error) if done.served else ""
        except KubeError as error:
            done.trouble = str(error)
    return report


async def _release_kind(kube: KubePort, done: Released, left: dict[Where, Counter[str]]) -> None:
    held: dict[ObjectKey, Resource] = {}
    async for body in kube.list(done.kind):
        resource = Resource.from_body(body)
        if resource.key not in held:  # a list that breaks off in the middle begins anew
            done.objects += 1
        if resource.held:
            _note(left, resource)
            held[resource.key] = _bare(resource)
    waiting, troubles = iter(held.values()), list[KubeError]()

    async def some() -> None:
        for resource in waiting:
            try:
                released = await _release(kube, resource)
                done.released += released  # read and added to at once: others count meanwhile
            except KubeError as error:
                troubles.append(error)
                if isinstance(error, UnavailableError):
                    return  # the others would not be answered either

    await asyncio.gather(*(some() for _ in range(ABREAST)))
    if troubles:
        raise troubles[0]


def _bare(resource: Resource) -> Resource:
    """What releasing it needs: there may be a hundred thousand."""
    return Resource(
        key=resource.key,
        uid=resource.uid,
        generation=resource.generation,
        resource_version=resource.resource_version,
        created=resource.created,
        finalizers=resource.finalizers,
    )


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


def _note(left: dict[Where, Counter[str]], resource: Resource) -> None:
    """Count what AWS has of the object, by what the object says."""
    kind = resource.key.kind
    if kind == "AWSAccount" or (kind == "BatchJob" and told_end(resource) is not None):
        return
    with suppress(RecordError):
        recorded = recorded_in(resource)
        if recorded is not None:
            here = left.setdefault(Where(recorded.account_id, recorded.region), Counter())
            here[kind] += 1
            here["instance"] += _instances(resource)


def _instances(resource: Resource) -> int:
    """Instances that the operator has launched for a ComputeEnvironment with capacity."""
    shown = resource.status.get("capacity")
    pools = shown.get("pools") or () if isinstance(shown, Mapping) else ()
    return sum(int(pool.get("launched") or 0) for pool in pools)


def lines(report: Report) -> Sequence[str]:
    """What a person is told."""
    width = max((len(each.kind) for each in report.kinds), default=0)
    told = [f"{each.kind:{width}}  {each.words()}" for each in report.kinds]
    if not any(each.released or each.trouble for each in report.kinds):
        told.append("Nothing is held by the operator: there was nothing to do.")
    told += [line for where, there in sorted(report.left.items()) for line in _left(where, there)]
    if any(there["instance"] or there["BatchJob"] for there in report.left.values()):
        told.append(
            "Jobs run on there, and instances of UNMANAGED environments cost money until somebody "
            "ends them: no operator does so any more."
        )
    if report.code is Exit.FAILED:
        told.append("Some objects may still be held. Mend what is said above and run this again.")
    return told


def _left(where: Where, there: Counter[str]) -> Sequence[str]:
    counted = ", ".join(_counted(number, what) for what, number in there.items() if number)
    found = (
        f"Left in AWS as it was, in account {where.account}, region {where.region}: {counted}. "
        f"All of it has the tag {CLUSTER}, and so it is found:"
    )
    ask = f"aws resourcegroupstaggingapi get-resources --region {where.region}"
    return found, f"  {ask} --tag-filters Key={CLUSTER}"


def _counted(number: int, what: str) -> str:
    many = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number} {what if number == 1 else many}"
