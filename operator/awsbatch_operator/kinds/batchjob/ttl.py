"""When a finished BatchJob is deleted: so many seconds after its end (pure).

Not one that Argo CD or Flux keep as Git says: they would create it again, and it would run again,
for ever. Only who knows that the tool does not create it again can say so, by an annotation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.conditions import TTL_IGNORED, ExtraCondition, condition, is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import TTL_WITH_GITOPS, Resource, Shape
from awsbatch_operator.kinds.contract import KindStatus

ARGO_CD, FLUX = "Argo CD", "Flux"

# Argo CD writes it on all that it tracks by annotation, its default: `app:group/kind:ns/name`. Of
# an object with another name it came along with a copy, and Argo CD does not count it.
# Source: argoproj/argo-cd, docs/user-guide/resource_tracking.md.
_TRACKING_ID = "argocd.argoproj.io/tracking-id"
# Flux's Kustomizations, HelmReleases and ResourceSets label all that they apply with who they are.
# Source: fluxcd.io, "Garbage collection" of kustomize-controller; Flux Operator, ResourceSet API.
_FLUX_LABELS = (".toolkit.fluxcd.io/name", ".fluxcd.controlplane.io/name")


def expires(resource: Resource) -> Instant | None:
    """When the object is to be deleted; None: not by us, or not before something changes.

    Whether it has ended for good (`job_is_over`) is for the caller to know.
    """
    seconds = resource.spec.get("ttlSecondsAfterFinished")
    if not isinstance(seconds, int) or resource.deleting or resource.paused:
        return None
    ended = _end(resource)
    if ended is None or resource.status.get("observedGeneration") != resource.generation:
        return None
    if told(resource):
        return None
    moment = Instant.read(resource.status.get("completionTime"))
    moment = moment or Instant.read(ended["lastTransitionTime"])
    return None if moment is None else moment.plus(seconds)


def told(resource: Resource) -> tuple[ExtraCondition, ...]:
    """The condition that says that the ttl is not applied, and why; none where it is."""
    if not isinstance(resource.spec.get("ttlSecondsAfterFinished"), int):
        return ()
    tool = tracked_by(resource)
    if not tool or resource.annotations.get(TTL_WITH_GITOPS, "").strip().lower() == "true":
        return ()
    words = (
        f"{tool} keeps this object as Git says: it would create it again after a deletion, and the "
        "job would run again. So spec.ttlSecondsAfterFinished is not applied."
    )
    finding = Finding(job_reasons.TTL_IGNORED, words)
    return (
        ExtraCondition(TTL_IGNORED, holds=True, reason=finding.reason.name, message=finding.text()),
    )


def with_told(resource: Resource, shown: KindStatus) -> KindStatus:
    """What the kind shows of the object, with that condition if there is one."""
    extra = told(resource)
    return replace(shown, extra=extra) if extra else shown


def is_told(resource: Resource) -> bool:
    """Whether the status of a finished object says so, if and only if it is the case.

    Labels and annotations change without a new generation. Of an object that is held abridged
    nothing is known, and nothing has changed.
    """
    if not resource.spec or resource.paused:
        return True
    return bool(told(resource)) == is_true(resource.status, TTL_IGNORED)


def tracked_by(resource: Resource) -> str:
    """Which tool keeps the object as Git says; "" if none does, as far as the object tells.

    The label `app.kubernetes.io/instance`, by which Argo CD tracked before its version 3, is set
    by every Helm chart, too. Argo CD's own field manager tells the two apart.
    """
    if _is_own_tracking_id(resource, resource.annotations.get(_TRACKING_ID, "")):
        return ARGO_CD
    if any(name.endswith(_FLUX_LABELS) for name in resource.labels):
        return FLUX
    return next((manager_of(name) for name in resource.managers if manager_of(name)), "")


def manager_of(name: str) -> str:
    """The tool that a field manager belongs to; "" if it is none of those that keep to Git.

    Source: `metadata.managedFields` of what Argo CD (argocd-controller, in client-side applies
    argocd-application-controller) and Flux (kustomize-controller, helm-controller) apply.
    """
    if name.startswith("argocd"):
        return ARGO_CD
    return FLUX if name in {"kustomize-controller", "helm-controller"} else ""


def _is_own_tracking_id(resource: Resource, text: str) -> bool:
    key = resource.key
    return text.endswith(f":awsbatch.dev/{key.kind}:{key.namespace}/{key.name}")


def _end(resource: Resource) -> Shape | None:
    return next(_ends(resource), None)


def _ends(resource: Resource) -> Iterator[Mapping[str, object]]:
    for name in ("Complete", "Failed"):
        ended = condition(resource.status, name)
        if ended is not None and ended["status"] == "True":
            yield ended
