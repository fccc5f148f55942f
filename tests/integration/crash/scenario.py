"""A user's day with the operator, as steps: something is done, then something is waited for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from tests.support.cluster import is_true
from tests.support.one_process import World
from tests.support.quickstart import DIRECTORY

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.jobscript import JobScript

NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Step:
    """What the user does, and what the user waits for before going on."""

    what: str
    do: Callable[[World], None]
    until: Callable[[World], bool]


def quickstart(name: str) -> dict[str, Any]:
    """A manifest of examples/quickstart."""
    body: dict[str, Any] = yaml.safe_load((DIRECTORY / f"{name}.yaml").read_text())
    body["metadata"]["namespace"] = NAMESPACE
    return body


ENVIRONMENT, QUEUE, DEFINITION, JOB = (
    quickstart(name) for name in ("environment", "queue", "definition", "job")
)
POLICY = {
    "apiVersion": "awsbatch.dev/v1alpha1",
    "kind": "SchedulingPolicy",
    "metadata": {"name": "fair", "namespace": NAMESPACE},
    "spec": {"fairsharePolicy": {"shareDecaySeconds": 600}},
}
# For days that are longer than the two minutes of the quickstart's definition.
UNTIMED = {**DEFINITION["spec"], "timeout": {"attemptDurationSeconds": 10_000_000}}
LONG_JOB = {
    **JOB,
    "metadata": {"name": "long-run", "namespace": NAMESPACE},
    "spec": {
        "jobQueueRef": JOB["spec"]["jobQueueRef"],
        "jobDefinition": {**DEFINITION["spec"], "parameters": {"why": "it stands in the job"}},
    },
}


def key(body: dict[str, Any]) -> ObjectKey:
    """The key of a manifest."""
    return ObjectKey(body["kind"], NAMESPACE, body["metadata"]["name"])


def long_job_has_run(world: World) -> bool:
    """It runs, or its definition's two minutes were over before anybody looked again."""
    status = world.kube.see(key(LONG_JOB)).get("status", {})
    return bool(status.get("awsStatus") == "RUNNING" or status.get("failure") == "TimedOut")


def with_spec(body: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """The manifest with some fields of its spec replaced."""
    return {**body, "spec": {**body["spec"], **spec}}


def apply(*bodies: dict[str, Any]) -> Callable[[World], None]:
    """kubectl apply."""

    def do(world: World) -> None:
        for body in bodies:
            world.kube.apply(body)

    return do


def delete(*bodies: dict[str, Any]) -> Callable[[World], None]:
    """kubectl delete --wait=false."""

    def do(world: World) -> None:
        for body in bodies:
            world.kube.remove(key(body))

    return do


def has_condition(body: dict[str, Any], condition: str) -> Callable[[World], bool]:
    """kubectl wait --for=condition=…: for the newest generation."""

    return lambda world: bool(is_true(condition)(world.kube.see(key(body))))


def all_of(*conditions: Callable[[World], bool]) -> Callable[[World], bool]:
    """All of them."""
    return lambda world: all(condition(world) for condition in conditions)


def gone(*bodies: dict[str, Any]) -> Callable[[World], bool]:
    """kubectl wait --for=delete."""
    return lambda world: not any(world.kube.exists(key(body)) for body in bodies)


SECOND_DEFINITION = with_spec(
    DEFINITION, timeout={"attemptDurationSeconds": 240}, keepRevisions=1, tags={"team": "climate"}
)
CHANGED = (
    with_spec(
        ENVIRONMENT,
        tags={"team": "climate"},
        computeResources={**ENVIRONMENT["spec"]["computeResources"], "maxvCpus": 32},
    ),
    with_spec(QUEUE, priority=20, tags={"team": "climate"}),
    SECOND_DEFINITION,
    with_spec(POLICY, fairsharePolicy={"shareDecaySeconds": 1200}, tags={"team": "climate"}),
)
UNTAGGED = tuple({**body, "spec": {**body["spec"], "tags": {}}} for body in CHANGED)
LASTING = (ENVIRONMENT, QUEUE, DEFINITION, POLICY)


def all_ready(world: World) -> bool:
    """Everything that lasts is as specified."""
    return all(has_condition(body, "Ready")(world) for body in LASTING)


STEPS = (
    Step(
        "apply everything",
        apply(JOB, QUEUE, *LASTING),
        all_of(all_ready, has_condition(JOB, "Complete")),
    ),
    Step("change everything", apply(*CHANGED), all_ready),
    Step("take the tags away", apply(*UNTAGGED), all_ready),
    Step(
        "run a job that takes long",
        apply(LONG_JOB),
        long_job_has_run,
    ),
    Step(
        "delete everything",
        delete(ENVIRONMENT, POLICY, DEFINITION, QUEUE, LONG_JOB, JOB),
        gone(JOB, LONG_JOB, *LASTING),
    ),
)

LONG_RUN = JobScript(job_name="long-run-*", duration_seconds=1e6)
