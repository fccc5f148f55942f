"""What was last read of each job, in little memory, and marks that tell whether it changed."""

import hashlib
from collections import OrderedDict

from awsbatch_operator.api.encoding import canonical, decoded
from awsbatch_operator.api.metadata import Shape

STORE_BYTES = 32 * 1024 * 1024  # what does not fit is read from AWS again by whoever needs it


class DetailStore:
    """Details as compact JSON, the oldest crowded out by the newest."""

    def __init__(self, limit: int = STORE_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._packed: OrderedDict[str, bytes] = OrderedDict()

    def put(self, job_id: str, detail: Shape) -> None:
        """Keep this detail instead of an earlier one."""
        self.drop(job_id)
        packed = _packed(detail)
        self._packed[job_id] = packed
        self._size += len(packed)
        while self._size > self._limit:
            _, oldest = self._packed.popitem(last=False)
            self._size -= len(oldest)

    def get(self, job_id: str) -> Shape | None:
        """The detail, as a value of its own."""
        packed = self._packed.get(job_id)
        if packed is None:
            return None
        detail: Shape = decoded(packed)
        return detail

    def drop(self, job_id: str) -> None:
        """Keep it no longer."""
        packed = self._packed.pop(job_id, None)
        if packed is not None:
            self._size -= len(packed)


ARRAY_STEPS = 32  # in which the children of an array end, as far as its owner is woken


def detail_mark(detail: Shape) -> str:
    """Differs whenever anything in DescribeJobs' detail does that an owner may care about.

    The counts of an array's children change with every child, for hours: of these, whether any
    waits, runs or has failed, and how many 32nds of them have ended.
    """
    if "arrayProperties" in detail:
        detail = {**detail, "arrayProperties": _array_mark(detail["arrayProperties"])}
    return hashlib.blake2b(_packed(detail), digest_size=12).hexdigest()


def _array_mark(array: Shape) -> Shape:
    counts = array.get("statusSummary") or {}
    ended = int(counts.get("SUCCEEDED") or 0) + int(counts.get("FAILED") or 0)
    return {
        "index": array.get("index"),
        "some": sorted(state for state in counts if counts[state]),
        "ended": ended * ARRAY_STEPS // int(array.get("size") or 1),
    }


def summary_mark(summary: Shape) -> str:
    """Differs whenever what ListJobs shows of a job does."""
    counts = summary.get("arrayProperties", {}).get("statusSummary", {})
    seen = (
        summary.get("status"),
        summary.get("statusReason"),
        summary.get("startedAt"),
        summary.get("isCancelled"),
        summary.get("isTerminated"),
        sorted(counts.items()),
    )
    return repr(seen)


def _packed(detail: Shape) -> bytes:
    # A copy: what orjson returns keeps the buffer that it was written into, 4 kB and more.
    return memoryview(canonical(detail)).tobytes()
