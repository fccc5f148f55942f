"""Jobs in AWS as a poller sees them: DescribeJobs and ListJobs over plain dicts, with call counts.

Stands in for the Sender, so that a hundred thousand jobs can be polled in no time.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import islice
from typing import Any

from awsbatch_operator.api.scope import Scope

PAGE = 1000
MOST_DESCRIBED = 100


class ModelJobs:
    """What AWS knows.

    `before_call` runs before each call, for tests that change it meanwhile; `on_list` sees each
    request of ListJobs, and may raise.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.calls: Counter[str] = Counter()
        self.described: list[list[str]] = []
        self._in: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self.before_call: Callable[[str], None] = lambda _: None
        self.on_list: Callable[[Mapping[str, Any]], None] = lambda _: None

    def submit(self, job_id: str, *, queue: str = "q", status: str = "SUBMITTED") -> None:
        self.jobs[job_id] = {"jobId": job_id, "jobQueue": queue, "status": status}
        self._in[queue, status][job_id] = None

    def move(self, job_id: str, status: str, **more: Any) -> None:
        job = self.jobs[job_id]
        del self._in[job["jobQueue"], job["status"]][job_id]
        job |= {"status": status, **more}
        self._in[job["jobQueue"], status][job_id] = None

    def remove(self, job_id: str) -> dict[str, Any]:
        job = self.jobs.pop(job_id)
        del self._in[job["jobQueue"], job["status"]][job_id]
        return job

    async def call(
        self, scope: Scope, name: str, request: Mapping[str, Any], *, polling: bool = False
    ) -> dict[str, Any]:
        assert polling
        await asyncio.sleep(0)  # a call gives others a turn
        self.calls[name] += 1
        self.before_call(name)
        if name == "batch:DescribeJobs":
            return self._describe(request["jobs"])
        assert name == "batch:ListJobs"
        self.on_list(request)
        return self._list(request)

    async def pages(
        self,
        scope: Scope,
        name: str,
        request: Mapping[str, Any],
        member: str,
        *,
        polling: bool = False,
    ) -> AsyncIterator[list[dict[str, Any]]]:
        token: str | None = None
        while True:
            more = {**request, "nextToken": token} if token else request
            answer = await self.call(scope, name, more, polling=polling)
            yield answer[member]
            token = answer.get("nextToken")
            if not token:
                return

    def member(self, scope: Scope, name: str, answer: Mapping[str, Any], member: str) -> Any:
        return answer[member]

    def _describe(self, job_ids: list[str]) -> dict[str, Any]:
        assert 1 <= len(job_ids) <= MOST_DESCRIBED
        assert len(set(job_ids)) == len(job_ids)
        self.described.append(list(job_ids))
        return {"jobs": [dict(self.jobs[job_id]) for job_id in job_ids if job_id in self.jobs]}

    def _list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        matching = self._in[request["jobQueue"], request["jobStatus"]]
        at = int(request.get("nextToken") or 0)
        page = [self.jobs[job_id] for job_id in islice(matching, at, at + PAGE)]
        token = str(at + PAGE) if at + PAGE < len(matching) else None
        return {"jobSummaryList": page, "nextToken": token}
