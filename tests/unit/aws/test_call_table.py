"""The table of calls holds what the adapters do, and the IAM policy holds what the table says."""

import ast
import base64
import inspect
import json
from pathlib import Path

import botocore.session
import pytest
from tests.support.stub_aws import ASSUMED, CALLER, Refused
from tests.unit.aws.capacity_requests import CAPACITY_CHANGES, IMAGE_CHANGES
from tools import iam_policy

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws import capacity_ports, image_ports, ports
from awsbatch_operator.aws.call_table import CALLS

SCOPE = Scope("111122223333", "eu-central-1")
HOST = "arn:aws:ecs:eu-central-1:111122223333:container-instance/c/1"
ARN = "arn:aws:batch:eu-central-1:111122223333:job-queue/q"
POLICY = "arn:aws:batch:eu-central-1:111122223333:scheduling-policy/p"
POLLERS = {"JobFeed", "Feed", "NoticeBook", "JobEventBook", "Sessions"}
PARTS = sorted({call.part for call in CALLS})
MODELS = {
    service: botocore.session.Session().get_service_model(service)
    for service in sorted({call.service for call in CALLS})
}
# What EC2 lists, in the words of the operations that list it.
EC2_LISTS = {
    member
    for call in CALLS
    if call.service == "ec2" and call.operation.startswith("Describe")
    for member, shape in MODELS["ec2"].operation_model(call.operation).output_shape.members.items()
    if shape.type_name == "list"
}
MANAGED_POLICY_LIMIT = 6144  # characters without white space; IAM quotas

# What `change` of BatchPort can be asked for, and how.
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
JOB = {"jobId": "j", "jobName": "j", "status": "RUNNABLE", "createdAt": 1}
SUBMIT = {"jobName": "j", "jobQueue": "q", "jobDefinition": "d"}
CALLED = [
    ("batch", "submit_job", (SCOPE, SUBMIT)),
    ("batch", "compute_environment", (SCOPE, "e")),
    ("batch", "compute_environments", (SCOPE,)),
    ("batch", "job_queue", (SCOPE, "q")),
    ("batch", "job_queues", (SCOPE,)),
    ("batch", "job_definitions", (SCOPE, "d")),
    ("batch", "scheduling_policy", (SCOPE, "p")),
    ("batch", "terminate_job", (SCOPE, "j", "why")),
    ("batch", "job", (SCOPE, "j")),
    ("batch", "active_jobs", (SCOPE, "q")),
    ("batch", "jobs_by_name", (SCOPE, "q", "n")),
    ("batch", "children", (SCOPE, "j", "FAILED")),
    ("identity", "caller", (SCOPE,)),
    ("identity", "assume", ("arn:aws:iam::111122223333:role/r", None, "eu-central-1")),
    ("logs", "last_lines", (SCOPE, "g", "s")),
    ("batch", "waiting_jobs", (SCOPE, "q")),
    ("batch", "queue_snapshot", (SCOPE, "q")),
    ("ec2", "instances", (SCOPE, "u")),
    ("ec2", "instances_by_id", (SCOPE, ["i-1"])),
    ("ec2", "all_instances", (SCOPE,)),
    ("ec2", "listed_instances", (SCOPE,)),
    ("ec2", "launched_by", (SCOPE, "t")),
    ("ec2", "instance_types", (SCOPE,)),
    ("ec2", "zones_of", (SCOPE, ["m5.large"])),
    ("ec2", "subnets", (SCOPE, ["subnet-1"])),
    ("ec2", "security_groups", (SCOPE, ["sg-1"])),
    ("ec2", "images", (SCOPE, ["ami-1"])),
    ("ec2", "launch_templates", (SCOPE,)),
    ("ec2", "launch_template", (SCOPE, "template")),
    ("ec2", "template_versions", (SCOPE, ["name:template"])),
    ("ec2", "placement_groups", (SCOPE, ["g"])),
    ("ec2", "capacity_reservations", (SCOPE,)),
    ("ec2", "volumes", (SCOPE,)),
    ("ec2", "spot_requests", (SCOPE,)),
    ("ec2", "troubled_instances", (SCOPE,)),
    ("ec2", "console_output", (SCOPE, "i-1")),
    ("ecs", "container_instances", (SCOPE, "c")),
    ("ecs", "container_instances_by_arn", (SCOPE, [HOST])),
    ("ecs", "tasks", (SCOPE, "c")),
    ("ssm", "image_parameter", (SCOPE, "/p")),
    ("images", "own_images", (SCOPE,)),
    ("images", "image_named", (SCOPE, "n")),
    ("images", "images_named_like", (SCOPE, "n*")),
    ("images", "verify_clusters", (SCOPE,)),
    ("images", "own_snapshots", (SCOPE,)),
    ("images", "snapshots_in_use", (SCOPE, ["snap-1"])),
    ("images", "references", (SCOPE, ["ami-1"])),
    ("images", "cluster", (SCOPE, "c")),
    ("images", "parameter", (SCOPE, "/p")),
    ("prices", "on_demand", (SCOPE, ["m5.large"])),
    ("prices", "spot", (SCOPE, ["m5.large"])),
]
PORTS = {
    "batch": ports.BatchPort,
    "ec2": capacity_ports.Ec2Port,
    "ecs": capacity_ports.EcsPort,
    "identity": ports.IdentityPort,
    "images": image_ports.ImagePort,
    "logs": ports.LogsPort,
    "prices": capacity_ports.PriceBook,
    "ssm": capacity_ports.SsmPort,
}
SILENT = {"permit", "expect", "trouble", "others"}  # these send nothing


