"""When a finished job is deleted, and what keeps it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.kinds.batchjob.jobs import KEY, NOW, SPEC, first_submission, job

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.engine.packing import trimmed
from awsbatch_operator.kinds.batchjob.over import job_is_over
from awsbatch_operator.kinds.batchjob.ttl import expires, is_told, told, tracked_by

ARGO = "argocd.argoproj.io/tracking-id"
OWN = f"science:awsbatch.dev/BatchJob:{KEY.namespace}/{KEY.name}"


def ended(seconds: int | None = 60, name: str = "Complete", **changes: Any) -> Resource:
    """A job that has ended, with that ttl."""
    record = first_submission()
    conditions = [
        {
            "type": name,
            "status": "True",
            "reason": "Succeeded",
            "message": "",
            "observedGeneration": 1,
            "lastTransitionTime": NOW.plus(5).rfc3339(),
        }
    ]
    spec = {**SPEC} if seconds is None else {**SPEC, "ttlSecondsAfterFinished": seconds}
    made = job(submission=record, job_id="job-1", spec=spec)
    status = {**made.status, "observedGeneration": 1, "conditions": conditions}
    return replace(made, status=status, **changes)


def test_it_counts_from_the_end_as_aws_tells_it_or_else_from_when_it_was_seen():
    assert expires(ended()) == NOW.plus(65)
    told_by_aws = {**ended().status, "completionTime": NOW.plus(1).rfc3339()}
    assert expires(replace(ended(), status=told_by_aws)) == NOW.plus(61)
    assert expires(ended(0, "Failed")) == NOW.plus(5)


@pytest.mark.parametrize(
    "kept",
    [
        ended(None),
        ended(deleting=True),
        ended(generation=2),
        ended(annotations={"awsbatch.dev/paused": "true"}),
        ended(annotations={ARGO: OWN}),
        replace(ended(), status={}),
    ],
)
def test_what_keeps_it(kept):
    assert expires(kept) is None


TRACKED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "by Argo CD": ({"annotations": {ARGO: OWN}}, "Argo CD"),
    "by Argo CD, of a group of apps": ({"annotations": {ARGO: f"ns_{OWN}"}}, "Argo CD"),
    "a copy of such a one": (
        {"annotations": {ARGO: OWN.replace(KEY.name, "other")}},
        "",
    ),
    "a Kustomization's": ({"labels": {"kustomize.toolkit.fluxcd.io/name": "x"}}, "Flux"),
    "a HelmRelease's": ({"labels": {"helm.toolkit.fluxcd.io/name": "x"}}, "Flux"),
    "a ResourceSet's": ({"labels": {"resourceset.fluxcd.controlplane.io/name": "x"}}, "Flux"),
    "Helm's, which no tool keeps": ({"labels": {"app.kubernetes.io/instance": "x"}}, ""),
    "by Argo CD, seen by its manager": ({"managers": ("argocd-controller",)}, "Argo CD"),
    "by Flux, seen by its manager": ({"managers": ("kustomize-controller",)}, "Flux"),
    "a person's": ({"managers": ("kubectl-client-side-apply",)}, ""),
}


@pytest.mark.parametrize(("metadata", "tool"), TRACKED.values(), ids=TRACKED)
def test_who_keeps_it_as_git_says(metadata, tool):
    resource = ended(**metadata)
    assert tracked_by(resource) == tool
    assert bool(told(resource)) == bool(tool)
    for text, counts in (("true", True), (" True ", True), ("false", False), ("", False)):
        said = {"awsbatch.dev/ttl-with-gitops": text}
        free = replace(resource, annotations={**resource.annotations, **said})
        assert (expires(free) is not None) == (counts or not tool)


def test_managers_that_keep_to_git_are_all_that_is_held_of_managed_fields():
    managers = ["kubectl", "argocd-controller", "awsbatch-operator", "argocd-controller"]
    fields = [{"manager": name, "fieldsV1": {"f:spec": {}}} for name in managers]
    kept = trimmed({"metadata": {"managedFields": fields}})["metadata"]
    assert kept == {"managedFields": [{"manager": "argocd-controller"}]}
    assert trimmed({"metadata": {"managedFields": fields[:1]}})["metadata"] == {}


def test_a_finished_job_is_looked_at_once_more_when_its_labels_say_otherwise_than_its_status():
    assert job_is_over(ended())
    tracked = ended(labels={"kustomize.toolkit.fluxcd.io/name": "x"})
    assert not is_told(tracked)
    assert not job_is_over(tracked)
    (condition,) = told(tracked)
    shown = {"type": condition.type, "status": "True", "reason": condition.reason}
    status = {**tracked.status, "conditions": [*tracked.status["conditions"], shown]}
    assert job_is_over(replace(tracked, status=status))
    assert not job_is_over(replace(tracked, status=status, labels={}))
