"""The cluster query language. Source: "Cluster query language" in the ECS developer guide."""

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.simulator.cloud import Cloud

from awsbatch_simulator.ecs.model import ContainerInstance, Task, TaskStatus
from awsbatch_simulator.ecs.patterns import Pattern
from awsbatch_simulator.ecs.query import matcher
from awsbatch_simulator.errors import AwsFailure

REGISTERED = datetime(2018, 2, 12, 23, 59, 59, tzinfo=UTC)


def instance() -> ContainerInstance:
    """An instance with a running and a pending task of the definition `simulate`."""
    attributes = {
        "ecs.instance-type": "g2.2xlarge",
        "ecs.availability-zone": "us-east-1a",
        "cores": "16",
        "pool": "main",
        "empty": "",
    }
    made = ContainerInstance(
        arn="arn:aws:ecs:us-east-1:111122223333:container-instance/c/1",
        ec2_instance_id="i-abcd1234",
        cpu=2048,
        memory=4096,
        registered_at=REGISTERED.timestamp(),
        attributes=[{"name": name, "value": value} for name, value in attributes.items()],
    )
    job: Any = SimpleNamespace(definition=SimpleNamespace(name="simulate"))
    cluster: Any = None
    for number, status in enumerate((TaskStatus.RUNNING, TaskStatus.PENDING)):
        made.tasks[str(number)] = Task(
            str(number), str(number), cluster, job, 1, 1, created_at=0, status=status
        )
    return made


EXPRESSIONS = [
    ("", True),
    ("attribute:ecs.instance-type == g2.2xlarge", True),
    ("attribute:ecs.instance-type equals t2.small", False),
    ("attribute:ecs.availability-zone in [us-east-1a, us-east-1b]", True),
    ("attribute:ecs.availability-zone !in [us-east-1a, us-east-1b]", False),
    ("attribute:ecs.availability-zone not_in ['us-east-1c']", True),
    (
        "attribute:ecs.instance-type =~ g2.* and attribute:ecs.availability-zone != us-east-1d",
        True,
    ),
    ("attribute:ecs.instance-type =~ g2", False),
    ("attribute:ecs.instance-type matches '(t2|g2)[.][0-9]xlarge'", True),
    ("attribute:ecs.instance-type !~ t2.*", True),
    ("attribute:ecs.instance-type not_matches g2.*", False),
    ("task:group == service:production", False),
    ("task:group == family:simulate", True),
    ("not(task:group == database)", True),
    ("!(task:group == family:simulate)", False),
    ("task:group exists", True),
    ("runningTasksCount == 1", True),
    ("runningTasksCount > 1", False),
    ("runningTasksCount>=1", True),
    ("runningTasksCount < 10", True),
    ("agentVersion < 1.14.5", False),
    ("agentVersion >= 1.99.99", True),
    ("agentVersion == 1.100.0", True),
    ("registeredAt < 2018-02-13", True),
    ("registeredAt >= 2018-02-12T23:59:59Z", True),
    ("registeredAt >= 2018-02-12T23:59:59+00:00", True),
    ("registeredAt > 2018-02-12T23:59:59", False),
    ("ec2InstanceId in ['i-abcd1234', 'i-wxyx7890']", True),
    ('ec2InstanceId in ["i-wxyx7890"]', False),
    ("ec2InstanceId == i-abcd1234", True),
    ("agentConnected == true", True),
    ("agentConnected != true", False),
    ("attribute:pool exists", True),
    ("attribute:empty exists", True),
    ("attribute:nothing exists", False),
    ("attribute:nothing !exists", True),
    ("attribute:nothing not_exists", True),
    ("attribute:nothing == main", False),
    ("attribute:nothing != main", True),
    ("attribute:cores > 9", True),
    ("attribute:cores less_than 9", False),
    ("attribute:pool greater_than_equal main", True),
    # `and` binds closer than `or`; parentheses say otherwise.
    ("attribute:pool == main or attribute:a == b and attribute:c == d", True),
    ("(attribute:pool == main or attribute:a == b) and attribute:c == d", False),
    ("attribute:a == b || attribute:pool == main && attribute:cores == 16", True),
    ("attribute:a==b||attribute:pool==main", True),
    ("not attribute:pool == main or attribute:cores == 16", True),
    ("not (attribute:pool == main or attribute:cores == 16)", False),
    ("not not attribute:pool == main", True),
    ("  ( ( attribute:pool == main ) )  ", True),
]
SENSELESS = [
    "what ever",
    "colour == blue",
    "attribute: == x",
    "attribute:pool",
    "attribute:pool ==",
    "attribute:pool == a b",
    "attribute:pool == main and",
    "or attribute:pool == main",
    "attribute:pool == main attribute:cores == 16",
    "(attribute:pool == main",
    "attribute:pool == main)",
    "attribute:pool in main",
    "attribute:pool in [main",
    "attribute:pool in []",
    "attribute:pool in [a,]",
    "attribute:pool == 'main",
    "attribute:pool is main",
    "attribute:pool =~ *",
    "attribute:pool =~ '(a'",
    "attribute:pool =~ 'a)'",
    "attribute:pool =~ [z-a]",
    "agentConnected > true",
    "agentVersion in [1.14.5]",
    "agentVersion < new",
    "agentVersion exists",
    "ec2InstanceId < i-1",
    "registeredAt < yesterday",
    "registeredAt < 2018-02-30",
    "registeredAt =~ 2018.*",
    "runningTasksCount == many",
    "runningTasksCount == 1.5",
    "not",
    "()",
    "(" * 100_000,
    "not " * 100_000,
]


