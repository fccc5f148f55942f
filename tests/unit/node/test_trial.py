"""The trial of an installation: what it does to a cluster, and what it tells of it."""

import json
from types import SimpleNamespace

import pytest
from tests.support.steps import Steps
from tests.support.trial import Trial

from awsbatch_node.images import Images


class Kubectl:
    """Notes down what it is asked to do, and does nothing."""

    def __init__(self):
        self.asked = []
        self.there = ""  # what any `get` finds

    def __call__(self, *words, input=None, check=True):  # noqa: A002 - as in Kubectl
        self.asked.append((words, input))
        return SimpleNamespace(stdout=self.there if words[0] == "get" else "", stderr="")


@pytest.fixture
def kubectl():
    return Kubectl()


@pytest.fixture
def trial(kubectl):
    cluster = SimpleNamespace(kubectl=kubectl, images=Images(), resolves_services=True)
    return Trial(cluster, Steps(lambda _: None))


def test_no_key_is_in_a_command_line(trial, kubectl):
    trial.install()
    [secret] = [json.loads(given) for words, given in kubectl.asked if given and "Secret" in given]
    keys = secret["stringData"].values()
    assert sorted(map(len, keys)) == [20, 40, 64]
    kubectl.there = json.dumps({"data": secret["stringData"]})
    trial.give_keys("team", "--as=alice")
    (words, given) = kubectl.asked[-1]
    assert "--as=alice" in words
    assert json.loads(given)["metadata"] == {"name": "aws-batch-simulator", "namespace": "team"}
    assert not any(key in " ".join(words) for words, _ in kubectl.asked for key in keys)
