"""Our kinds are where the CRDs put them."""

from pathlib import Path

import pytest
import yaml

from awsbatch_operator.api.metadata import GROUP, VERSION, ObjectKey
from awsbatch_operator.kube import paths

CRDS = Path(__file__).resolve().parents[3] / "crds"


def crds() -> list[dict]:
    texts = [path.read_text() for path in sorted(CRDS.glob(f"{GROUP}_*.yaml"))]
    return [yaml.load(text, Loader=yaml.CSafeLoader) for text in texts]


def test_plural_and_scope_of_every_kind_are_those_of_its_crd():
    specs = [crd["spec"] for crd in crds()]
    assert specs
    for spec in specs:
        kind = spec["names"]["kind"]
        assert spec["group"] == GROUP
        assert VERSION in {version["name"] for version in spec["versions"]}
        assert paths.plural(kind) == spec["names"]["plural"]
        assert (kind in paths.CLUSTER_SCOPED) == (spec["scope"] == "Cluster")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            paths.of_object(ObjectKey("JobQueue", "team", "main"), "status"),
            "/apis/awsbatch.dev/v1alpha1/namespaces/team/jobqueues/main/status",
        ),
        (
            paths.of_object(ObjectKey("AWSAccount", "", "default")),
            "/apis/awsbatch.dev/v1alpha1/awsaccounts/default",
        ),
        (paths.of_leases("ops"), "/apis/coordination.k8s.io/v1/namespaces/ops/leases"),
        (paths.of_events("a", "b.1"), "/apis/events.k8s.io/v1/namespaces/a/events/b.1"),
    ],
)
def test_paths_are_those_of_the_api(path: str, expected: str):
    assert path == expected


def test_a_name_cannot_lead_elsewhere():
    assert paths.of_namespace("a/../b?c").endswith("/namespaces/a%2F..%2Fb%3Fc")
