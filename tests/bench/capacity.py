"""What much capacity takes, on a stepped clock: simulated seconds and calls, and our CPU."""

import asyncio

from tests.bench import capacity_steps
from tests.bench.figures import Figure
from tests.support.large_fleets import Burst, Rest, burst, rest

JOBS = 1_000
ENVIRONMENTS = 20
INSTANCES = 500


def _of_burst(found: Burst) -> list[Figure]:
    what = f"{JOBS:,} vCPUs wanted at once"
    note = "types of at most 16 vCPUs, 60 s until they join"
    return [
        Figure(what, found.launches, 10, "launch calls", note),
        Figure(f"{what}, until all jobs run", found.seconds, 180, "simulated s", note),
        Figure(f"{what}: vCPUs launched", found.vcpus, JOBS + 16, "vCPUs"),
        Figure(f"{what}: throttled calls", found.throttled, 0, "calls"),
        Figure("back to zero after the last job", found.back_seconds, 180, "simulated s"),
        Figure("left in EC2 and ECS after that", len(found.left), 0, "things"),
        Figure("CPU of the operator for that", found.cpu_seconds, None, "s"),
    ]


def _of_rest(found: Rest) -> list[Figure]:
    what = f"{ENVIRONMENTS} environments with {INSTANCES} instances at rest"
    targets = {
        "ec2:DescribeInstances": 1.0,
        "ecs:ListContainerInstances": float(ENVIRONMENTS),
        "ecs:DescribeContainerInstances": float(ENVIRONMENTS),
    }
    names = sorted({*targets, *found.calls}, key=lambda name: (name not in targets, name))
    return [
        *(
            Figure(what, found.calls.get(name, 0) / found.minutes, targets.get(name), "a min", name)
            for name in names
        ),
        Figure(what, found.writes, 0, "writes", "to Kubernetes in 10 minutes"),
        Figure(what, len(found.changes), 0, "calls", "that change something in AWS"),
        Figure(what, found.running, INSTANCES, "instances", "still there", least=True),
        Figure(what, 100 * found.cpu_seconds / (60 * found.minutes), None, "% of a core", "CPU"),
    ]


def measure() -> list[Figure]:
    """The rows of capacity."""
    return [
        *_of_burst(asyncio.run(burst(JOBS))),
        *_of_rest(asyncio.run(rest(ENVIRONMENTS, INSTANCES // ENVIRONMENTS))),
        *capacity_steps.measure(),
    ]
