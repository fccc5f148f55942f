"""Jobs with their definitions inside, for the tests beside this file."""

from typing import Any

from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey

REGISTER, DEREGISTER = "batch:RegisterJobDefinition", "batch:DeregisterJobDefinition"


def job(name: str, namespace: str = NAMESPACE) -> ObjectKey:
    """A job by its name."""
    return ObjectKey("BatchJob", namespace, name)


def inline(*command: str, **changes: Any) -> dict[str, Any]:
    """The spec of a job that has its definition inside."""
    return {
        "jobQueueRef": {"name": "main"},
        "jobDefinition": manifests.definition(*command),
        **changes,
    }


async def with_queue(there: Installation, **changes: Any) -> None:
    """What such a job needs besides itself."""
    for key in (ENVIRONMENT, QUEUE):
        there.apply(key, {**SPECS[key], **changes})
    await there.until_ready(ENVIRONMENT, QUEUE, within=900)
    there.calls.clear()


async def until_submitted(there: Installation, *keys: ObjectKey, within: float = 300) -> float:
    """All of these were sent to AWS, and their statuses say so."""

    def sent() -> bool:
        return all("jobId" in there.status(key) for key in keys)

    return await there.clock.run_until(sent, within=within)


def revisions(there: Installation, status: str = "ACTIVE") -> list[dict[str, Any]]:
    """All revisions in AWS of that status, whoever registered them."""
    found = there.aws().describe_job_definitions(status=status)["jobDefinitions"]
    return sorted(found, key=lambda each: str(each["jobDefinitionArn"]))


def commands(there: Installation) -> list[str]:
    """The commands of all ACTIVE revisions."""
    return [each["containerProperties"]["command"][0] for each in revisions(there)]
