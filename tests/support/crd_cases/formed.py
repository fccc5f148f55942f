"""Texts of every form: what is taken, and what people write instead."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tests.support.crd_cases import (
    capacity_forms,
    definition,
    environment_parts,
    image_forms,
    job,
    job_inline,
    pods,
    queue,
)
from tests.support.crd_cases.cases import Case, Patch, case

from awsbatch_operator.kinds.batchjob.rules import VARIABLE
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.rules import Rule

ARN = "arn:aws:batch:eu-central-1:111122223333"


def formed(form: Rule, *, accepts: Any, refuses: Any) -> Mapping[str, Case]:
    """The case of a form, by its id."""
    return {form.id: case(accepts=accepts, refuses=refuses)}


def _amounts(change: Any) -> Mapping[str, Case]:
    return formed(
        forms.AMOUNT,
        accepts=change(VCPU="0.5", MEMORY="2048"),
        refuses=[change(MEMORY=odd) for odd in ("2GB", "2 GiB", "", "-1", "1e3", "0x10", "2,5")],
    )


def _images(change: Any) -> Mapping[str, Case]:
    return formed(
        forms.IMAGE,
        accepts=[
            change(image=name)
            for name in (
                "busybox",
                "busybox:1.36",
                "localhost:5000/a/b_c:v1",
                "111122223333.dkr.ecr.eu-central-1.amazonaws.com/simulate:2",
                f"public.ecr.aws/amazonlinux/amazonlinux@sha256:{'0a' * 32}",
                f"quay.io/biocontainers/samtools:1.9--h10a08f8_12@sha256:{'0a' * 32}",
            )
        ],
        refuses=[
            change(image=odd)
            for odd in ("", "busybox latest", "https://docker.io/busybox", "busybox:", "a//b")
        ],
    )


def _shares(change: Any) -> Mapping[str, Case]:
    return formed(
        forms.SHARE,
        accepts=[change(share) for share in ("teamA", "team*", "*", "a" * 255)],
        refuses=[change(share) for share in ("", "team-a", "team a", "t*m", "**")],
    )


def _nodes(change: Any) -> Mapping[str, Case]:
    return formed(
        forms.NODES,
        accepts=[change(nodes) for nodes in ("0", "0:", ":1", "0:1")],
        refuses=[change(odd) for odd in ("0-1", "all", "0,1", "-1", "")],
    )


def _overrides(**amounts: str) -> dict[str, Any]:
    wanted = [{"type": kind, "value": value} for kind, value in amounts.items()]
    return {"containerOverrides": {"resourceRequirements": wanted}}


def _override_of_nodes(nodes: str) -> Patch:
    return {"nodeOverrides": {"nodePropertyOverrides": [{"targetNodes": nodes}]}}


def _range(nodes: str) -> Patch:
    return {"targetNodes": nodes, "container": definition.CONTAINER}


def _on_exit(code: str) -> Patch:
    return {
        "retryStrategy": {"attempts": 2, "evaluateOnExit": [{"action": "EXIT", "onExitCode": code}]}
    }


def _by_arn(member: str, reference: Patch) -> Patch:
    """The reference by ARN in the place of one by name."""
    return {member: {"name": None, **reference}}


def _arn(resource: str, kind: str, example: str, change: Any) -> Mapping[str, Case]:
    odd = ["main", f"{ARN}:{resource}/", f"{ARN}:elsewhere/main", "arn:aws:batch:::x/main", ""]
    if resource != "job-definition":
        odd.append(f"{ARN}:job-definition/main:1")
    return formed(
        forms.batch_arn(resource, kind, example),
        accepts=change({"arn": f"{ARN}:{resource}/{example}"}),
        refuses=[change({"arn": each}) for each in odd],
    )


_ROLE = "arn:aws:iam::111122223333:role/team/batch"
NAMES = ["Main", "main queue", "main_queue", "-main", "main-", "", "größe"]

SCOPED = {
    **formed(
        forms.REGION,
        accepts=[{"region": name} for name in ("us-gov-west-1", "eusc-de-east-1")],
        refuses=[{"region": odd} for odd in ("frankfurt", "eu-central-1a", "EU-CENTRAL-1", "")],
    ),
    **formed(
        forms.NAME,
        accepts={"accountRef": {"name": "research.v2"}},
        refuses=[{"accountRef": {"name": odd}} for odd in NAMES],
    ),
}
LASTING = formed(
    forms.AWS_NAME,
    accepts={"awsName": "shared_spot-1"},
    refuses=[{"awsName": odd} for odd in ("shared.spot", "-x", "my name", "")],
)
BY_KIND: Mapping[str, Mapping[str, Case]] = {
    "ExtendedAMI": image_forms.FORMS,
    "AWSAccount": {
        "region-form": SCOPED["region-form"],
        **formed(
            forms.ROLE_ARN,
            accepts={"roleArn": _ROLE},
            refuses=[{"roleArn": odd} for odd in ("batch", _ROLE.replace("1111", "x"), "")],
        ),
        **formed(
            forms.EXTERNAL_ID,
            accepts={"externalId": "a+=,.@:/-_1"},
            refuses=[{"externalId": odd} for odd in ("größe", "two words", "x", "")],
        ),
        **formed(
            forms.NAMESPACE,
            accepts={"allowedNamespaces": {"names": ["team-a"]}},
            refuses=[{"allowedNamespaces": {"names": [odd]}} for odd in (*NAMES, "team.a")],
        ),
        **formed(
            forms.ARN_GLOB,
            accepts={"allowedRoleArns": ["arn:aws:iam::*:role/batch-*"]},
            refuses=[{"allowedRoleArns": [odd]} for odd in ("batch-*", "*", "")],
        ),
        **formed(
            forms.RESOURCE_GLOB,
            accepts={"allowedExternalArns": ["sg-0a1b2c3d", "secret:team-a/*"]},
            refuses=[{"allowedExternalArns": [odd]} for odd in ("*", "sg1", "vpc-1", "")],
        ),
    },
    "ComputeEnvironment": {
        **capacity_forms.FORMS,
        **formed(
            forms.TEMPLATE_ID,
            accepts=environment_parts.template(launchTemplateId="lt-0a1b2c3d"),
            refuses=[
                environment_parts.template(launchTemplateId=odd) for odd in ("base", "lt-base", "")
            ],
        ),
        **formed(
            forms.NAMESPACE,
            accepts={
                "eksConfiguration": environment_parts.EKS,
                **environment_parts.resources(allocationStrategy="BEST_FIT_PROGRESSIVE"),
            },
            refuses=[
                {
                    "eksConfiguration": {**environment_parts.EKS, "kubernetesNamespace": odd},
                    **environment_parts.resources(allocationStrategy="BEST_FIT_PROGRESSIVE"),
                }
                for odd in NAMES
            ],
        ),
    },
    "JobQueue": {
        **_arn(
            "compute-environment",
            "ComputeEnvironment",
            "spot",
            lambda reference: queue.entries((1, reference)),
        ),
        **_arn(
            "scheduling-policy",
            "SchedulingPolicy",
            "fair",
            lambda reference: {"schedulingPolicyRef": reference},
        ),
    },
    "SchedulingPolicy": {
        **_shares(lambda share: queue.share(shareIdentifier=share)),
        **formed(
            forms.WEIGHT,
            accepts=queue.share(weightFactor="0.5"),
            refuses=[
                queue.share(weightFactor=odd) for odd in ("1000", "half", "0.00001", "-1", "")
            ],
        ),
    },
    "JobDefinition": {
        **_amounts(definition.needs),
        **_images(definition.container),
        **_nodes(lambda nodes: definition.nodes([_range(nodes)])),
        **formed(
            forms.EXIT_CODE,
            accepts=[_on_exit(code) for code in ("137", "13*", "*")],
            refuses=[_on_exit(odd) for odd in ("", "-1", "OOM", "1*7", "137 ")],
        ),
        **formed(
            forms.VOLUME,
            accepts=definition.container(volumes=[{"name": "my_data-1"}]),
            refuses=[
                definition.container(volumes=[{"name": odd}]) for odd in ("a.b", "a b", "a/b", "")
            ],
        ),
        **formed(
            forms.NAMESPACE,
            accepts=pods.pod(metadata={"namespace": "batch"}),
            refuses=[pods.pod(metadata={"namespace": odd}) for odd in (*NAMES, "a.b")],
        ),
    },
    "BatchJob": {
        **_amounts(_overrides),
        **_images(lambda image: job.pod(containers=[{"name": "main", "image": image}])),
        **_nodes(_override_of_nodes),
        **_shares(lambda share: {"shareIdentifier": share}),
        **_arn(
            "job-queue", "JobQueue", "main", lambda reference: _by_arn("jobQueueRef", reference)
        ),
        **_arn(
            "job-definition",
            "JobDefinition",
            "simulate:7",
            partial(_by_arn, "jobDefinitionRef"),
        ),
        **formed(
            forms.DEFINITION_NAME,
            accepts={"jobDefinitionRef": {"name": "simulate.v2"}},
            refuses=[{"jobDefinitionRef": {"name": odd}} for odd in (*NAMES, "jd:1")],
        ),
        **formed(
            forms.JOB_ID,
            accepts=job.after({"jobRef": {"jobId": "4c1cb2c5-9d3e-4c55-8c0b-0f2f7b1f3a11:7"}}),
            refuses=[job.after({"jobRef": {"jobId": odd}}) for odd in ("my job", "a/b", "")],
        ),
        **formed(
            forms.NAMESPACE,
            accepts=job.pod(metadata={"namespace": "batch"}),
            refuses=job.pod(metadata={"namespace": "Batch"}),
        ),
        **formed(forms.EXIT_CODE, accepts=_on_exit("137"), refuses=[_on_exit("-1"), _on_exit("")]),
        **job_inline.inlined(
            formed(
                forms.VOLUME,
                accepts=definition.container(volumes=[{"name": "my_data-1"}]),
                refuses=definition.container(volumes=[{"name": "a.b"}]),
            )
        ),
        **formed(
            VARIABLE,
            accepts=job.retry(indexMapVariable="_SHARDS2"),
            refuses=[job.retry(indexMapVariable=odd) for odd in ("2ND", "MY-SHARDS", "")],
        ),
    },
}
