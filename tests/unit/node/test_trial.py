"""The trial of an installation: what it does to a cluster, and what it tells of it."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from tests.support.steps import Steps
from tests.support.trial import NAMESPACE, Trial

from awsbatch_node.images import Images
from awsbatch_sandbox.errors import SandboxError


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
    cluster: Any = SimpleNamespace(kubectl=kubectl, images=Images(), resolves_services=True)
    return Trial(cluster, Steps(lambda _: None))


@pytest.mark.parametrize(
    "theirs",
    [
        "customresourcedefinition.apiextensions.k8s.io/batchjobs.awsbatch.dev",
        f"namespace/{NAMESPACE}",
        "clusterrole.rbac.authorization.k8s.io/batch-aws-batch-operator",
    ],
)
def test_a_cluster_with_an_operator_is_refused_and_left_as_it_is(trial, kubectl, theirs):
    kubectl.there = f"namespace/default\n{theirs}\n"
    with pytest.raises(SandboxError, match=f"The cluster has {theirs}"):
        trial.ensure()
    assert [words[0] for words, _ in kubectl.asked] == ["get"]
    assert not trial.may_be_left


def test_a_cluster_without_one_is_taken_and_so_is_one_that_has_ours_by_now(trial, kubectl):
    kubectl.there = "namespace/default\n"
    trial.install_kinds()
    kubectl.there = f"namespace/{NAMESPACE}\n"
    trial.forget()
    trial.install_kinds()
    assert trial.may_be_left


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