def port_methods() -> set[str]:
    """All methods by which the operator asks AWS."""
    found = {
        name
        for port in PORTS.values()
        for name, member in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_")
    }
    return found - SILENT


def test_every_port_method_stands_in_the_table_and_nothing_else_does():
    named = {method for call in CALLS for method in call.methods}
    assert named - POLLERS == port_methods()


def test_every_port_method_is_tried_here():
    assert {name for _, name, _ in CALLED} | {"change", "dry_run", "send"} == port_methods()
    for service, changes in (("batch", CHANGES), *CAPACITY_CHANGES.items()):
        rows = CALLS.for_method("change", [service])
        assert {call.operation for call in rows} == changes.keys()


@pytest.mark.parametrize("operation", CHANGES)
async def test_a_change_sends_the_call_that_was_named(bench, operation):
    await bench.aws.batch.change(SCOPE, operation, CHANGES[operation])
    assert bench.stub.sent == [(operation, CHANGES[operation])] or "Resource" in operation
    assert bench.stub.operations() == [operation]


@pytest.mark.parametrize(
    ("service", "operation"),
    [(service, each) for service, changes in CAPACITY_CHANGES.items() for each in changes],
)
async def test_a_change_of_capacity_sends_the_call_that_was_named(bench, service, operation):
    request = CAPACITY_CHANGES[service][operation]
    await getattr(bench.aws, service).change(SCOPE, operation, request)
    assert bench.stub.sent == [(operation, request)]


@pytest.mark.parametrize("call", CALLS.for_method("send"), ids=lambda call: call.name)
async def test_a_change_of_images_sends_the_call_that_was_named(bench, call):
    await bench.aws.images.send(SCOPE, call.name, IMAGE_CHANGES[call.name])
    assert bench.stub.sent == [(call.operation, IMAGE_CHANGES[call.name])]


