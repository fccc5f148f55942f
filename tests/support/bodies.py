"""Manifests of the kinds that the quickstart does not have."""

from typing import Any

ACCOUNT_BODY: dict[str, Any] = {
    "apiVersion": "awsbatch.dev/v1alpha1",
    "kind": "AWSAccount",
    "metadata": {"name": "research"},
    "spec": {"region": "eu-central-1", "allowedNamespaces": {"matchLabels": {"team": "climate"}}},
}
IMAGE_BODY: dict[str, Any] = {  # a launch template is enough
    "apiVersion": "awsbatch.dev/v1alpha1",
    "kind": "ExtendedAMI",
    "metadata": {"name": "larger", "namespace": "default"},
    "spec": {"base": {"family": "AL2023"}, "rootVolume": {"sizeGiB": 111}},
}
_TEXT: dict[str, Any] = {
    "name": "a",
    "contentFrom": {"configMapKeyRef": {"name": "none", "key": "a"}},
}
SCRIPTED_BODY: dict[str, Any] = {  # it waits for a ConfigMap
    **IMAGE_BODY,
    "metadata": {"name": "scripted", "namespace": "default"},
    "spec": {"base": {"family": "AL2023"}, "scripts": [_TEXT]},
}
POLICY_BODY: dict[str, Any] = {
    "apiVersion": "awsbatch.dev/v1alpha1",
    "kind": "SchedulingPolicy",
    "metadata": {"name": "fair"},
    "spec": {
        "accountRef": {"name": "research"},
        "fairsharePolicy": {"shareDecaySeconds": 600},
    },
}
