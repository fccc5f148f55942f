"""Resources and owners as values, for tests of pure functions."""

from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import FINALIZER, ObjectKey, Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import Recorded
from awsbatch_operator.api.tags import Owner

NOW = Instant(1_800_000_000.0)
ACCOUNT, REGION = "111122223333", "eu-central-1"
RECORDED = Recorded("", ACCOUNT, REGION, "science-pool-1")


def resource(kind: str, spec: dict[str, Any] | None = None, **changes: Any) -> Resource:
    """An object of namespace science, held by our finalizer."""
    namespace = "" if kind == "AWSAccount" else "science"
    values: dict[str, Any] = {
        "key": ObjectKey(kind, namespace, changes.pop("name", "pool")),
        "uid": "uid-1",
        "generation": 1,
        "resource_version": "7",
        "created": NOW.plus(-3600),
        "finalizers": (FINALIZER,),
        "spec": spec or {},
        **changes,
    }
    return Resource(**values)


def owner(of: Resource, cluster: str = "lab") -> Owner:
    return Owner(cluster, of.key, of.uid)


def targets(*found: Resource, users: tuple[Resource, ...] = ()) -> Targets:
    return Targets(
        aws_name=RECORDED.aws_name,
        account_id=ACCOUNT,
        region=REGION,
        found={target.key: target for target in found},
        users=users,
    )


def ready(of: Resource, **status: Any) -> Resource:
    """The resource as one that is Ready for its generation, with that status."""
    condition = {"type": "Ready", "status": "True", "observedGeneration": of.generation}
    condition |= {"reason": "Ready", "message": "", "lastTransitionTime": NOW.rfc3339()}
    return Resource(
        **{
            **{name: getattr(of, name) for name in Resource.__dataclass_fields__},
            "status": {"observedGeneration": of.generation, "conditions": [condition], **status},
        }
    )
