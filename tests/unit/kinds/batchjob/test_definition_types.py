"""Whether a definition that is named by ARN is of a multi-node parallel job."""

from typing import Any

from tests.unit.kinds.batchjob.jobs import SCOPE

from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.environment import Body

NAME = "arn:aws:batch:eu-central-1:111122223333:job-definition/nodes"


class Listed:
    """A BatchPort that lists these types of the definition's revisions, the newest first."""

    def __init__(self, *types: str) -> None:
        self.types = types
        self.asked: list[str] = []

    async def job_definitions(self, _: Any, name: str) -> list[dict[str, str]]:
        self.asked.append(name)
        newest = len(self.types)
        return [
            {"jobDefinitionArn": f"{NAME}:{newest - index}", "type": each}
            for index, each in enumerate(self.types)
        ]


def types(*listed: str) -> tuple[DefinitionTypes, Listed]:
    port: Any = Listed(*listed)
    return DefinitionTypes(port), port


async def test_a_revision_is_asked_about_once():
    known, port = types("container", "multinode")
    for _ in range(2):
        await known.learn(SCOPE, f"{NAME}:1")
    await known.learn(SCOPE, f"{NAME}:2")
    assert port.asked == ["nodes", "nodes"]
    assert [known.is_multinode(f"{NAME}:{number}") for number in (1, 2)] == [True, False]


async def test_a_name_means_its_newest_revision_each_time():
    known, port = types("multinode", "container")
    await known.learn(SCOPE, NAME)
    assert known.is_multinode(NAME)
    port.types = ("container", *port.types)
    await known.learn(SCOPE, NAME)
    assert not known.is_multinode(NAME)


async def test_the_names_of_its_containers_are_known_as_well():
    known, listing = types()
    port: Any = listing
    containers = [{"name": "work"}, {"name": "logs", "firelensConfiguration": {"type": "f"}}]
    tasks = {"ecsProperties": {"taskProperties": [{"containers": containers}]}}

    async def listed(*_):
        return [{"jobDefinitionArn": f"{NAME}:1", "type": "container", **tasks}]

    port.job_definitions = listed
    await known.learn(SCOPE, f"{NAME}:1")
    shape = known.shape(f"{NAME}:1")
    assert shape is not None
    assert [(each.body, each.containers) for each in shape.parts] == [(Body.ECS, ("work",))]
    assert known.shape(f"{NAME}:2") is None


async def test_of_what_aws_does_not_list_nothing_is_said():
    known, port = types("multinode")
    await known.learn(SCOPE, f"{NAME}:7")
    assert not known.is_multinode(f"{NAME}:7")
    port.types = 7 * ("multinode",)
    await known.learn(SCOPE, f"{NAME}:7")
    assert known.is_multinode(f"{NAME}:7")
