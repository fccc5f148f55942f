"""What the first version wrote: its objects, whole, and the calls by which it made their AWS side.

Recorded with the code of 2026-11-21, the first that could do all of the quickstart: accounts,
environments, queues with a policy and without, a definition, a job that ended and one that waits.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.installation import Installation

from awsbatch_operator.api.metadata import ObjectKey

PATH = Path(__file__).with_suffix(".json")
SECONDS = 900.0  # in which the recorded operator had made each thing, and a job had ended
Body = dict[str, Any]


def key_of(body: Body) -> ObjectKey:
    """Which object a body is."""
    metadata = body["metadata"]
    return ObjectKey(body["kind"], metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True)
class FirstVersion:
    """The recording. Ids that AWS makes up differ each time, so they are put in place of the old.

    `renamed` are those, as they are in the world into which it was brought.
    """

    renamed: dict[str, str]

    @cached_property
    def bodies(self) -> list[Body]:
        """The objects, in the order in which they were made."""
        text = PATH.read_text(encoding="utf-8")
        for before, after in self.renamed.items():
            text = text.replace(before, after)
        found: list[Body] = json.loads(text)["objects"]
        return sorted(found, key=lambda body: str(body["metadata"]["uid"]))

    @property
    def keys(self) -> list[ObjectKey]:
        """Which objects those are."""
        return [key_of(body) for body in self.bodies]


async def brought_into(there: Installation) -> FirstVersion:
    """The same as it was left: in AWS, by the same calls; in Kubernetes, with every byte."""
    renamed: dict[str, str] = {}
    with there.credentials():
        for made in json.loads(PATH.read_text(encoding="utf-8"))["requests"]:
            answer = getattr(there.aws(made["service"]), _python(made["operation"]))(
                **made["request"]
            )
            await there.clock.advance(SECONDS)
            renamed |= {
                old: answer[name]
                for name, old in made["answer"].items()
                if isinstance(old, str) and answer[name] != old
            }
    version = FirstVersion(renamed)
    for body in version.bodies:
        key = key_of(body)
        made = there.kube.objects.create(key, body)
        assert made["metadata"]["uid"] == body["metadata"]["uid"], "the tags in AWS name it"
        held = {**made["metadata"], "generation": body["metadata"]["generation"]}
        there.kube.objects.save(key, {**made, "metadata": held})
    return version


def _python(operation: str) -> str:
    """The name of a call in boto3: CreateJobQueue is create_job_queue."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in operation).lstrip("_")
