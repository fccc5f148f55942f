"""Operators as real processes, each with a namespace and a lease of its own, killed by SIGKILL."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, TypeVar

from tests.support.api_server import Body
from tests.support.cluster import Cluster, Look, is_ready
from tests.support.deadline import POLL_SECONDS, until
from tests.support.namespaces import new_namespace
from tests.support.recording import Change, Recording
from tests.support.site import Site

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.tags import Owner
from awsbatch_sandbox.controlplane import ControlPlane

SECONDS = 60.0
SELDOM = 0.1  # seconds between two looks at what takes long: several lanes look at once
ON_ITS_WAY = 0.6  # seconds that AWS takes for a call during which the operator dies
LEASE_RULES = "--verb=get,create,update", "--resource=leases.coordination.k8s.io"


def nothing() -> None:
    """What most people do while an operator is dead."""


class Lane:
    """An operator with a namespace and a lease of its own, which is killed again and again."""

    flags: ClassVar[Mapping[str, str]] = {}  # of the operator, beside the usual ones

    def __init__(self, site: Site, cluster: Cluster, name: str) -> None:
        self.site, self.cluster, self.name = site, cluster, name
        self.killed: list[Any] = []  # the points
        here = cluster.namespace
        self.part = site.start(name, namespaces=here, lease_namespace=here, **self.flags)

    @property
    def here(self) -> str:
        """The namespace."""
        return self.cluster.namespace

    async def dies(self, point: object, *, meanwhile: Callable[[], object] = nothing) -> None:
        """Wait until the operator has been killed, and start another one after `meanwhile`."""
        await until(
            lambda: not self.part.running(),
            f"{self.name}: the point {point} comes",
            seconds=SECONDS,
        )
        assert self.part.exit_code() == -signal.SIGKILL, self.part.last_words()
        self.killed.append(point)
        meanwhile()
        self.restart()

    def restart(self) -> None:
        """Start another operator in the place of the one that was killed."""
        self.site.sandbox.kill_operator(self.name)
        self.part = self.site.sandbox.restart_operator(self.name)

    def kill(self) -> None:
        """As the kernel would."""
        os.kill(self.part.identity.pid, signal.SIGKILL)

    def end(self) -> None:
        """There is no operator any more."""
        self.site.sandbox.kill_operator(self.name)

    @contextmanager
    def killed_during(
        self, operation: str, match: Mapping[str, str], *, seconds: float = ON_ITS_WAY
    ) -> Iterator[None]:
        """While the call is on its way to AWS, which then carries it out for nobody."""
        found = {"operation": operation, "match": dict(match)}
        slow = self.site.fault("delay", seconds=seconds, times=1, **found)
        with self.killed_when(lambda: self.site.struck(slow), every=SELDOM):
            yield

    @contextmanager
    def killed_when(
        self, look: Callable[[], object], *, every: float = POLL_SECONDS
    ) -> Iterator[None]:
        """As soon as something is the case."""
        given_up = threading.Event()

        def watch() -> None:
            while not given_up.wait(every):
                if look():
                    self.kill()
                    return

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            given_up.set()
            thread.join()

    @contextmanager
    def killed_at(self, look: Callable[[int, Change], object]) -> Iterator[None]:
        """At the first change of an object that looks so; it is given its number, too.

        What is there already counts as a change.
        """
        due = threading.Semaphore()

        def changed(number: int) -> None:
            if look(number, recording.changes[number - 1]) and due.acquire(blocking=False):
                self.kill()

        recording = Recording(self.site.control_plane, self.here, on_change=changed)
        with recording:
            yield

    @contextmanager
    def killed_without_answer(self, operation: str, match: Mapping[str, str]) -> Iterator[None]:
        """When AWS has carried out the call, and its answer is lost."""
        found = {"operation": operation, "match": dict(match)}
        fault = self.site.fault("drop_after", times=1, **found)
        with self.killed_when(lambda: self.site.struck(fault)):
            yield

    async def becomes(
        self, *keys: tuple[str, str], look: Look = is_ready, what: str = "is Ready"
    ) -> None:
        """Wait until the objects (kind, name) look so."""

        def does(key: tuple[str, str]) -> object:
            body = self.cluster.get(*key)
            return body is not None and look(body)

        for key in keys:
            words = f"{self.name}: {key[1]} {what}, killed {self.killed}"
            await until(partial(does, key), words, seconds=SECONDS, every=SELDOM)

    async def becomes_empty(self) -> None:
        """Delete all objects, the used before their users, and wait until they are gone."""
        for each in self.cluster.all():
            self.cluster.delete(each["kind"], each["metadata"]["name"])
        gone = f"{self.name}: all are gone, killed {self.killed}"
        await until(lambda: not self.cluster.all(), gone, seconds=SECONDS, every=SELDOM)

    def see(self, kind: str, name: str) -> Body:
        """An object that is there."""
        body = self.cluster.get(kind, name)
        assert body is not None, f"{self.name}: {kind} {name} is gone"
        return body

    def marks_of(self, kind: str, name: str) -> dict[str, str]:
        """The tags of ours that the thing of an object must have."""
        key, uid = ObjectKey(kind, self.here, name), self.see(kind, name)["metadata"]["uid"]
        return Owner(self.site.sandbox.cluster_id, key, uid).tags()

    def in_aws(self) -> tuple[list[Shape], ...]:
        """What AWS holds for the namespace: environments, queues, definitions, policies."""
        return tuple(
            [each for each in listed if each["tags"].get("awsbatch.dev/namespace") == self.here]
            for listed in everything(self.site)
        )


LaneT = TypeVar("LaneT", bound=Lane)


def everything(site: Site) -> tuple[list[Shape], ...]:
    """What AWS holds: environments, queues, active definitions, policies."""
    batch = site.client("batch")
    arns = [each["arn"] for each in batch.list_scheduling_policies()["schedulingPolicies"]]
    return (
        batch.describe_compute_environments()["computeEnvironments"],
        batch.describe_job_queues()["jobQueues"],
        batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"],
        batch.describe_scheduling_policies(arns=arns)["schedulingPolicies"] if arns else [],
    )


def annotation(change: Change, name: str) -> str:
    """What one of our annotations says; "" if there is none."""
    return str(change.body["metadata"].get("annotations", {}).get(name, ""))


@contextmanager
def lane(
    site: Site, control_plane: ControlPlane, name: str, make: Callable[[Site, Cluster, str], LaneT]
) -> Iterator[LaneT]:
    """A lane, and the right to hold a lease in its namespace."""
    with new_namespace(control_plane) as namespace, site.cluster(namespace) as cluster:
        where, operator = f"--namespace={namespace}", "awsbatch-system:aws-batch-operator"
        kubectl = control_plane.kubectl
        kubectl("create", "role", "lease", where, *LEASE_RULES)
        who = "--role=lease", f"--serviceaccount={operator}"
        kubectl("create", "rolebinding", "lease", where, *who)
        made = make(site, cluster, name)
        yield made
        made.end()
