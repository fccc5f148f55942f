"""Resources and owners as values, for tests of pure functions."""

from dataclasses import replace
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import FINALIZER, ObjectKey, Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.scope import ScopeRecord
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.scope_record import annotation

NOW = Instant(1_800_000_000.0)
ACCOUNT, REGION = "111122223333", "eu-central-1"
RECORDED = ScopeRecord("", ACCOUNT, REGION, "science-pool-1")


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
        recorded=RECORDED,
    )


def at_home(of: Resource, name: str = "", **status: Any) -> Resource:
    """The resource as one whose status shows what AWS has of it, by that AWS name."""
    aws_name = name or f"{of.key.namespace}-{of.key.name}-1"
    part = {
        "ComputeEnvironment": "compute-environment",
        "JobQueue": "job-queue",
        "JobDefinition": "job-definition",
        "SchedulingPolicy": "scheduling-policy",
    }[of.key.kind]
    revision = ":3" if of.key.kind == "JobDefinition" else ""
    shown = {
        "arn": f"arn:aws:batch:{REGION}:{ACCOUNT}:{part}/{aws_name}{revision}",
        "awsName": aws_name,
        "accountId": ACCOUNT,
        "region": REGION,
        **status,
    }
    recorded = ScopeRecord("", ACCOUNT, REGION, aws_name)
    annotations = {**of.annotations, **annotation(recorded, NOW)}
    return replace(of, status={**of.status, **shown}, annotations=annotations)


def ready(of: Resource, **status: Any) -> Resource:
    """The resource as one that is Ready for its generation, with that status."""
    condition = {"type": "Ready", "status": "True", "observedGeneration": of.generation}
    condition |= {"reason": "Ready", "message": "", "lastTransitionTime": NOW.rfc3339()}
    standing = {"observedGeneration": of.generation, "conditions": [condition]}
    return replace(of, status={**of.status, **standing, **status})
