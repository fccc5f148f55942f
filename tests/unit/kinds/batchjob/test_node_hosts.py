"""Where multi-node parallel jobs run, and who is asked about it."""

from dataclasses import replace
from typing import Any

import pytest
from tests.support.one_process import aws_models
from tests.unit.kinds.batchjob.jobs import DEFINITION_ARN, QUEUE_ARN, SCOPE, job

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.kinds.batchjob.definition_types import DefinitionTypes
from awsbatch_operator.kinds.batchjob.node_hosts import UNFIT, NodeHosts

ENVIRONMENT = "arn:aws:batch:eu-central-1:111122223333:compute-environment/e"


class Account:
    """A BatchPort with one queue over one environment."""

    def __init__(self, kind: str = "", *, environment: str = "MANAGED", sort: str = "multinode"):
        self.environment: dict[str, Any] = {"computeEnvironmentName": "e", "type": environment}
        self.environment |= {"computeResources": {"type": kind}} if kind else {}
        self.sort = sort
        self.asked: list[tuple[str, Any]] = []

    async def job_definitions(self, _: Any, __: str) -> list[dict[str, str]]:
        return [{"jobDefinitionArn": DEFINITION_ARN, "type": self.sort}]

    async def job_queue(self, _: Any, name: str, *, wake: Any) -> dict[str, Any]:
        self.asked.append((name, wake))
        order = [{"order": 1, "computeEnvironment": ENVIRONMENT}]
        return {"jobQueueName": "main", "computeEnvironmentOrder": order}

    async def compute_environment(self, _: Any, name: str, *, wake: Any) -> dict[str, Any]:
        self.asked.append((name, wake))
        return self.environment


async def looked(account: Account, resource: Resource, *objects: Resource) -> NodeHosts:
    port: Any = account
    types = DefinitionTypes(port)
    known = {each.key: each for each in objects}
    hosts = NodeHosts(port, types, known.get, "test")
    await types.learn(SCOPE, DEFINITION_ARN)
    await hosts.learn(SCOPE, resource)
    return hosts


def test_of_each_type_of_environment_that_aws_has_it_is_known_whether_nodes_run_there():
    model = aws_models().load_service_model("batch", "service-2")
    assert set(model["shapes"]["CRType"]["enum"]) == {"EC2", *UNFIT}


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (Account(environment="UNMANAGED"), "environment e (UNMANAGED)"),
        (Account("SPOT"), "environment e (Spot instances)"),
        (Account("FARGATE"), "environment e (Fargate)"),
        (Account("FARGATE_SPOT"), "environment e (Fargate Spot)"),
        (Account("ECS_MANAGED_INSTANCES"), "environment e (ECS Managed Instances)"),
    ],
)
async def test_an_environment_where_no_nodes_run_is_named_and_the_job_woken_by_its_change(
    account, words
):
    hosts = await looked(account, job())
    assert words in hosts.unfit[QUEUE_ARN].message
    assert (ENVIRONMENT, job().key) in account.asked
    account.environment = {"type": "MANAGED", "computeResources": {"type": "EC2"}}
    await hosts.learn(SCOPE, job())
    assert hosts.unfit == {}


async def test_a_job_that_can_run_is_woken_by_no_change_of_its_queue():
    account = Account("EC2")
    hosts = await looked(account, job())
    assert hosts.unfit == {}
    assert account.asked == [(QUEUE_ARN, None), (ENVIRONMENT, None)]


async def test_of_a_job_with_one_node_nothing_is_asked():
    account = Account("SPOT", sort="container")
    assert (await looked(account, job())).unfit == {}
    assert account.asked == []


@pytest.mark.parametrize("sort", ["multinode", "container"])
async def test_a_definition_of_ours_or_inline_is_known_without_asking(sort):
    key = ObjectKey("JobDefinition", "climate", "nodes")
    ours = replace(job(), key=key, spec={"type": sort})
    queue_key = ObjectKey("JobQueue", "climate", "main")
    queue = replace(job(), key=queue_key, status={"arn": QUEUE_ARN})
    named = {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "nodes"}}
    inline = {"jobQueueRef": {"name": "main"}, "jobDefinition": {"type": sort}}
    for spec in (named, inline):
        hosts = await looked(Account("SPOT", sort="other"), job(spec=spec), ours, queue)
        assert set(hosts.unfit) == ({QUEUE_ARN} if sort == "multinode" else set())


async def test_the_queue_that_a_lost_run_goes_to_is_looked_at_as_well():
    other = QUEUE_ARN.replace("main", "other")
    spec = {**job().spec, "fallback": {"jobQueueRef": {"arn": other}}}
    assert set((await looked(Account("SPOT"), job(spec=spec))).unfit) == {QUEUE_ARN, other}
