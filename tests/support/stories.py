"""What people do and mean beside the tables: each story happens in a place of its own, at once.

Jobs by the name of `last-*` write LINES, those by the name of `long-*` do not end by themselves; a
test sets these scripts.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from tests.support import manifests
from tests.support.installation import ACCOUNT, NAMESPACE
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, best_fit, environment
from tests.support.places import Place
from tests.support.remedies.deeds import MAKE_ROLE, with_role

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import CONTENT

Story = Callable[[Place], Awaitable[None]]
LINES = ("x" * 3000, "the last one")
SCRIPTS = (
    {"jobName": "last-*", "durationSeconds": 0.2, "output": list(LINES)},
    {"jobName": "long-*", "durationSeconds": 3600, "output": []},
)


def job_named(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", NAMESPACE, name)


def runs(place: Place, key: ObjectKey) -> bool:
    """Whether AWS says that the job runs."""
    return bool(place.status(key).get("awsStatus") == "RUNNING")


async def ready(place: Place, **others: Any) -> None:
    """All that jobs need; `others` has specs of another look, by kind."""
    for key in (ENVIRONMENT, QUEUE, DEFINITION):
        place.apply(key, others.get(key.kind, manifests.SPECS[key]))
    await place.until_ready(ENVIRONMENT, QUEUE, DEFINITION)


async def a_revert_is_what_a_submission_by_name_runs(place: Place) -> None:
    await ready(place)
    for word in ("broken", "true"):
        place.apply(DEFINITION, manifests.definition(word))
        await place.until_ready(DEFINITION)
    status, batch = place.status(DEFINITION), place.aws()
    assert status["revision"] == 3
    submitted = batch.submit_job(
        jobName="by-name",
        jobQueue=place.status(QUEUE)["awsName"],
        jobDefinition=status["awsName"],
    )
    (found,) = batch.describe_jobs(jobs=[submitted["jobId"]])["jobs"]
    assert found["jobDefinition"] == status["arn"]
    assert found["container"]["command"] == ["true"]


async def a_job_by_revision_runs_that_one(place: Place) -> None:
    await ready(place)
    place.apply(DEFINITION, manifests.definition("second"))
    await place.until_ready(DEFINITION)
    of_the_first = {"jobDefinitionRef": {"name": DEFINITION.name, "revision": 1}}
    key = job_named("first")
    place.apply(key, manifests.job(**of_the_first))
    await place.until(key, "Complete")
    shown = {"name": DEFINITION.name, "revision": 1, "generation": 1}
    assert place.status(key)["jobDefinition"] == shown


async def a_content_tag_is_set_again_and_nothing_registered(place: Place) -> None:
    place.apply(DEFINITION, manifests.definition())
    await place.until_ready(DEFINITION)
    status, batch = place.status(DEFINITION), place.aws()
    batch.untag_resource(resourceArn=status["arn"], tagKeys=[CONTENT])

    def is_tagged() -> bool:
        tags = batch.list_tags_for_resource(resourceArn=status["arn"])["tags"]
        return bool(tags.get(CONTENT) == status["contentHash"])

    place.nudge(DEFINITION)
    await place.run_until(is_tagged)
    name = status["awsName"]
    assert len(batch.describe_job_definitions(jobDefinitionName=name)["jobDefinitions"]) == 1


async def a_new_queue_takes_an_environment_that_is_valid_and_stalled(place: Place) -> None:
    place.apply(ENVIRONMENT, best_fit())
    await place.until_ready(ENVIRONMENT)
    refused = {"replacement": {"policy": "Refuse"}}
    place.apply(ENVIRONMENT, best_fit(instanceTypes=["c7i"]) | refused)
    await place.until(ENVIRONMENT, "Stalled", "ReplacementNeeded")
    counted = {"kind": "ComputeEnvironment", "condition": "Stalled", "status": "True"}
    assert place.metric("objects", **counted, reason="ReplacementNeeded") >= 1
    place.apply(QUEUE, manifests.queue())
    await place.until_ready(QUEUE)


async def a_role_that_left_the_spec_stays_and_is_told(place: Place) -> None:
    await MAKE_ROLE(place)
    place.apply(ENVIRONMENT, with_role())
    await place.until_ready(ENVIRONMENT)
    place.apply(ENVIRONMENT, environment())
    await place.until_ready(ENVIRONMENT)
    said = place.said(ENVIRONMENT, "Ready")
    role = place.named("service-role/ours")
    assert f"keeps arn:aws:iam::{ACCOUNT}:role/{role}" in said
    assert "Set the field again, or delete this object and create it again." in said
    await place.run_until(lambda: "LeftAsItIs" in place.events(ENVIRONMENT))


async def secrets_without_a_role_are_not_called_ready_until_there_is_one(place: Place) -> None:
    spec = manifests.definition()
    container = spec["containerProperties"]
    container["secrets"] = [{"name": "KEY", "valueFrom": "key"}]
    place.apply(DEFINITION, spec)
    said = await place.until(DEFINITION, "Stalled", "ExecutionRoleMissing")
    assert "spec.containerProperties.secrets" in said
    container["executionRoleArn"] = f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole"
    place.apply(DEFINITION, spec)
    await place.until_ready(DEFINITION)


async def a_job_that_ends_with_its_queue_was_not_cancelled_by_somebody(place: Place) -> None:
    """Whatever words AWS has for it, as long as the operator deletes the queue."""
    await ready(place, JobQueue=manifests.queue(drain={"policy": "Terminate"}))
    known, other = job_named("long-known"), job_named("long-other")
    for key in (known, other):
        place.apply(key, manifests.job())
    for key in (known, other):
        await place.run_until(partial(runs, place, key))
    here = {"jobQueue": place.status(QUEUE)["awsName"]}
    place.fault(effect="deny", service="batch", operation="DeleteJobQueue", match=here)
    place.remove(QUEUE)
    await place.until(QUEUE, "DeletionBlocked", "PermissionDenied")
    place.aws().terminate_job(jobId=place.status(other)["jobId"], reason="Ended by AWS Batch")
    ends = [await place.until(other, "Failed", "Cancelled")]
    place.mend()
    place.nudge(QUEUE)
    ends.append(await place.until(known, "Failed", "Cancelled"))
    for said in ends:
        assert "Its job queue was deleted" in said
        assert "omebody" not in said


def logging(driver: str, **options: str) -> dict[str, Any]:
    """A definition whose container logs so."""
    named = {name.replace("_", "-"): value for name, value in options.items()}
    made = manifests.definition()
    made["containerProperties"]["logConfiguration"] = {"logDriver": driver, "options": named}
    return made


async def output_is_looked_for_where_the_definition_sends_it(place: Place) -> None:
    options = {"awslogs_group": "/climate", "awslogs_region": "eu-west-1"}
    ours = logging("awslogs", **options, awslogs_stream_prefix="year")
    await ready(place, JobDefinition=ours)
    elsewhere = ObjectKey("JobDefinition", NAMESPACE, "elsewhere")
    place.apply(elsewhere, logging("splunk", splunk_url="https://s:8088", splunk_token="hunter22"))
    await place.until_ready(elsewhere)
    here, away = job_named("last-here"), job_named("last-away")
    place.apply(here, manifests.job())
    place.apply(away, manifests.job(jobDefinitionRef={"name": elsewhere.name}))
    for key in (here, away):
        await place.until(key, "Complete")
    logs = place.status(here)["logs"]
    assert (logs["group"], logs["region"]) == ("/climate", "eu-west-1")
    assert logs["stream"].startswith("year/")
    assert logs["lastLines"][-1] == LINES[-1]
    assert len(logs["lastLines"]) == len(LINES), "a long line does not drop the others"
    told = {"driver": "splunk", "destination": "splunk-url: https://s:8088"}
    assert place.status(away)["logs"] == told


STORIES: tuple[Story, ...] = (
    a_revert_is_what_a_submission_by_name_runs,
    a_job_by_revision_runs_that_one,
    a_content_tag_is_set_again_and_nothing_registered,
    a_new_queue_takes_an_environment_that_is_valid_and_stalled,
    a_role_that_left_the_spec_stays_and_is_told,
    secrets_without_a_role_are_not_called_ready_until_there_is_one,
    a_job_that_ends_with_its_queue_was_not_cancelled_by_somebody,
    output_is_looked_for_where_the_definition_sends_it,
)
