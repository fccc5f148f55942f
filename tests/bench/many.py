"""Ten thousand BatchJobs applied at once, through real processes."""

import time
from concurrent.futures import ThreadPoolExecutor

from tests.bench.figures import Figure, say
from tests.bench.jobs import LONG_SECONDS, LOOK_SECONDS, job, submit
from tests.bench.restart import longest_pause_until
from tests.support.deadline import wait_until
from tests.support.site import Site

JOBS = 10_000


def measure(site: Site) -> list[Figure]:
    """The rows about them; they have ended afterwards."""
    say(f"Applying {JOBS:,} BatchJobs …")
    before = site.calls("SubmitJob", outcome="OK")
    began = time.monotonic()
    with ThreadPoolExecutor(1) as user:
        applied = user.submit(submit, site, [job(f"many-{number:05d}") for number in range(JOBS)])
        pause = longest_pause_until(site, applied.done, every=LOOK_SECONDS)
        seconds = applied.result()
    say(f"Submitted after {time.monotonic() - began:.0f} s; waiting for their end …")
    wait_until(
        lambda: site.metric("queue_depth") == 0 and site.metric("jobs_followed") == 0,
        "all have ended",
        seconds=LONG_SECONDS,
        every=2.0,
    )
    twice = site.calls("SubmitJob", outcome="OK") - before - JOBS
    what = f"{JOBS:,} BatchJobs at once"
    return [
        Figure(f"{what}, until all are submitted", seconds, 210, "s"),
        Figure(f"{what}: longest pause of the event loop meanwhile", pause * 1e3, 100, "ms"),
        Figure(f"{what}: jobs submitted twice", float(twice), 0, "jobs"),
    ]
