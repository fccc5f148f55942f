"""A commit that changes a definition and adds a job, applied as people apply it."""

import pytest
import yaml
from tests.support import manifests
from tests.support.cluster import is_complete, is_ready, shows
from tests.support.site import opened
from tests.support.whole_life import named

ENVIRONMENT, QUEUE = ("ComputeEnvironment", "pool"), ("JobQueue", "main")
DEFINITION, JOB = ("JobDefinition", "simulate"), ("BatchJob", "added")


@pytest.fixture(scope="module")
def site(control_plane, crds, tmp_path_factory):
    """As everywhere, but nobody has said how long jobs by name wait."""
    with opened(control_plane, tmp_path_factory.mktemp("site")) as site:
        site.start(definition_grace=None)
        yield site


def commit(kubectl, namespace, directory, *bodies):
    """kubectl apply -k."""
    names = [f"{body['kind']}.yaml".lower() for body in bodies]
    for name, body in zip(names, bodies, strict=True):
        (directory / name).write_text(yaml.safe_dump(body))
    kustomization = {"kind": "Kustomization", "namespace": namespace, "resources": names}
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return kubectl("apply", "-k", str(directory)).stdout.splitlines()


def test_a_job_runs_the_definition_of_its_own_commit(site, cluster, control_plane, tmp_path):
    standing = (named(*ENVIRONMENT, manifests.environment()), named(*QUEUE, manifests.queue()))
    before = named(*DEFINITION, manifests.definition("before"))
    commit(control_plane.kubectl, cluster.namespace, tmp_path, *standing, before)
    for each in (ENVIRONMENT, QUEUE, DEFINITION):
        cluster.wait(*each, is_ready, "is Ready")

    after = named(*DEFINITION, manifests.definition("after"))
    job = named(*JOB, manifests.job())
    names = {"jobDefinitionName": f"{cluster.namespace}-*"}
    fault = site.fault("deny", operation="RegisterJobDefinition", match=names)
    applied = commit(control_plane.kubectl, cluster.namespace, tmp_path, *standing, after, job)
    kinds = [line.partition(".")[0] for line in applied]
    assert kinds.index("batchjob") < kinds.index("jobdefinition"), "kustomize orders by kind"

    # However long AWS does not take the change: the time that is given to kubectl is over.
    waits = shows("ReferenceNotReady")
    cluster.wait(*JOB, waits, "waits for what the definition says now", seconds=20)
    site.mend(fault)
    cluster.nudge(*DEFINITION)
    shown = cluster.wait(*JOB, is_complete, "is Complete")["status"]
    assert shown["jobDefinition"] == {"name": "simulate", "revision": 2, "generation": 2}
    (told,) = [each for each in cluster.events(*JOB) if each["reason"] == "Submitted"]
    assert told["note"].endswith(":2, from generation 2 of JobDefinition simulate.")
    arn = shown["jobDefinitionArn"]
    found = site.client("batch").describe_job_definitions(jobDefinitions=[arn])["jobDefinitions"]
    assert found[0]["containerProperties"]["command"] == ["after"]
