"""What Batch's model says of values is held against every request; no value breaks the simulator.

Each rule comes from botocore's model: enums, lengths and ranges from its shapes, and what it says
only in its text from the documentation of the members ([bc]).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.model import Shape
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulator.cloud import Cloud, breaches, ready, service_model

from awsbatch_simulator.batch.model_limits import (
    CASE_DOES_NOT_COUNT,
    TEXT_ENUMS,
    TEXT_MAXIMA,
    TEXT_RANGES,
    check_request,
)
from awsbatch_simulator.batch.service import operations
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import RawJson
from awsbatch_simulator.protocol.models import Models

MODEL = service_model("batch")
VALIDATOR = Models()
INPUTS = {name: MODEL.operation_model(name).input_shape for name in operations()}
NUMBERS = {"integer": 31, "long": 63}


def text(shape: str, member: str) -> str:
    """What the model says of a member, without its mark-up."""
    found = MODEL.shape_for(shape).members[member].documentation
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found))


def least(shape: Shape) -> Any:
    """The smallest value of a shape that nothing is said against."""
    match shape.type_name:
        case "structure":
            return {name: least(shape.members[name]) for name in shape.required_members}
        case "list":
            return [least(shape.member)] * shape.metadata.get("min", 0)
        case "map":
            return {"k": "v"} if shape.metadata.get("min") else {}
        case "boolean":
            return False
        case "string":
            return shape.enum[0] if shape.enum else "x"
        case _:
            return shape.metadata.get("min", 1)


Bad = Callable[[Shape], Iterator[Any]]


def with_bad_value(shape: Shape, bad: Bad, *, depth: int = 0) -> Iterator[Any]:
    """Values of a shape in which one part is bad, each part in its turn."""
    yield from bad(shape)
    match shape.type_name:
        case "structure" if depth < 12:
            base = least(shape)
            for name, member in shape.members.items():
                for value in with_bad_value(member, bad, depth=depth + 1):
                    yield base | {name: value}
        case "list" if depth < 12:
            for value in with_bad_value(shape.member, bad, depth=depth + 1):
                yield [value]
        case _:
            pass


def bad_enums(shape: Shape) -> Iterator[Any]:
    if shape.type_name == "string" and shape.enum:
        yield "nonsense"
        if shape.name not in CASE_DOES_NOT_COUNT:
            yield from (value.swapcase() for value in shape.enum[:1])


def bad_lengths(shape: Shape) -> Iterator[Any]:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    one: Callable[[int], Any] | None = {
        "string": lambda size: "x" * size,
        "list": lambda size: ["x"] * size,
        "map": lambda size: {f"k{number}": "v" for number in range(size)},
    }.get(shape.type_name)
    if one is not None and low:
        yield one(low - 1)
    if one is not None and high is not None:
        yield one(high + 1)


def bad_numbers(shape: Shape) -> Iterator[Any]:
    if shape.type_name in NUMBERS:
        limit = 1 << NUMBERS[shape.type_name]
        yield from (limit, -limit - 1, 10**400, True)
        yield from (shape.metadata[end] + by for end, by in (("min", -1), ("max", 1))
                    if end in shape.metadata)  # fmt: skip
    if shape.type_name in {"float", "double"}:
        yield from (float("nan"), float("inf"), 10**400)


def complaint(operation: str, request: Any) -> str | None:
    """What is said against a request by its form alone: first to all services, then in Batch."""
    if (report := VALIDATOR.invalid(VALIDATOR.operation("batch", operation), request)) is not None:
        return report
    try:
        check_request(operation, request)
    except AwsFailure as refusal:
        assert refusal.status == 400  # noqa: PT017
        return refusal.message
    return None


@pytest.mark.parametrize("bad", [bad_enums, bad_lengths, bad_numbers])
def test_every_member_is_held_to_the_model(bad):
    seen = set()
    for operation, shape in INPUTS.items():
        for request in with_bad_value(shape, bad):
            said = complaint(operation, request)
            assert said is not None, (operation, request)
            seen.add(re.sub(r"'[^']*'", "", said)[:150])
    assert seen


def test_the_smallest_request_of_every_operation_is_held_for_sound():
    for operation, shape in INPUTS.items():
        check_request(operation, least(shape))


@pytest.mark.parametrize("action", ["retry", "Retry", "RETRY"])
def test_the_case_of_an_exit_rules_action_does_not_count(action):
    """[bc] EvaluateOnExit.action: "The values aren't case sensitive"."""
    rules = [{"action": action, "onReason": "*"}]
    request = least(INPUTS["RegisterJobDefinition"])
    check_request("RegisterJobDefinition", request | {
        "retryStrategy": {"attempts": 2, "evaluateOnExit": rules}})  # fmt: skip


@pytest.mark.parametrize("place", sorted(TEXT_ENUMS))
def test_enums_of_the_text_are_those_that_the_text_lists(place):
    """[bc] each value stands in the text of its member."""
    said = text(*place)
    for value in TEXT_ENUMS[place]:
        assert re.search(rf"\b{re.escape(value)}\b" if value else '""', said), value


def test_counts_of_the_text_are_those_that_the_text_states():
    """[bc] "A list of up to 100 …", wherever an operation that is simulated has it."""
    stated = {
        (shape.name, name): int(found[1])
        for shape in INPUTS.values()
        for name in shape.members
        if (found := re.search(r"A list of up to ([\d,]+)", text(shape.name, name)))
    }
    assert stated == TEXT_MAXIMA


@pytest.mark.parametrize("place", sorted(TEXT_RANGES))
def test_ranges_of_the_text_have_the_ends_that_the_text_states(place):
    """[bc] both ends stand in the text of the member, or of the member that holds the structure."""
    said = text(*place)
    if place == ("ArrayProperties", "size"):
        said = text("SubmitJobRequest", "arrayProperties")
    numbers = {each.replace(",", "") for each in re.findall(r"\d[\d,]*\d|\d", said)}
    assert {str(end) for end in TEXT_RANGES[place]} <= numbers


@pytest.mark.parametrize(("shape", "member"), sorted(TEXT_MAXIMA))
def test_a_hundred_can_be_asked_for_at_once_and_no_more(shape, member):
    """[gh] pegasus-isi/pegasus#2086 has the words."""
    operation = shape.removesuffix("Request")
    check_request(operation, {member: ["x"] * 100})
    refusal = Cloud().refused(operation, **{member: ["x"] * 101})
    assert f"Maximum number of {member} supported is  100 ." in refusal


