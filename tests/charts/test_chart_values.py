"""What may be set in the chart's values arrives where it belongs, and nothing else is taken."""

import json
from typing import Any

import pytest
from tests.support.charts import (
    DIGEST,
    EVERYTHING,
    LAB,
    NAME,
    NAMESPACE,
    NOTHING,
    OPERATOR,
    REGISTRY,
    compared,
    only,
    pod,
)

from awsbatch_operator.command_line import parser, settings_from
from awsbatch_operator.settings import VARIABLE, Settings

# Every flag, not as it is by itself.
FLAGS: dict[str, Any] = {
    "clusterId": "lab-1",
    "namespaces": ["a", "b"],
    "leaseSeconds": 60,
    "awsConnectTimeout": 2.5,
    "awsReadTimeout": 9,
    "awsThreads": 64,
    "region": "eu-central-1",
    "allowedRoleArns": [],
    "allowedExternalArns": ["arn:aws:ec2:*"],
    "allowedRegions": ["us-east-1", "us-west-2"],
    "allowAdoption": True,
    "prices": ["m5.large=0.08", "Spot:eu-west-1a/m5.large=0.03"],
    "interruptionQueue": "arn:aws:sqs:eu-north-1:111122223333:hosts",
    "eventQueue": "https://sqs.eu-north-1.amazonaws.com/111122223333/jobs",
    "settlingSeconds": 90,
    "definitionGrace": 0,
    "maxEnvironments": 10000,
    "maxQueues": 500,
    "resyncSeconds": 300,
    "pollScale": 0.5,
    "workers": 32,
    "listenHost": "127.0.0.1",
    "drainSeconds": 12,
    "statusLogLines": False,
    "logFormat": "human",
    "logLevel": "debug",
}


def flags(bodies):
    """What the ConfigMap gives the operator."""
    [settings] = [body for body in bodies if body["kind"] == "ConfigMap"]
    return settings["data"]


def test_a_cluster_without_a_name_is_refused_in_words(helm):
    refused = helm("template", NAME, str(OPERATOR), check=False)
    assert refused.returncode != 0
    assert "settings.clusterId is empty. Give this cluster a name" in refused.stderr


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"replcas": 3}, "replcas"),
        ({"settings": {"clusterId": "lab", "eventQ": "q"}}, "eventQ"),
        ({**LAB, "replicas": "two"}, "replicas"),
        ({**LAB, "image": {"digest": "latest"}}, "digest"),
        ({"settings": {"clusterId": "lab", "workers": 0}}, "workers"),
    ],
)
def test_what_there_is_not_or_makes_no_sense_is_refused(helm, values, says):
    refused = helm("template", NAME, str(OPERATOR), values=values, check=False)
    assert refused.returncode != 0
    assert says in refused.stderr


def test_every_flag_arrives_as_it_was_set(helm):
    given = flags(helm.render({"settings": FLAGS}))
    settings = settings_from(
        parser().parse_args(["run"]), {VARIABLE + name: text for name, text in given.items()}
    )
    assert Settings.model_fields.keys() - settings.model_fields_set == {
        "lease_name",
        "listen_port",
        "exclude_namespaces",  # which does not go with namespaces
    }
    words = (
        f"--{flag(name)}={','.join(value) if isinstance(value, list) else value}"
        for name, value in FLAGS.items()
    )
    assert settings == settings_from(parser().parse_args(["run", *words]), {})


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            {"namespaced": True, "settings": {"namespaces": ["a"]}},
            "leave settings.namespaces out",
        ),
        (
            {"namespaced": True, "settings": {"excludeNamespaces": ["a"]}},
            "leave settings.excludeNamespaces out",
        ),
        (
            {"settings": {"namespaces": ["a"], "excludeNamespaces": ["b"]}},
            "Give one of settings.namespaces and settings.excludeNamespaces",
        ),
        (
            {"serviceMonitor": {"enabled": True}, "service": {"enabled": False}},
            "serviceMonitor needs the Service",
        ),
        (
            {"serviceAccount": {"create": False, "name": "mine", "roleArn": "arn:a"}},
            "give them to the one that there is",
        ),
    ],
)
def test_what_cannot_be_together_is_refused_in_words(helm, values, says):
    together = {**values, "settings": {"clusterId": "lab", **values.get("settings", {})}}
    refused = helm("template", NAME, str(OPERATOR), values=together, check=False)
    assert refused.returncode != 0
    assert says in refused.stderr


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "all namespaces as"),
        ({"namespaces": ["a", "b"]}, "the namespaces a, b as"),
        ({"excludeNamespaces": ["a", "b"]}, "all namespaces but a, b as"),
    ],
)
def test_the_notes_say_which_namespaces_are_served(helm, settings, says):
    values = {"settings": {"clusterId": "lab", **settings}}
    shown = helm("install", NAME, str(OPERATOR), "--dry-run=client", values=values)
    assert f"The operator serves {says} cluster lab." in shown.stdout