@pytest.mark.parametrize(("expression", "matches"), EXPRESSIONS)
def test_an_expression_means_what_the_guide_says(expression, matches):
    assert matcher(expression)(instance()) is matches


@pytest.mark.parametrize("expression", SENSELESS, ids=lambda text: text[:40])
def test_an_expression_without_meaning_is_refused(expression):
    with pytest.raises(AwsFailure) as refusal:
        matcher(expression)
    assert refusal.value.code == "InvalidParameterException"
    assert len(refusal.value.message) < 300


@pytest.mark.parametrize("expression", ["a{2}", "(?=a)", "a++", r"\p{L}", "[a&&b]", r"\1"])
def test_what_only_java_knows_of_regular_expressions_is_said_not_guessed(expression):
    with pytest.raises(AwsFailure) as refusal:
        matcher(f"attribute:pool =~ '{expression}'")
    assert (refusal.value.code, refusal.value.status) == ("NotImplemented", 501)


@given(
    st.text(alphabet="ab.*+?|()^$", max_size=10),
    st.lists(st.text(alphabet="ab.", max_size=6), max_size=4),
)
@example("(a*)*b", ["aab", "aaa"])
@example("(a|b*)+", ["", "abba"])
def test_a_pattern_matches_as_pythons_own_matcher_does(expression, texts):
    # Anchors inside a pattern could fail there; here they are no more than what a whole match says.
    plain = re.sub(r"[\^$]", "", expression)
    try:
        reference = re.compile(plain)
        pattern = Pattern(plain)
    except (re.error, AwsFailure):
        return
    for text in texts:
        assert pattern.matches(text) is (reference.fullmatch(text) is not None)


def test_a_pattern_takes_no_longer_the_worse_it_is():
    assert not Pattern("(a*)*" * 20 + "b").matches("a" * 200)
    assert Pattern("a*" * 50).matches("a" * 200)


@given(st.text(alphabet=st.sampled_from("()[]!=~<>&|' ,.:abin"), max_size=30))
def test_no_text_does_more_than_be_refused(text):
    with contextlib.suppress(AwsFailure):
        matcher(text)(instance())


def test_instances_are_listed_by_filter_before_they_are_paged(registered_pair):
    cloud, where, ids, arns = registered_pair
    listed = cloud("ListContainerInstances", **where, filter=f"ec2InstanceId in ['{ids[1]}']")
    assert listed == {"containerInstanceArns": [arns[1]]}
    assert cloud.refused("ListContainerInstances", **where, filter="colour == blue").startswith(
        "InvalidParameterException: Invalid filter subject: colour"
    )


Pair = tuple[Cloud, dict[str, Any], list[str], list[str]]


@pytest.fixture
def registered_pair() -> Pair:
    cloud = Cloud()
    cloud("CreateCluster", clusterName="mine")
    launched = cloud(
        "RunInstances", ImageId="ami-1", InstanceType="m7i.large", MinCount=2, MaxCount=2
    )
    cloud.step(20)
    ids = [each["InstanceId"] for each in launched["Instances"]]
    register: Callable[..., dict[str, Any]] = cloud
    arns = [
        register(
            "RegisterContainerInstance",
            cluster="mine",
            instanceIdentityDocument=f'{{"instanceId": "{each}"}}',
            totalResources=[
                {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
                {"name": "MEMORY", "type": "INTEGER", "integerValue": 4096},
            ],
        )["containerInstance"]["containerInstanceArn"]
        for each in ids
    ]
    return cloud, {"cluster": "mine"}, ids, arns
