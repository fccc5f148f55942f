"""Chart and kustomization make the same, and everything that they make is sound."""

import pytest
import yaml
from tests.support.charts import (
    CRDS,
    DEPLOY,
    DIGEST,
    EVERYTHING,
    LAB,
    NAME,
    NOTHING,
    OPERATOR,
    REGISTRY,
    built,
    compared,
    composed,
    documents,
    only,
    pod,
)

from awsbatch_operator.generate import KEPT
from awsbatch_sandbox.paths import REPOSITORY

MONITORED = ["monitoring", "dashboards"]
PLACEHOLDER = {"settings": {"clusterId": "REPLACE_ME"}}
IN_AWS = {
    **PLACEHOLDER,
    "image": {"repository": REGISTRY},
    "serviceAccount": {"roleArn": "arn:aws:iam::111122223333:role/aws-batch-operator"},
}


class TestTheSame:
    def test_as_the_base(self, helm, kubectl):
        chart = compared(helm.render(LAB))
        settings = chart.pop(("ConfigMap", f"{NAME}-settings"))
        assert settings["data"] == {"cluster-id": "lab"}
        assert chart == compared(built(kubectl, DEPLOY / "base"))

    def test_as_the_overlay_for_aws(self, helm, kubectl):
        overlay = compared(built(kubectl, DEPLOY / "overlays" / "aws"))
        assert compared(helm.render(IN_AWS)) == overlay

    def test_as_the_overlay_for_one_namespace(self, helm, kubectl):
        overlay = compared(built(kubectl, DEPLOY / "overlays" / "namespaced"))
        values = {**PLACEHOLDER, "image": {"repository": REGISTRY}, "namespaced": True}
        chart = compared(helm.render(values))
        for side in (overlay, chart):
            # The overlay has it beside the base, and so without all of its labels.
            del side["RoleBinding", NAME]["metadata"]["labels"]
        assert chart == overlay

    def test_as_the_base_with_monitoring(self, helm, kubectl, tmp_path):
        values = {
            **LAB,
            **{
                each: {"enabled": True}
                for each in ("serviceMonitor", "prometheusRule", "dashboards")
            },
        }
        chart = compared(helm.render(values))
        del chart["ConfigMap", f"{NAME}-settings"]
        kustomized = composed(kubectl, tmp_path / "monitored", components=MONITORED)
        assert chart == compared(kustomized)
        assert ("PrometheusRule", NAME) in chart
        assert ("ConfigMap", f"{NAME}-aws-calls") in chart

    def test_an_image_by_digest(self, helm, kubectl, tmp_path):
        bodies = helm.render({**LAB, "image": {"repository": REGISTRY, "digest": DIGEST}})
        image = {"name": NAME, "newName": REGISTRY, "digest": DIGEST}
        kustomized = composed(kubectl, tmp_path / "digest", images=[image])
        [one], [other] = pod(bodies)["containers"], pod(kustomized)["containers"]
        assert one["image"] == other["image"] == f"{REGISTRY}@{DIGEST}"

    def test_the_crds(self, helm):
        """But for the annotation by which they are kept when the chart is uninstalled."""
        rendered = {}
        for crd in helm.render({}, chart=CRDS):
            if crd["kind"] != "CustomResourceDefinition":
                continue
            annotations = crd["metadata"].pop("annotations")
            assert annotations == KEPT == {"helm.sh/resource-policy": "keep"}
            rendered[crd["metadata"]["name"]] = crd
        paths = (REPOSITORY / "crds").glob("awsbatch.dev_*.yaml")
        files = [yaml.load(path.read_text(), yaml.CSafeLoader) for path in paths]
        assert rendered == {crd["metadata"]["name"]: crd for crd in files}

    def test_what_a_cluster_administrator_applies_with_the_crds(self, helm, kubectl):
        chart, kustomized = (
            compared([body for body in bodies if body["kind"] != "CustomResourceDefinition"])
            for bodies in (helm.render({}, chart=CRDS), built(kubectl, DEPLOY / "crds"))
        )
        for body in chart.values():
            assert body["metadata"].pop("annotations") == KEPT
        assert chart == kustomized

    def test_the_crds_of_an_older_kubernetes_name_no_fields_for_selectors(self, helm):
        bodies = helm.render({}, "--kube-version", "1.30.4", chart=CRDS)
        crds = [body["spec"] for body in bodies if body["kind"] == "CustomResourceDefinition"]
        versions = [version for crd in crds for version in crd["versions"]]
        assert len(versions) == 7
        assert not [each for each in versions if "selectableFields" in each]


class TestSound:
    @pytest.mark.parametrize("chart", [OPERATOR, CRDS], ids=lambda path: path.name)
    def test_helm_finds_nothing_to_say(self, helm, chart):
        said = helm("lint", "--strict", str(chart)).stdout
        assert "0 chart(s) failed" in said

    def test_everything_has_the_schema_of_its_kind(self, helm, kubectl, conform, tmp_path):
        overlays = sorted((DEPLOY / "overlays").iterdir())
        values = [LAB, IN_AWS, {**PLACEHOLDER, "namespaced": True}, EVERYTHING, NOTHING]
        bodies = [
            body
            for folder in (DEPLOY / "base", DEPLOY / "crds", *overlays)
            for body in built(kubectl, folder)
        ]
        bodies += [body for each in values for body in helm.render(each)]
        bodies += helm.render({}, chart=CRDS)
        bodies += composed(kubectl, tmp_path / "monitored", components=MONITORED)
        for path in REPOSITORY.glob("examples/**/*.yaml"):
            bodies += [
                each
                for each in documents(path.read_text())
                if "metadata" in each and not each["apiVersion"].startswith("argoproj.io/")
            ]
        report = conform(bodies)
        assert [each for each in report["resources"] if each["status"] != "statusValid"] == []
        assert report["summary"]["valid"] == len(bodies) > 150

    @pytest.mark.parametrize(
        "change", [{"replica": 2}, {"replicas": "two"}, {"template": {"spec": {"hostNet": True}}}]
    )
    def test_what_has_not_that_schema_is_found(self, helm, conform, change):
        deployment = only(helm.render(LAB), "Deployment")
        deployment["spec"] |= change
        assert conform([deployment])["summary"]["invalid"] == 1
