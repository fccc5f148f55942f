"""The API server takes what the engine itself sends: Events and the Lease."""

import asyncio
import contextlib
import json
import os
import secrets
from random import Random

import pytest
from prometheus_client import CollectorRegistry
from tests.support.deadline import wait_until
from tests.unit.engine.bodies import body

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.engine.elector import Elector
from awsbatch_operator.engine.event_recorder import EventRecorder, RecorderSettings
from awsbatch_operator.engine.fence import LeaseFence
from awsbatch_operator.engine.lease import LeaseSettings
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.telemetry.metrics import Metrics

CLOCK = SystemClock()


@pytest.fixture
async def kube(control_plane):
    client = await KubeClient.open(
        Location(control_plane.kubeconfig), clock=CLOCK, environ=os.environ, namespaces=[]
    )
    yield client
    await client.close()


@pytest.fixture
async def recorder(kube):
    made = EventRecorder(
        kube=kube,
        clock=CLOCK,
        random=Random(secrets.randbits(64)),
        metrics=Metrics(CollectorRegistry()),
        instance="test",
        settings=RecorderSettings(report_seconds=0.1),
    )
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def resource(kind, namespace, name):
    return Resource.from_body(body(ObjectKey(kind, namespace, name), version=1, uid=f"uid-{name}"))


async def seen(control_plane, namespace, uid, enough):
    """The events about that uid, once there are such as are asked for."""

    def found():
        words = ("get", "events.events.k8s.io", f"--namespace={namespace}", "--output=json")
        items = json.loads(control_plane.kubectl(*words).stdout)["items"]
        about = [item for item in items if item["regarding"]["uid"] == uid]
        return about if enough(about) else None

    return await asyncio.to_thread(wait_until, found, "such events are there")


async def test_an_event_and_its_repeats_are_taken_by_the_api_server(
    control_plane, kube, recorder, namespace
):
    job = resource("BatchJob", namespace, "x" * 253)
    for warning in (True, False):
        recorder.event(
            job, reason="Submitted", message="ä" * 5000, warning=warning, action="Submit"
        )
    found = await seen(control_plane, namespace, job.uid, lambda events: len(events) == 2)
    assert {event["type"] for event in found} == {"Normal", "Warning"}
    assert found[0]["reportingController"] == "awsbatch.dev/operator"
    for _ in range(4):
        recorder.event(job, reason="Submitted", message="ä" * 5000, warning=True, action="Submit")

    def repeated(events):
        return any(event.get("series", {}).get("count") == 5 for event in events)

    await seen(control_plane, namespace, job.uid, repeated)


async def test_a_series_whose_text_has_changed_goes_on_in_an_event_that_the_api_server_takes(
    control_plane, kube, recorder, namespace
):
    job = resource("BatchJob", namespace, "one")
    for number in (16, 32):
        message = f"maxvCpus is {number} now."
        recorder.event(job, reason="Updated", message=message, warning=False, action="Update")
        await seen(
            control_plane,
            namespace,
            job.uid,
            lambda events, note=message: any(event["note"] == note for event in events),
        )


async def test_an_event_about_an_object_without_a_namespace_is_taken_too(
    control_plane, kube, recorder
):
    account = resource("AWSAccount", "", f"account-{secrets.token_hex(4)}")
    recorder.event(account, reason="Denied", message="no", warning=True, action="AssumeRole")
    (event,) = await seen(control_plane, "default", account.uid, lambda events: len(events) == 1)
    name = event["metadata"]["name"]
    await asyncio.to_thread(control_plane.kubectl, "delete", "event", name, "--namespace=default")


def candidate(kube, namespace, identity):
    settings = LeaseSettings(
        namespace=namespace,
        name="leader",
        identity=identity,
        duration_seconds=3,
        call_seconds=0.5,
        retry_seconds=0.1,
    )
    return Elector(kube=kube, clock=CLOCK, settings=settings, fence=LeaseFence(CLOCK))


async def test_the_lease_goes_from_one_to_the_other_when_released_and_when_it_runs_out(
    kube, namespace
):
    one, two, three = (candidate(kube, namespace, name) for name in ("one", "two", "three"))
    await one.acquire()
    keeping = asyncio.create_task(one.keep())
    waiting = asyncio.create_task(two.acquire())
    with pytest.raises(TimeoutError):  # longer than the lease: it is renewed
        await asyncio.wait_for(asyncio.shield(waiting), timeout=4)
    keeping.cancel()
    await one.release()
    await asyncio.wait_for(waiting, timeout=2)
    assert (one.leads, two.leads) == (False, True)
    await asyncio.wait_for(three.acquire(), timeout=10)  # two never renews
    assert not two.leads
    with pytest.raises(LeaseLostError, match="not renewed in time"):
        await two.keep()
