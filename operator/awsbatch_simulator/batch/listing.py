"""ListJobs and DescribeJobs. Source: their fields in the Batch API reference."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from awsbatch_simulator.batch.details import fragment, summary
from awsbatch_simulator.batch.limits import (
    decode_token,
    encode_token,
    page_size,
    refusal,
)
from awsbatch_simulator.batch.lines import QueueJobs
from awsbatch_simulator.batch.model import Job, JobStatus
from awsbatch_simulator.ports import RawJson
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PAGE_BY_STATUS, PAGE_BY_FILTER = 1000, 100
_SELECTORS = ("jobQueue", "arrayJobId", "multiNodeJobId")


def describe(region: Region, request: Fields) -> RawJson:
    """DescribeJobs: up to 100; ids that are unknown are left out without a word."""
    youngest = _youngest_visible(region, "DescribeJobs")
    known = (region.batch.jobs.get(job_id) for job_id in dict.fromkeys(request["jobs"]))
    found = [
        fragment(region.batch, job)
        for job in known
        if job is not None and job.created_at <= youngest
    ]
    return RawJson(b'{"jobs":[' + b",".join(found) + b"]}")


def _youngest_visible(region: Region, operation: str) -> float:
    """Epoch milliseconds; what is younger is not yet seen.

    By the faults `hide` and `hidden_jobs`, and in lists by the delay `jobListed`.
    """
    faults = region.world.faults
    seconds = faults.hidden_seconds("batch", operation)
    if operation == "ListJobs":
        seconds = max(seconds, region.world.settings.delays.job_listed)
    if (fault := faults.active("hidden_jobs", operation=operation)) is not None:
        seconds = max(seconds, fault.spec.seconds)
    return region.now_ms() - seconds * 1000 if seconds else float("inf")


def list_jobs(region: Region, request: Fields) -> Fields:
    """ListJobs: of one queue or one array, by status (RUNNING) or by one filter; newest first."""
    given = [name for name in _SELECTORS if request.get(name)]
    if len(given) != 1:
        raise refusal(f"Exactly one of {', '.join(_SELECTORS)} must be specified, not {given}")
    filters = request.get("filters") or []
    if len(filters) > 1:
        raise refusal("Only one filter can be used at a time")
    largest = PAGE_BY_FILTER if filters else PAGE_BY_STATUS
    size = page_size(request, largest=largest)
    after = decode_token(request, int)
    youngest = _youngest_visible(region, "ListJobs")
    found = _selected(region, request, given[0], filters, after)
    jobs = (job for job in found if job.created_at <= youngest)
    shown = list(islice(jobs, size + 1))
    answer: Fields = {"jobSummaryList": [summary(job) for job in shown[:size]]}
    if len(shown) > size:
        answer["nextToken"] = encode_token(_position(shown[size - 1]))
    return answer


def _position(job: Job) -> int:
    """Falls in the order of the listing: newest first, children by index."""
    return job.order[0] if job.number is None else -job.number


def _selected(
    region: Region, request: Fields, selector: str, filters: list[Fields], after: int | None
) -> Iterable[Job]:
    """The jobs that are asked for, from that position on."""
    status = JobStatus(request.get("jobStatus", "RUNNING"))
    if selector != "jobQueue":
        parent = region.batch.jobs.get(request[selector])
        is_meant = parent is not None and bool(parent.nodes) == (selector == "multiNodeJobId")
        children = parent.children if parent is not None and is_meant else []
        first = 0 if after is None else 1 - after
        return (child for child in islice(children, first, None) if child.status is status)
    queue = region.batch.queue(request["jobQueue"])
    if queue is None:
        raise refusal(f"JobQueue {request['jobQueue'][:200]} not found.")
    jobs = region.batch.queue_jobs(queue)
    if filters:
        return _filtered(jobs, filters[0], request, after)
    return jobs.by_status[status].newest_first(after)


def _filtered(jobs: QueueJobs, given: Fields, request: Fields, after: int | None) -> Iterable[Job]:
    values = given.get("values") or []
    if len(values) != 1:
        raise refusal("A filter needs exactly one value")
    value: str = values[0]
    match given.get("name"):
        case "JOB_NAME":
            return _by_name(jobs, value.lower(), after)
        case "JOB_DEFINITION":
            return filter(_uses(value), jobs.by_age.newest_first(after))
        case "AFTER_CREATED_AT":
            return _created_after(jobs.by_age.newest_first(after), _milliseconds(value))
        case "BEFORE_CREATED_AT":
            first = jobs.by_age.created_before(_milliseconds(value))
            below = min((each for each in (first, after) if each is not None), default=None)
            return jobs.by_age.newest_first(below)
        case "SHARE_IDENTIFIER":
            wanted = request.get("jobStatus")
            all_of_them = jobs.by_age if wanted is None else jobs.by_status[JobStatus(wanted)]
            return (
                job
                for job in all_of_them.newest_first(after)
                if job.static.get("shareIdentifier") == value
            )
        case other:
            raise refusal(f"Invalid filter name {other!r}")


def _by_name(jobs: QueueJobs, pattern: str, after: int | None) -> Iterator[Job]:
    """Exactly that name, or with a trailing asterisk all that begin so; case does not count."""
    if pattern == "*":
        return jobs.by_age.newest_first(after)
    if pattern.endswith("*"):
        found = jobs.by_name.beginning(pattern[:-1])
        return (job for job in found if after is None or _position(job) < after)
    return jobs.by_name.named(pattern, after)


def _uses(value: str) -> Callable[[Job], bool]:
    """By ARN one revision, by name all of them, by the beginning of a name with an asterisk."""
    if value.startswith("arn:"):
        return lambda job: job.definition.arn == value
    if value.endswith("*"):
        return lambda job: job.definition.name.startswith(value[:-1])
    return lambda job: job.definition.name == value


def _created_after(jobs: Iterator[Job], limit: int) -> Iterator[Job]:
    for job in jobs:
        if job.created_at <= limit:
            return
        yield job


def _milliseconds(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise refusal(f"{value!r} is not a number of milliseconds") from None
