"""A recorder of Events over Kubernetes in memory."""

import asyncio
from contextlib import asynccontextmanager
from random import Random

from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.event_recorder import EventRecorder, RecorderSettings
from awsbatch_operator.telemetry.metrics import Metrics

JOB = Resource.from_body(body(ObjectKey("BatchJob", "science", "one"), version=7))
ACCOUNT = Resource.from_body(body(ObjectKey("AWSAccount", "", "research"), version=8, uid="uid-2"))


class EventKube(MemoryKube):
    """Events only. The next calls fail with `errors`, before or after they took effect."""

    def __init__(self, clock):
        super().__init__([], clock=clock, namespaces={"science": {}, "default": {}})
        self.errors = []
        self.after = False
        self.calls = 0

    async def create_event(self, namespace, body):
        return await self._maybe(super().create_event, namespace, body)

    async def patch_event(self, namespace, name, body):
        return await self._maybe(super().patch_event, namespace, name, body)

    async def _maybe(self, call, *arguments):
        self.calls += 1
        error = self.errors.pop(0) if self.errors else None
        if error and not self.after:
            raise error
        answer = await call(*arguments)
        if error:
            raise error
        return answer


class Rig:
    def __init__(self, **settings):
        self.clock = SteppedClock()
        self.kube = EventKube(self.clock)
        self.metrics = Metrics(CollectorRegistry())
        self.recorder = EventRecorder(
            kube=self.kube,
            clock=self.clock,
            random=Random(1),
            metrics=self.metrics,
            instance="awsbatch-operator-7d9f",
            settings=RecorderSettings(**settings),
        )

    def event(self, resource=JOB, reason="Submitted", message="Submitted as 1234.", **parts):
        parts = {"warning": False, "action": "Submit", **parts}
        self.recorder.event(resource, reason=reason, message=message, **parts)

    @asynccontextmanager
    async def sending(self):
        running = asyncio.create_task(self.recorder.run())
        await self.clock.advance(0)
        yield
        running.cancel()

    @property
    def events(self):
        return list(self.kube.events.values())

    def count(self, outcome):
        name = "awsbatch_operator_events_total"
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0
