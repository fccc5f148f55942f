"""The table of calls holds what the adapters do, and the IAM policy holds what the table says."""

import ast
import inspect
import json
from pathlib import Path

import botocore.session
import pytest
from tests.support.stub_aws import ASSUMED, CALLER
from tools import iam_policy

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws import ports
from awsbatch_operator.aws.call_table import CALLS

SCOPE = Scope("111122223333", "eu-central-1")
ARN = "arn:aws:batch:eu-central-1:111122223333:job-queue/q"
POLICY = "arn:aws:batch:eu-central-1:111122223333:scheduling-policy/p"
POLLERS = {"JobFeed", "Feed", "Sessions"}
MANAGED_POLICY_LIMIT = 6144  # characters without white space; IAM quotas

# What `change` can be asked for, and how.
CHANGES: dict[str, dict] = {
    "CreateComputeEnvironment": {"computeEnvironmentName": "e", "type": "UNMANAGED"},
    "UpdateComputeEnvironment": {"computeEnvironment": "e"},
    "DeleteComputeEnvironment": {"computeEnvironment": "e"},
    "CreateJobQueue": {"jobQueueName": "q", "priority": 1},
    "UpdateJobQueue": {"jobQueue": "q"},
    "DeleteJobQueue": {"jobQueue": "q"},
    "RegisterJobDefinition": {"jobDefinitionName": "d", "type": "container"},
    "DeregisterJobDefinition": {"jobDefinition": "d:1"},
    "CreateSchedulingPolicy": {"name": "p"},
    "UpdateSchedulingPolicy": {"arn": ARN},
    "DeleteSchedulingPolicy": {"arn": ARN},
    "TagResource": {"resourceArn": ARN, "tags": {"a": "b"}},
    "UntagResource": {"resourceArn": ARN, "tagKeys": ["a"]},
}
# How each other port method can be called: (port, method, arguments).
SUBMIT = {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"}
CALLED = [
    ("batch", "submit_job", (SCOPE, SUBMIT)),
    ("batch", "compute_environment", (SCOPE, "e")),
    ("batch", "job_queue", (SCOPE, "q")),
    ("batch", "job_queues", (SCOPE,)),
    ("batch", "job_definitions", (SCOPE, "d")),
    ("batch", "scheduling_policy", (SCOPE, "p")),
    ("batch", "terminate_job", (SCOPE, "j", "why")),
    ("batch", "job", (SCOPE, "j")),
    ("batch", "active_jobs", (SCOPE, "q")),
    ("batch", "jobs_by_name", (SCOPE, "q", "n")),
    ("identity", "caller", (SCOPE,)),
    ("identity", "assume", ("arn:aws:iam::111122223333:role/r", None, "eu-central-1")),
    ("logs", "last_lines", (SCOPE, "g", "s")),
]


def port_methods() -> set[str]:
    """All methods by which the operator asks AWS; `permit` sends nothing."""
    found = {
        name
        for port in (ports.BatchPort, ports.IdentityPort, ports.LogsPort)
        for name, member in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_")
    }
    return found - {"permit"}


def test_every_port_method_stands_in_the_table_and_nothing_else_does():
    named = {method for call in CALLS for method in call.methods}
    assert named - POLLERS == port_methods()


def test_every_port_method_is_tried_here():
    assert {name for _, name, _ in CALLED} | {"change"} == port_methods()
    changes = {call.operation for call in CALLS.for_method("change")}
    assert changes == CHANGES.keys()


@pytest.mark.parametrize("operation", CHANGES)
async def test_a_change_sends_the_call_that_was_named(bench, operation):
    await bench.aws.batch.change(SCOPE, operation, CHANGES[operation])
    assert bench.stub.sent == [(operation, CHANGES[operation])] or "Resource" in operation
    assert bench.stub.operations() == [operation]


@pytest.mark.parametrize(("port", "name", "arguments"), CALLED, ids=lambda value: str(value)[:30])
async def test_a_port_method_sends_what_the_table_says(bench, port, name, arguments):
    lists = ("computeEnvironments", "jobQueues", "jobDefinitions", "schedulingPolicies", "jobs")
    empty: dict[str, list] = {member: [] for member in (*lists, "jobSummaryList", "events")}
    policies = {"schedulingPolicies": [{"arn": POLICY, "name": "p"}]}
    for call in CALLS:
        bench.stub.answers[call.operation] = lambda _: empty
    bench.stub.answers |= {
        "GetCallerIdentity": lambda _: CALLER.format(account="1"),
        "AssumeRole": lambda _: ASSUMED.format(
            account="1", name="r", session="s", number=1, expires="2030-01-01T00:00:00Z"
        ),
    }
    bench.stub.answers |= {
        "ListSchedulingPolicies": lambda _: policies,
        "DescribeSchedulingPolicies": lambda _: policies,
    }
    extra = {"count": 5} if name == "last_lines" else {}
    await getattr(getattr(bench.aws, port), name)(*arguments, **extra)
    assert set(bench.stub.operations()) == {call.operation for call in CALLS.for_method(name)}


def test_every_row_is_an_operation_of_aws():
    session = botocore.session.Session()
    models = {service: session.get_service_model(service) for service in ("batch", "logs", "sts")}
    for call in CALLS:
        assert call.operation in models[call.service].operation_names


def test_whatever_does_not_just_read_by_its_name_is_sent_once():
    for call in CALLS:
        reads = call.operation.startswith(("Describe", "List", "Get", "AssumeRole"))
        assert call.mutating is not reads


def test_every_call_is_allowed_by_the_policy():
    document = json.loads((iam_policy.FOLDER / "operator-policy.json").read_text())
    allowed = {action for statement in document["Statement"] for action in statement["Action"]}
    needed = {permission.action for call in CALLS for permission in call.permissions}
    assert allowed == needed
    for call in CALLS:
        # GetCallerIdentity needs no permission (STS API reference)
        assert call.name in allowed or call.operation == "GetCallerIdentity"


def test_the_policy_in_the_repository_is_the_generated_one(capsys):
    assert iam_policy.main(["--check"]) == 0, capsys.readouterr().out


def test_a_policy_that_was_edited_by_hand_is_noticed(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "deploy" / "iam"
    monkeypatch.setattr(iam_policy, "FOLDER", folder)
    iam_policy.main([])
    assert iam_policy.main(["--check"]) == 0
    (folder / "operator-policy.json").write_text("{}")
    assert iam_policy.main(["--check"]) == 1
    assert "deploy/iam/operator-policy.json differs" in capsys.readouterr().out


def test_the_policy_fits_into_one_managed_policy():
    document = iam_policy.policy(CALLS)
    assert len(json.dumps(document, separators=(",", ":"))) <= MANAGED_POLICY_LIMIT


def test_roles_are_passed_only_to_the_services_that_run_jobs():
    statements = iam_policy.policy(CALLS)["Statement"]
    (passing,) = [entry for entry in statements if entry["Action"] == ["iam:PassRole"]]
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "batch.amazonaws.com",
        "ec2.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "ecs.amazonaws.com",
        "spotfleet.amazonaws.com",
    ]
    assert "*" not in passing["Resource"]


def test_only_the_sender_reaches_aws():
    """A client made anywhere else would bypass table, lease and limits."""
    folder = Path(inspect.getfile(ports)).parent
    makers = set()
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in ("create_client", "client"):
                makers.add(path.name)
    assert makers == {"sessions.py", "sender.py"}