@pytest.mark.parametrize("call", CALLS.for_method("dry_run"), ids=lambda call: call.operation)
async def test_a_trial_sends_what_would_be_sent_and_says_that_it_is_one(bench, call):
    def allowed(_):
        raise Refused("DryRunOperation", "Request would have succeeded", 412)

    bench.stub.answers[call.operation] = allowed
    request = CAPACITY_CHANGES["ec2"][call.operation]
    await bench.aws.ec2.dry_run(SCOPE, call.operation, request)
    assert bench.stub.sent == [(call.operation, {**request, "DryRun": True})]
    assert bench.observed == [("ec2", call.operation, "ok")]


@pytest.mark.parametrize(("port", "name", "arguments"), CALLED, ids=lambda value: str(value)[:30])
async def test_a_port_method_sends_what_the_table_says(bench, port, name, arguments):
    lists = ("computeEnvironments", "jobQueues", "jobDefinitions", "schedulingPolicies", "jobs")
    empty: dict[str, list] = {member: [] for member in (*lists, "jobSummaryList", "events")}
    empty |= {member: [] for member in EC2_LISTS}
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
    bench.stub.answers |= {
        "ListJobs": lambda _: {"jobSummaryList": [JOB]},
        "DescribeJobs": lambda _: {"jobs": [JOB]},
        "ListContainerInstances": lambda _: {"containerInstanceArns": ["a"]},
        "ListClusters": lambda _: {"clusterArns": []},
        "DescribeClusters": lambda _: {"clusters": []},
        "DescribeContainerInstances": lambda _: {"containerInstances": []},
        "GetParameter": lambda _: {"Parameter": {"Value": "ami-1"}},
        "ListTagsForResource": lambda _: {"TagList": []},
        "GetConsoleOutput": lambda _: {"Output": base64.b64encode(b"boot").decode()},
    }
    extra = {"count": 5} if name == "last_lines" else {}
    await getattr(getattr(bench.aws, port), name)(*arguments, **extra)
    rows = CALLS.for_method(name, [port] if name == "instances" else ())
    assert set(bench.stub.operations()) == {call.operation for call in rows}


def test_every_row_is_an_operation_of_aws():
    for call in CALLS:
        assert call.operation in MODELS[call.service].operation_names


def test_the_next_page_is_asked_for_in_the_words_of_the_service():
    for call in CALLS:
        model = MODELS[call.service].operation_model(call.operation)
        tokens = {"nextToken", "NextToken"} & set(model.input_shape.members)
        if tokens and model.output_shape is not None and call.operation != "GetLogEvents":
            assert tokens == {call.page_token}
            assert call.page_token in model.output_shape.members


def test_whatever_does_not_just_read_by_its_name_is_sent_once():
    for call in CALLS:
        reads = call.operation.startswith(("Describe", "List", "Get", "AssumeRole", "Receive"))
        assert call.mutating is not reads


def test_every_call_is_allowed_by_the_policy():
    allowed = set()
    for part in PARTS:
        document = json.loads((iam_policy.FOLDER / f"{part}-policy.json").read_text())
        actions = {action for statement in document["Statement"] for action in statement["Action"]}
        calls = iam_policy.calls_of(part)
        assert actions == {each.action for call in calls for each in call.permissions}
        allowed |= actions
    for call in CALLS:
        # GetCallerIdentity needs no permission (STS API reference)
        assert call.action in allowed or call.operation == "GetCallerIdentity"


def test_the_policy_in_the_repository_is_the_generated_one(capsys):
    assert iam_policy.main(["--check"]) == 0, capsys.readouterr().out


def test_a_policy_that_was_edited_by_hand_is_noticed(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "deploy" / "iam"
    monkeypatch.setattr(iam_policy, "FOLDER", folder)
    iam_policy.main([])
    assert iam_policy.main(["--check"]) == 0
    (folder / "operator-policy.json").write_text("{}")
    assert iam_policy.main(["--check"]) == 1
    assert "deploy/iam/operator-policy.json is not what" in capsys.readouterr().out


@pytest.mark.parametrize("part", PARTS)
def test_each_policy_fits_into_one_managed_policy(part):
    document = iam_policy.policy(iam_policy.calls_of(part))
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
