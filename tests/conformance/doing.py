"""What the conformance tests do with a subject, and what they ask of the world afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conformance.image_subject import IMAGE
from tests.conformance.subject import Spec, Subject
from tests.conformance.subjects import JOB, QUEUE
from tests.support import manifests
from tests.support.image_guests import Guests
from tests.support.installation import Installation
from tests.support.manifests import SPECS
from tests.support.one_process import World

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import KIND, NAME, NAMESPACE
from awsbatch_operator.schema.request import to_request
from awsbatch_simulator.jobscript import JobScript

LONG = 3600.0  # seconds within which anything has come to its end
RESYNC = 2000.0  # seconds: all objects have been listed and looked at, three times over
FOR_EVER = 1e6
EVENTS_SECONDS = 1.0  # within which events are written
REPEATS_SECONDS = 90.0  # within which it is written that one came again
CALM_SECONDS = 300.0  # after which the instances of a job that has ended are gone, too
PUBLISHED = "ssm:PutParameter"
PAUSE = {"awsbatch.dev/paused": "true"}
RESUME = {"awsbatch.dev/paused": None}


def script(world: World, seconds: float, **said: Any) -> None:
    """How long jobs run from now on, and how they end."""
    aws = world.simulator.world
    scripts = (JobScript(duration_seconds=seconds, **said),)
    aws.change(aws.settings.model_copy(update={"job_scripts": scripts}))


def scripted(world: World, subject: Subject) -> Guests:
    """Builders of images follow a script instead of running what they are given."""
    guests = Guests()
    if subject is IMAGE:
        world.simulator.world.boots = guests  # type: ignore[assignment]
    return guests


async def prepared(there: Installation, subject: Subject) -> None:
    """All that it refers to is Ready; the calls so far are forgotten."""
    scripted(there, subject)
    for key in subject.needs:
        there.apply(key, SPECS[key])
    await there.until_ready(*subject.needs, within=LONG)
    there.calls.clear()


async def reached(there: Installation, subject: Subject) -> None:
    """Wait until it is as specified, in its newest generation, and until that is told."""
    await there.clock.run_until(lambda: there.is_true(subject.key, subject.reached), within=LONG)
    await there.clock.advance(max(EVENTS_SECONDS, subject.ends_within))


async def made(there: Installation, subject: Subject, spec: Spec | None = None) -> None:
    """It is there, as specified, and at rest; the calls so far are forgotten."""
    await prepared(there, subject)
    there.apply(subject.key, subject.spec if spec is None else spec)
    await reached(there, subject)
    await there.clock.advance(60)
    there.calls.clear()


async def running(there: Installation) -> None:
    """A job that runs and does not end by itself; the calls so far are forgotten."""
    script(there, FOR_EVER)
    await prepared(there, JOB)
    there.apply(JOB.key, JOB.spec)
    await there.clock.run_until(
        lambda: there.status(JOB.key).get("awsStatus") == "RUNNING", within=LONG
    )
    there.calls.clear()


def things(world: World, key: ObjectKey) -> list[Any]:
    """What AWS has of the object that works, costs or waits, past all faults."""
    batch = world.batch
    revisions = [one for each in batch.definitions.values() for one in each.values()]
    everything = (
        *batch.environments.values(),
        *(each for each in batch.queues.values() if each.status.value != "DELETED"),
        *batch.policies.values(),
        *(revision for revision in revisions if revision.active),
        *(job for job in batch.jobs.values() if not job.status.finished),
        *_of_ec2(world),
    )
    owner = {KIND: key.kind, NAMESPACE: key.namespace, NAME: key.name}
    return [each for each in everything if owner.items() <= each.tags.items()]


def _of_ec2(world: World) -> Iterator[Any]:
    """Images, and what is left over of making them: instances, and snapshots that none has."""
    ec2 = world.simulator.world.region(world.simulator.place).ec2
    yield from ec2.images.values()
    yield from (each for each in ec2.instances.values() if each.state.value != "terminated")
    had = {name for image in ec2.images.values() for name in image.snapshots}
    yield from (each for each in ec2.snapshots.values() if each.id not in had)


def times_made(world: World, subject: Subject) -> int:
    """How often AWS has made it, whatever anybody was told."""
    if not subject.makes:
        return 0
    service, _, operation = subject.makes.partition(":")
    calls = world.simulator.dispatcher.calls
    return sum(calls.count(service, operation, said) for said in ("OK", "DroppedAfterCommit"))


def changed(there: Installation) -> tuple[str, ...]:
    """The calls that have changed something, sorted.

    Systems Manager takes the id of an image some seconds after it has answered, and is asked once
    more until it shows it.
    """
    found = there.changes()
    published = [PUBLISHED] * (PUBLISHED in found)
    return tuple(sorted([*(each for each in found if each != PUBLISHED), *published]))


@contextmanager
def nothing_written(there: Installation) -> Iterator[None]:
    """Neither an object nor an event is written inside, and nothing is changed in AWS."""
    written: list[str] = []
    stop = there.kube.subscribe(lambda change, body: written.append(f"{change} {body['kind']}"))
    events, changes = dict(there.kube.events), there.changes()
    yield
    stop()
    assert written == [], f"objects were written: {written}"
    told = [event["note"] for place, event in there.kube.events.items() if place not in events]
    assert there.kube.events == events, f"events were written: {told}"
    assert there.changes() == changes


def refuse(there: Installation, subject: Subject, effect: str, **more: Any) -> None:
    """Let AWS refuse the call without which the subject does not become Ready."""
    service, _, operation = subject.enters.partition(":")
    there.fault(effect=effect, service=service, operation=operation, **more)


def slow_updates(there: Installation, seconds: float) -> None:
    """Let AWS be UPDATING for that long after each change."""
    aws = there.simulator.world
    delays = aws.settings.delays.model_copy(
        update={"environment_updating": seconds, "queue_updating": seconds}
    )
    aws.change(aws.settings.model_copy(update={"delays": delays}))


async def made_by_others(there: Installation, subject: Subject, name: str) -> str:
    """Somebody else makes the same in AWS by that name, with a tag of their own; its ARN."""
    request = {**to_request(subject.spec), subject.name_field: name}
    if subject is QUEUE:
        del request["schedulingPolicyRef"]
        arn = there.status(manifests.ENVIRONMENT)["arn"]
        request["computeEnvironmentOrder"] = [{"order": 1, "computeEnvironment": arn}]
        request["schedulingPolicyArn"] = there.status(manifests.POLICY)["arn"]
    operation = subject.makes.partition(":")[2]
    call = getattr(there.aws(), _snake(operation))
    answer = call(**request, tags={"billing": "42"})
    await there.clock.advance(60)
    return str(next(value for key, value in answer.items() if key.lower().endswith("arn")))


def _snake(operation: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)[1:]


def tags_in_aws(there: Installation, arn: str) -> dict[str, str]:
    """All tags of a thing of Batch."""
    return dict(there.aws().list_tags_for_resource(resourceArn=arn)["tags"])
