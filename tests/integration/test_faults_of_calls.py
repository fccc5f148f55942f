"""Every call that changes something goes wrong once: no duplicate, nothing lost, a reason said.

Four lives at the same time, each in an AWS account of its own, so that a fault strikes one of them.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from tests.support.cluster import is_ready
from tests.support.namespaces import new_namespace
from tests.support.recording import Recording
from tests.support.whole_life import (
    DEFINITION,
    ENVIRONMENT,
    IN_A_LIFE,
    LONG,
    POLICY,
    QUEUE,
    SHORT,
    Life,
    account,
)

pytestmark = pytest.mark.timeout(240)

FAULTS = {
    "throttled": {"effect": "throttle", "times": 2},
    "failing": {"effect": "error", "code": "InternalFailure", "status": 500, "times": 1},
    "dropped-before": {"effect": "drop_before", "times": 1},
    "dropped-after": {"effect": "drop_after", "times": 1},
}
MADE = {
    "CreateComputeEnvironment": 1,
    "CreateJobQueue": 1,
    "CreateSchedulingPolicy": 1,
    "RegisterJobDefinition": 2,  # the definition has two contents in its life
    "SubmitJob": 2,  # for two jobs
}
ABOUT = {
    "Environment": [ENVIRONMENT],
    "Queue": [QUEUE],
    "Definition": [DEFINITION],
    "Policy": [POLICY],
    "SubmitJob": [SHORT, LONG],
    "TerminateJob": [LONG],
    "Resource": [ENVIRONMENT],  # its tags
}


@dataclass(frozen=True, slots=True)
class Struck:
    """A life, and the fault that was meant to strike each call."""

    life: Life
    faults: Mapping[str, str]
    reason: str


@contextmanager
def begun(site, mode, number):
    """A life that is about to begin."""
    control_plane, name = site.control_plane, f"faults-{mode}"
    details = FAULTS[mode] | {"principal": f"*:{number}:*"}
    faults = {call: site.fault(service="batch", operation=call, **details) for call in IN_A_LIFE}
    with (
        new_namespace(control_plane) as namespace,
        site.cluster(namespace) as cluster,
        Recording(control_plane, namespace) as recording,
    ):
        cluster.apply(account(name, number, namespace))
        cluster.wait("AWSAccount", name, is_ready, "is Ready")
        reason = "Throttled" if mode == "throttled" else "OutcomeUnknown"
        yield Struck(Life(site, cluster, recording, name, number), faults, reason)
        cluster.delete("AWSAccount", name)


@pytest.fixture(scope="module")
def lives(site):
    """The lives, when they have come to their end."""
    site.script(jobName="long-*", durationSeconds=3600)
    with ExitStack() as stack:
        found = {
            mode: stack.enter_context(begun(site, mode, f"44445555666{number}"))
            for number, mode in enumerate(FAULTS)
        }
        with ThreadPoolExecutor(len(found)) as pool:
            ends = {mode: pool.submit(struck.life.live) for mode, struck in found.items()}
        wrong = [f"{mode}: {end.exception()}" for mode, end in ends.items() if end.exception()]
        if wrong:
            pytest.fail("\n".join(wrong), pytrace=False)
        yield found


@pytest.fixture(params=sorted(FAULTS))
def struck(request, lives):
    return lives[request.param]


def test_each_call_that_changes_something_was_struck(site, struck):
    assert {call for call, fault in struck.faults.items() if site.struck(fault)} == IN_A_LIFE


def test_one_of_everything_was_made(struck):
    assert {call: struck.life.committed(call) for call in MADE} == MADE


def test_nothing_is_left(struck):
    assert struck.life.left() == []


def test_meanwhile_a_condition_said_why(struck):
    unsaid = [call for call in sorted(IN_A_LIFE) if struck.reason not in reasons(struck.life, call)]
    assert unsaid == []


def reasons(life, call):
    about = next(objects for words, objects in ABOUT.items() if words in call)
    deleting = call.startswith(("Delete", "Terminate"))
    return set().union(*(life.recording.reasons(*each, deleting=deleting) for each in about))
