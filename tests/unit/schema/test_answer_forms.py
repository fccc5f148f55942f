"""What AWS answers for what was registered is the same content, and nothing else is."""

import pytest
from tests.support.answer_forms import (
    ANSWERS,
    APP,
    INIT,
    container,
    limited,
    pod,
    retried,
    task,
)

from awsbatch_operator.schema.canonical import canonical, differences
from awsbatch_operator.schema.request import registrable

# Two contents that only look alike.
OTHERS = {
    "an action": (retried("RETRY"), retried("exit")),
    "a variable's value": (
        container(environment=[{"name": "A", "value": "1"}]),
        container(environment=[]),
    ),
    "a pod's variable": (
        pod({"image": "b", "env": [{"name": "A"}]}),
        pod({"image": "b", "env": []}),
    ),
    "another path of a device": (
        container(linuxParameters={"devices": [{"hostPath": "/dev/a"}]}),
        container(linuxParameters={"devices": [{"hostPath": "/dev/a", "containerPath": "/dev/b"}]}),
    ),
    "fewer permissions": (
        container(linuxParameters={"devices": [{"hostPath": "/dev/a"}]}),
        container(linuxParameters={"devices": [{"hostPath": "/dev/a", "permissions": ["READ"]}]}),
    ),
    "requests below the limits": (pod(limited()), pod(limited(requests={"cpu": "0.5"}))),
    "another DNS policy": (pod(limited()), pod(limited(), dnsPolicy="ClusterFirst")),
    "an image that is always pulled": (
        pod({"image": "b:1"}),
        pod({"image": "b:1", "imagePullPolicy": "Always"}),
    ),
    "a named container": (pod({"image": "b"}), pod({"image": "b", "name": "main"})),
    "a condition of what is waited for": (
        task(APP, INIT),
        task({**APP, "dependsOn": [{"containerName": "init", "condition": "START"}]}, INIT),
    ),
    "the order of init containers": (
        pod(
            {"image": "b"},
            initContainers=[{"name": "a", "image": "b"}, {"name": "c", "image": "d"}],
        ),
        pod(
            {"image": "b"},
            initContainers=[{"name": "c", "image": "d"}, {"name": "a", "image": "b"}],
        ),
    ),
    "more memory, written as earlier": (
        container(),
        {
            "type": "container",
            "containerProperties": {"image": "busybox:1.36", "vcpus": 1, "memory": 4096},
        },
    ),
}


@pytest.mark.parametrize("form", ANSWERS)
def test_what_aws_answers_for_a_spec_is_the_spec(form):
    spec, answer = ANSWERS[form]
    assert differences(spec, answer) == ()
    assert canonical(spec) == canonical(answer)
    assert canonical(canonical(answer)) == canonical(answer)


@pytest.mark.parametrize("form", ANSWERS)
def test_what_is_registered_is_the_spec_without_what_is_empty(form):
    for content in ANSWERS[form]:
        request = registrable(content)
        assert canonical(request) == canonical(content)
        assert nothing_in(request) == []


@pytest.mark.parametrize("what", OTHERS)
def test_what_only_looks_alike_is_another_content(what):
    one, other = OTHERS[what]
    assert differences(one, other)
    assert differences(other, one)
    assert canonical(one) != canonical(other)


def nothing_in(value, path=""):
    """Where a request has members that say nothing."""
    if isinstance(value, dict):
        found = [
            place for name, each in value.items() for place in nothing_in(each, f"{path}.{name}")
        ]
        silent = [f"{path}.{name}" for name, each in value.items() if each in ([], {}, "", None)]
        return [*found, *(place for place in silent if not place.endswith("emptyDir"))]
    if isinstance(value, list):
        return [place for each in value for place in nothing_in(each, path)]
    return []