@pytest.mark.parametrize("seconds", [None, 1, 13, 20.5, 120])
def test_a_pod_is_given_the_time_that_its_calls_may_take(helm, seconds):
    given = {} if seconds is None else {"drainSeconds": seconds}
    grace = pod(helm.render({"settings": {"clusterId": "lab", **given}}))[
        "terminationGracePeriodSeconds"
    ]
    drained = Settings.model_fields["drain_seconds"].default if seconds is None else seconds
    assert isinstance(grace, int)
    assert grace >= drained + 15


def test_an_empty_list_lets_nobody_read_the_metrics(helm):
    """To Kubernetes an empty `from` is anybody."""
    bodies = helm.render({**LAB, "networkPolicy": {"metricsFrom": []}})
    assert not only(bodies, "NetworkPolicy")["spec"].get("ingress")


def test_other_settings_are_other_pods(helm):
    one, other = (
        only(helm.render({"settings": {"clusterId": name}}), "Deployment")["spec"]["template"]
        for name in ("one", "other")
    )
    assert one["metadata"]["annotations"] != other["metadata"]["annotations"]
    assert one["spec"] == other["spec"]


def test_every_option_reaches_what_it_is_about(helm):
    bodies = helm.render(EVERYTHING)
    found, [container] = pod(bodies), pod(bodies)["containers"]
    deployment = only(bodies, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    for name in (
        "priorityClassName",
        "tolerations",
        "affinity",
        "topologySpreadConstraints",
        "imagePullSecrets",
    ):
        assert found[name] == EVERYTHING[name]
    assert found["nodeSelector"] == {
        "kubernetes.io/os": "linux",  # Helm adds maps together
        "kubernetes.io/arch": "arm64",
    }
    assert container["image"] == f"{REGISTRY}@{DIGEST}"
    assert container["imagePullPolicy"] == "Always"
    assert EVERYTHING["extraEnv"][0] in container["env"]
    assert EVERYTHING["extraVolumeMounts"][0] in container["volumeMounts"]
    assert EVERYTHING["extraVolumes"][0] in found["volumes"]
    assert labels["team"] == "infra"
    assert found["securityContext"]["runAsUser"] == 1001
    assert (deployment["metadata"]["name"], found["serviceAccountName"]) == ("batch", "batch")
    account = only(bodies, "ServiceAccount")["metadata"]["annotations"]
    assert account == {"a": "b", "eks.amazonaws.com/role-arn": "arn:a"}
    assert only(bodies, "PodDisruptionBudget")["spec"]["maxUnavailable"] == "50%"
    assert only(bodies, "NetworkPolicy")["spec"]["ingress"][0]["from"] == [{"podSelector": {}}]
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert only(bodies, kind)["metadata"]["labels"]["release"] == "prometheus"


def test_what_is_turned_off_is_not_there(helm):
    kinds = sorted(body["kind"] for body in helm.render(NOTHING))
    assert kinds == ["ConfigMap", "Deployment"]
    assert pod(helm.render(NOTHING))["serviceAccountName"] == "mine"


def test_a_key_that_is_null_goes(helm):
    values = {**LAB, "podSecurityContext": {"seccompProfile": None}}
    assert pod(helm.render(values))["securityContext"] == {"runAsNonRoot": True}


def test_two_releases_share_no_name_and_no_lease(helm):
    one, other = (compared(helm.render(LAB, release=name)) for name in ("batch", NAME))
    assert not one.keys() & other.keys()
    assert one["ConfigMap", f"batch-{NAME}-settings"]["data"]["lease-name"] == f"batch-{NAME}"
    [named] = [
        json.loads(rule)["resourceNames"]
        for rule in one["Role", f"batch-{NAME}-lease"]["rules"]
        if "resourceNames" in rule
    ]
    assert named == [f"batch-{NAME}"]


def test_the_release_is_in_no_other_namespace(helm):
    for values in (LAB, EVERYTHING, {**LAB, "namespaced": True}):
        places = {body["metadata"].get("namespace", NAMESPACE) for body in helm.render(values)}
        assert places == {NAMESPACE}


def flag(name):
    """allowedRegions -> allowed-regions."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
