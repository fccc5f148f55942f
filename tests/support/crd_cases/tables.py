"""All tables together, with the cases that several kinds share."""

from collections.abc import Mapping

from tests.support.crd_cases import (
    account,
    capacity,
    capacity_forms,
    definition,
    environment,
    environment_images,
    environment_parts,
    formed,
    image,
    image_forms,
    job,
    job_inline,
    pods,
    queue,
    tasks,
)
from tests.support.crd_cases.cases import Bound, Case, Patch, case

BASES: Mapping[str, Patch] = {
    "AWSAccount": account.BASE,
    "ComputeEnvironment": environment_parts.BASE,
    "JobQueue": queue.QUEUE,
    "SchedulingPolicy": queue.POLICY,
    "JobDefinition": definition.BASE,
    "BatchJob": job.BASE,
    "ExtendedAMI": image.BASE,
}

BOUNDS: Mapping[str, tuple[Bound, ...]] = {
    "AWSAccount": account.BOUNDS,
    "ComputeEnvironment": (*environment.BOUNDS, *capacity_forms.BOUNDS),
    "JobQueue": queue.QUEUE_BOUNDS,
    "SchedulingPolicy": queue.POLICY_BOUNDS,
    "JobDefinition": definition.BOUNDS,
    "BatchJob": (*job.BOUNDS, *job_inline.BOUNDS),
    "ExtendedAMI": image_forms.BOUNDS,
}

_OWN: Mapping[str, Mapping[str, Case]] = {
    "AWSAccount": account.CASES,
    "ComputeEnvironment": {**environment.CASES, **environment_images.CASES, **capacity.CASES},
    "JobQueue": queue.QUEUE_CASES,
    "SchedulingPolicy": queue.POLICY_CASES,
    "JobDefinition": {**definition.CASES, **pods.CASES, **tasks.CASES},
    "BatchJob": {
        **job_inline.inlined({**definition.CASES, **pods.CASES, **tasks.CASES}),
        **job_inline.CASES,
        **job.CASES,
    },
    "ExtendedAMI": image.CASES,
}

_SCOPED: Mapping[str, Case] = {
    "tags-reserved": case(
        accepts={"tags": {"team": "climate", "cost-centre:aws": "7"}},
        refuses=[
            {"tags": {"aws:cloudformation:stack-name": "x"}},
            {"tags": {"AWS:x": "x"}},
            {"tags": {"awsbatch.dev/owner-uid": "x"}},
        ],
    ),
    "tags-key-length": case(
        accepts={"tags": {"k" * 128: ""}},
        refuses=[{"tags": {"k" * 129: ""}}, {"tags": {"": "x"}}],
    ),
}
_LASTING: Mapping[str, Case] = {
    "accountRef-immutable": case(
        before={"accountRef": {"name": "research"}},
        accepts={"accountRef": {"name": "research"}},
        refuses=[{"accountRef": {"name": "other"}}, {"accountRef": None}],
    ),
    "region-immutable": case(
        before={"region": "eu-central-1"},
        accepts={"deletionPolicy": "Retain"},
        refuses=[{"region": "eu-west-1"}, {"region": None}],
    ),
}
# Kinds without awsName.
_NAMELESS = ("AWSAccount", "BatchJob", "ExtendedAMI")
_NAMED: Mapping[str, Case] = {
    "awsName-immutable": case(
        before={},
        accepts={"deletionPolicy": "Retain"},
        refuses={"awsName": "given-later"},
    ),
}


def cases(kind: str) -> dict[str, Case]:
    """The cases of a kind by the id of the rule."""
    scoped = {} if kind == "AWSAccount" else {**_SCOPED, **formed.SCOPED}
    lasting = {} if kind in ("AWSAccount", "BatchJob") else _LASTING
    named = {} if kind in _NAMELESS else {**_NAMED, **formed.LASTING}
    return {**scoped, **lasting, **named, **_OWN[kind], **formed.BY_KIND[kind]}