NAMES = ("main", "simulate", "simulate:1", "", "x", "nan", "1.0", "-1", "9" * 400, "²", "\ud800",
         "arn:aws:batch:eu-central-1:111122223333:job-queue/main", "0:", "ami-1", "bnVsbA==",
         "W1tbW1tbW1tb", "FARGATE", "EC2", "JOB_NAME", "subnet-1", "sg-1", "a" * 9000)  # fmt: skip
SIZES = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}]
CONTAINER = {"image": "busybox", "resourceRequirements": SIZES}
HERE = "arn:aws:batch:eu-central-1:111122223333"
QUEUE, POLICY = f"{HERE}:job-queue/main", f"{HERE}:scheduling-policy/new"
RESOURCES = {"maxvCpus": 20}
# Sound requests, of which the fuzz spoils a part.
SOUND: Mapping[str, Mapping[str, Any]] = {
    "CreateComputeEnvironment": {
        "computeEnvironmentName": "new",
        "type": "MANAGED",
        "computeResources": {
            "type": "EC2",
            "maxvCpus": 16,
            "subnets": ["subnet-1"],
            "securityGroupIds": ["sg-1"],
            "instanceRole": "ecsInstanceRole",
        },
    },
    "CreateJobQueue": {
        "jobQueueName": "new",
        "priority": 1,
        "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": "main"}],
    },
    "CreateSchedulingPolicy": {"name": "new", "fairsharePolicy": {}},
    "GetJobQueueSnapshot": {"jobQueue": "main"},
    "ListJobs": {"jobQueue": "main"},
    "ListTagsForResource": {"resourceArn": QUEUE},
    "RegisterJobDefinition": {
        "jobDefinitionName": "new",
        "type": "container",
        "containerProperties": CONTAINER,
    },
    "SubmitJob": {"jobName": "a", "jobQueue": "main", "jobDefinition": "simulate"},
    "TagResource": {"resourceArn": QUEUE, "tags": {"a": "b"}},
    "UntagResource": {"resourceArn": QUEUE, "tagKeys": ["a"]},
    "UpdateComputeEnvironment": {"computeEnvironment": "main", "computeResources": RESOURCES},
    "UpdateJobQueue": {"jobQueue": "main"},
    "UpdateSchedulingPolicy": {"arn": POLICY, "fairsharePolicy": {}},
}
INTEGERS = st.sampled_from([0, 1, 2, 60, -1, 100, 10_001, 2**31 - 1, -(2**31), 2**63, 10**400])
STRINGS = st.sampled_from(NAMES)


def values(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values that botocore lets pass, sensible and not."""
    match shape.type_name:
        case "structure":
            return structures(shape, depth)
        case "list":
            return st.lists(values(shape.member, depth + 1), max_size=2)
        case "map":
            return st.dictionaries(STRINGS, values(shape.value, depth + 1), max_size=2)
        case "string":
            return st.sampled_from(shape.enum) if shape.enum else STRINGS
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            return INTEGERS
        case _:
            return st.one_of(INTEGERS, st.floats())


@st.composite
def structures(draw: Any, shape: Shape, depth: int) -> Mapping[str, Any]:
    optional = [name for name in shape.members if name not in shape.required_members]
    chosen = draw(st.lists(st.sampled_from(optional), max_size=2 if depth < 4 else 1, unique=True)
                  if optional else st.just([]))  # fmt: skip
    names = (*(shape.required_members if depth else ()), *chosen)
    return {name: draw(values(shape.members[name], depth + 1)) for name in names}


def spoiled(sound: Mapping[str, Any], drawn: Mapping[str, Any]) -> dict[str, Any]:
    """The sound request with what was drawn in its place, members of structures one by one."""
    made = dict(sound)
    for name, value in drawn.items():
        both = isinstance(value, Mapping) and isinstance(made.get(name), Mapping)
        made[name] = spoiled(made[name], value) if both else value
    return made


@settings(max_examples=12)  # an example is 27 calls and costs 30 ms
@given(st.data())
def test_whatever_is_asked_is_answered_refused_or_not_implemented(data):
    """An exception here is HTTP 500 there; and no timer is wedged by what was accepted."""
    cloud = ready()
    service = cloud.services["batch"]
    for operation, shape in INPUTS.items():
        request = spoiled(SOUND.get(operation, least(shape)), data.draw(structures(shape, 0)))
        if VALIDATOR.invalid(VALIDATOR.operation("batch", operation), request) is not None:
            continue
        try:
            answer = service.handlers[operation](cloud.caller, request)
        except AwsFailure as failure:
            assert 400 <= failure.status < 500 or failure.status == 501  # noqa: PT017
            continue
        if not isinstance(answer, RawJson):
            assert not breaches(answer, MODEL.operation_model(operation).output_shape)
        cloud.step(30)
