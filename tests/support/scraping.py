"""Scrapes of the operator in one process, by the stepped clock: what a Prometheus would see."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import yaml
from prometheus_client import generate_latest
from tests.support.clock import SteppedClock
from tests.support.one_process import Process
from tests.support.prometheus import EVERY, Scrape

from awsbatch_operator.visibility import measure_process
from awsbatch_sandbox.paths import REPOSITORY

MONITOR = REPOSITORY / "deploy" / "components" / "monitoring" / "service-monitor.yaml"
NAMESPACE = "awsbatch-system"
SERVICE = "aws-batch-operator"


def honors_labels() -> bool:
    """What the ServiceMonitor says of labels that target and metric both have."""
    (endpoint,) = yaml.safe_load(MONITOR.read_text())["spec"]["endpoints"]
    return bool(endpoint.get("honorLabels"))


class Scraper:
    """Keeps what replicas serve, every EVERY seconds of the clock, in files of a folder."""

    def __init__(self, clock: SteppedClock, folder: Path) -> None:
        self._clock, self._folder = clock, folder
        self._honor = honors_labels()
        self.scrapes: list[Scrape] = []
        self.targets: dict[str, Process | None] = {}  # by pod; None: it does not answer

    def serve(
        self, process: Process, pod: str = "operator-1", pause: Callable[[], float] = float
    ) -> None:
        """Let a process, which leads, be scraped as that pod."""
        self.targets[pod] = process
        leads = lambda: self.targets.get(pod) is process  # noqa: E731
        measure_process(process.metrics, leads=leads, pause=pause)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Scrape while that lasts."""
        scraping = asyncio.ensure_future(self._scrape())
        try:
            yield
        finally:
            scraping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await scraping

    async def _scrape(self) -> None:
        while True:
            for pod, process in self.targets.items():
                self._keep(pod, process)
            await self._clock.sleep(EVERY)

    def _keep(self, pod: str, process: Process | None) -> None:
        file = ""
        if process is not None:
            path = self._folder / f"{len(self.scrapes)}.txt"
            path.write_bytes(generate_latest(process.metrics.registry))
            file = str(path)
        target = {
            "job": SERVICE,
            "service": SERVICE,
            "namespace": NAMESPACE,
            "pod": pod,
            "instance": f"{pod}:8080",
            "endpoint": "http",
            "container": "operator",
        }
        self.scrapes.append(Scrape(self._clock.now().epoch, target, self._honor, file))
