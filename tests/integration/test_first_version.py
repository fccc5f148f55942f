"""What the first version stored, the API server takes whole with the CRDs of this one."""

import json

import pytest
from tests.support.api_server import ApiServer
from tests.support.first_version import PATH

from awsbatch_operator.kube import paths

OBJECTS = json.loads(PATH.read_text())["objects"]
SERVERS = ("uid", "resourceVersion", "creationTimestamp", "generation")


@pytest.fixture
def api(control_plane, crds, namespace):
    with ApiServer(control_plane) as api:
        yield api


@pytest.mark.parametrize(
    "recorded", OBJECTS, ids=lambda body: f"{body['kind']}-{body['metadata']['name']}"
)
def test_nothing_of_it_is_refused_or_dropped(api, namespace, recorded):
    kind = recorded["kind"]
    metadata = {k: v for k, v in recorded["metadata"].items() if k not in SERVERS}
    if "namespace" in metadata:
        metadata["namespace"] = namespace
    status, made = api.create(paths.plural(kind), {**recorded, "metadata": metadata}, dry_run=False)
    assert status == 201, made
    told = {**made, "status": recorded["status"]}
    status, shown = api.replace_status(paths.plural(kind), told)
    assert status == 200, shown
    assert shown["spec"] == recorded["spec"]
    assert shown["status"] == recorded["status"]
    for name in ("annotations", "finalizers"):
        assert shown["metadata"].get(name) == recorded["metadata"].get(name)
