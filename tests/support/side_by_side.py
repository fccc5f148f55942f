"""Several installations of the operator in one world, and who of them has written into what."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.support.installation import Installation
from tests.support.one_process import Process

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.kube.port import KubePort

LEASE = "aws-batch-operator"


class Signed:
    """Kubernetes as one of them reaches it: each write into an object is noted, refused or not."""

    def __init__(self, kube: KubePort, who: str, writes: list[tuple[str, ObjectKey]]) -> None:
        self._kube, self._who, self._writes = kube, who, writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kube, name)

    async def apply_status(self, key: ObjectKey, status: Shape, *, resource_version: str) -> Shape:
        self._writes.append((self._who, key))
        return await self._kube.apply_status(key, status, resource_version=resource_version)

    async def patch(self, key: ObjectKey, operations: Any) -> Shape:
        self._writes.append((self._who, key))
        return await self._kube.patch(key, operations)

    async def delete(self, key: ObjectKey, **guards: Any) -> None:
        self._writes.append((self._who, key))
        await self._kube.delete(key, **guards)


class Neighbours(Installation):
    """A world with several operators, each of an installation that is called by its namespace."""

    def __init__(self) -> None:
        super().__init__(limited=False)
        self.writes: list[tuple[str, ObjectKey]] = []  # whose, and into what

    @asynccontextmanager
    async def at_work(self, *names: str, **settings: Any) -> AsyncIterator[tuple[Process, ...]]:
        """Operators that begin at the same moment, with cluster ids of their own names."""
        with self.credentials():
            made = [self._made(name, {"cluster_id": name} | settings) for name in names]
            async with AsyncExitStack() as ends:
                for each in made:
                    ends.push_async_callback(each.stop)
                    each.start()
                await self.clock.advance(0)
                yield tuple(made)
                for each in made:
                    each.check()

    def _made(self, name: str, settings: dict[str, Any]) -> Process:
        signed: Any = Signed(self.kube, name, self.writes)
        return Process(
            self,
            on_client=self.lagging.connect,
            kube=signed,
            identity=name,
            lease_namespace=name,
            lease_name=LEASE,
            **settings,
        )

    def hand_over(self, name: str, *keys: ObjectKey) -> None:
        """kubectl annotate --overwrite."""
        for key in keys:
            self.kube.annotate(key, **{"awsbatch.dev/installation": f"{name}/{LEASE}"})

    def server(self, key: ObjectKey) -> str:
        """Whose the object is, by what is noted in it; AssertionError if it says two things."""
        body = self.kube.see(key)
        noted = body["metadata"].get("annotations", {}).get("awsbatch.dev/installation")
        shown = body.get("status", {}).get("installation", noted)
        assert noted in {None, shown}, (noted, shown)
        return str(shown).partition("/")[0]

    def writers(self, key: ObjectKey) -> set[str]:
        """Who has tried to write into it."""
        return {who for who, about in self.writes if about == key}

    def number(self, process: Process, name: str, **labels: str) -> float:
        """The sum of a metric of one of them over all samples that carry these labels."""
        return sum(
            sample.value
            for family in process.metrics.registry.collect()
            for sample in family.samples
            if sample.name == f"awsbatch_operator_{name}"
            and labels.items() <= sample.labels.items()
        )
