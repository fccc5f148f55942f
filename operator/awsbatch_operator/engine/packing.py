"""How a body is held in memory: trimmed to what is read, as compact JSON.

As Python objects 20,000 jobs take several times the room that they take as JSON. Most of them are
finished and never looked at again: of those only the part is held that other objects read.
"""

from typing import Any

from awsbatch_operator.api.encoding import decoded, encoded
from awsbatch_operator.api.metadata import INSTALLATION, RESOLVED, Shape

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_IDENTITY = ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp")
_STATUS = (
    "observedGeneration",
    "arn",
    "jobId",
    "run",
    "accountId",
    "region",
    "awsName",
    "installation",
)
_ANNOTATIONS = (RESOLVED, INSTALLATION)
# Field managers that keep an object as Git says begin so: Argo CD's, and Flux's two.
_OF_GITOPS = ("argocd", "kustomize-controller", "helm-controller")
_MESSAGE_LIMIT = 200  # characters


def trimmed(body: Shape) -> Shape:
    """The body without managedFields and without the text of the last applied configuration.

    Of the managers those are kept by name that keep an object as Git says: few objects have any.

    That annotation keeps its name with an empty text: a JSON patch that adds the first annotation
    would have to add the whole map, and must not when there is one already.
    """
    metadata = body["metadata"]
    annotations = metadata.get("annotations", {})
    if "managedFields" not in metadata and not annotations.get(LAST_APPLIED):
        return body
    managers = {str(each.get("manager", "")) for each in metadata.get("managedFields", ())}
    metadata = {name: value for name, value in metadata.items() if name != "managedFields"}
    kept = sorted(name for name in managers if name.startswith(_OF_GITOPS))
    if kept:
        metadata["managedFields"] = [{"manager": name} for name in kept]
    if LAST_APPLIED in annotations:
        metadata["annotations"] = {**annotations, LAST_APPLIED: ""}
    return {**body, "metadata": metadata}


def abridged(body: Shape) -> Shape:
    """What is held of a finished object: who it is, where it lives, and how it ended.

    Enough for an object that refers to it: the recorded scope, the ids of the status, and the
    conditions that are true. There is no spec, no label, and of the annotations only the scope and
    which installation serves it.
    """
    metadata = body["metadata"]
    kept: dict[str, Any] = {name: metadata[name] for name in _IDENTITY if name in metadata}
    if "finalizers" in metadata:
        kept["finalizers"] = metadata["finalizers"]
    annotations = metadata.get("annotations", {})
    told = {name: annotations[name] for name in _ANNOTATIONS if name in annotations}
    if told:
        kept["annotations"] = told
    status = body.get("status", {})
    ended = {name: status[name] for name in _STATUS if name in status}
    ended["conditions"] = [
        {**condition, "message": str(condition.get("message", ""))[:_MESSAGE_LIMIT]}
        for condition in status.get("conditions", ())
        if condition.get("status") == "True"
    ]
    return {"kind": body["kind"], "metadata": kept, "status": ended}


def pack(body: Shape) -> bytes:
    """Compact JSON of a body that consists of plain JSON values."""
    # A copy: what orjson returns keeps the buffer that it was written into, 4 kB and more.
    return memoryview(encoded(body)).tobytes()


def unpack(packed: bytes) -> dict[str, Any]:
    """The body again."""
    return dict(decoded(packed))
