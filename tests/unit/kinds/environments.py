"""Specs of compute environments, and AWS as far as one environment goes."""

from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.unit.kinds.models import Described
from tests.unit.kinds.values import NOW, RECORDED, owner, resource, targets

from awsbatch_operator.kinds.computeenvironment.desired import desired_environment
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.lasting import ApiCall

SLR = "arn:aws:iam::1:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
OWN_ROLE = "arn:aws:iam::1:role/service-role/Batch"
NAME = RECORDED.aws_name
STRATEGY = {"EC2": "BEST_FIT_PROGRESSIVE_ORDERED", "SPOT": "SPOT_PRICE_CAPACITY_OPTIMIZED"}


def managed(**resources: Any) -> dict[str, Any]:
    """A spec; `serviceRole` and other top-level members by `top`."""
    top = resources.pop("top", {})
    base = {
        "type": "EC2",
        "allocationStrategy": "BEST_FIT_PROGRESSIVE",
        "maxvCpus": 16,
        "instanceTypes": ["m7i.large", "c7i.large"],
        "subnets": ["subnet-1", "subnet-2"],
        "instanceRole": "arn:aws:iam::1:instance-profile/ecs",
    }
    return {"type": "MANAGED", "computeResources": base | resources, **top}


def best_fit(**changes: Any) -> dict[str, Any]:
    """The same of an environment whose instances AWS does not exchange by itself."""
    return managed(**{"allocationStrategy": "BEST_FIT", **changes})


def desired(spec, **changes):
    of = resource("ComputeEnvironment", spec, **changes)
    return desired_environment(of, targets(), owner(of))


class Model(Described):
    """AWS, as far as one environment goes."""

    def observed(self, queues=()):
        return None if self.detail is None else Observed(self.detail, tuple(queues))

    def apply(self, call):
        match call:
            case ApiCall("CreateComputeEnvironment", request):
                resources = request.get("computeResources")
                self.detail = {
                    "serviceRole": SLR,
                    **request,
                    "computeEnvironmentArn": "arn:ce",
                    "status": "VALID",
                    "uuid": "1",
                    "containerOrchestrationType": "ECS",
                }
                if resources is not None:
                    filled = {"minvCpus": 0, "desiredvCpus": 0}
                    self.detail["computeResources"] = {**filled, **resources}
            case ApiCall("UpdateComputeEnvironment", request):
                resources = {**self.detail.get("computeResources", {})}
                resources |= request.get("computeResources", {})
                changed = {k: v for k, v in request.items() if k != "computeEnvironment"}
                self.detail = {**self.detail, **changed}
                if resources:
                    self.detail["computeResources"] = resources
            case _:
                super().apply(call)

    def plan(self, spec):
        return plan_environment(desired(spec, annotations=self.annotations), self.observed(), NOW)

    def converge(self, spec):
        return self.run(lambda: self.plan(spec))


def before(kind, *, updatable):
    """A spec of that type; `updatable`: AWS can exchange its instances."""
    if kind.startswith("FARGATE"):
        resources = {"type": kind, "maxvCpus": 16, "subnets": ["s"], "securityGroupIds": ["g"]}
        return {"type": "MANAGED", "computeResources": resources}
    strategy = STRATEGY[kind] if updatable else "BEST_FIT"
    more = {"spotIamFleetRole": f"{OWN_ROLE}1"} if kind == "SPOT" else {}
    return managed(type=kind, allocationStrategy=strategy, **more)


def edited(spec, **changes):
    return {**spec, "computeResources": {**spec["computeResources"], **changes}}


def environment_of(spec):
    """AWS with an environment as specified, past its creation."""
    aws = Model()
    aws.converge(spec)
    return aws


@cache
def model():
    """AWS Batch's own model."""
    return botocore.session.get_session().get_service_model("batch")


def sent(plan):
    """The one call, which AWS's own model takes."""
    (call,) = [each for each in plan.actions if each.operation == "UpdateComputeEnvironment"]
    shape = model().operation_model("UpdateComputeEnvironment").input_shape
    report = ParamValidator().validate(call.request, shape)
    assert not report.has_errors(), report.generate_report()
    assert call.request["computeEnvironment"] == NAME
    return {name: value for name, value in call.request.items() if name != "computeEnvironment"}
