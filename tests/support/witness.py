"""Looks at AWS all the time, and tells when a job queue had no environment that takes its jobs."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from tests.support.site import Site

EVERY_SECONDS = 0.2
LOOKS = 20  # at least, or something is wrong with the witness
_GOING = {"DELETING", "DELETED"}


class Witness:
    """A context manager; looks from its start to its end.

    `made` has the ARN of each environment that was ever seen.
    """

    def __init__(self, site: Site) -> None:
        self.made: set[str] = set()
        self.troubles: list[str] = []
        self.looks = 0
        self._batch = site.client("batch")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """AssertionError if there was a trouble, or nobody looked."""
        assert not self.troubles, self.troubles
        assert self.looks > LOOKS

    def _watch(self) -> None:
        before = self._at_work()
        while not self._over.wait(EVERY_SECONDS):
            queues = self._batch.describe_job_queues()["jobQueues"]
            after = self._at_work()
            # AWS may have changed both between the two answers.
            self._judge(queues, before | after)
            before, self.looks = after, self.looks + 1

    def _at_work(self) -> set[str]:
        """The ARNs of the environments that take jobs."""
        found = self._batch.describe_compute_environments()["computeEnvironments"]
        self.made.update(each["computeEnvironmentArn"] for each in found)
        return {
            each["computeEnvironmentArn"]
            for each in found
            if (each["state"], each["status"] in _GOING) == ("ENABLED", False)
        }

    def _judge(self, queues: Sequence[Any], at_work: set[str]) -> None:
        for queue in queues:
            has = [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]]
            if queue["status"] not in _GOING and at_work.isdisjoint(has):
                self.troubles.append(f"{queue['jobQueueName']} has none but {has}")
