"""The SchedulingPolicy resource."""

from awsbatch_operator.schema.common import (
    AWS_NAME_RULE,
    SCOPE_RULES,
    Infrastructure,
)
from awsbatch_operator.schema.declare import (
    AGE,
    ARN,
    AWS_NAME,
    READY,
    REASON,
    CustomResource,
    PassThrough,
)
from awsbatch_operator.schema.rules import Rule, at_most_one
from awsbatch_operator.schema.status import NamedStatus

MEMBERS = PassThrough(
    operation="CreateSchedulingPolicy",
    omit={"name": "awsName stands in its place", "tags": "ours has bounds of its own"},
)


class SchedulingPolicySpec(Infrastructure):
    """What is wanted: AWS's members are in `aws`."""


class SchedulingPolicyStatus(NamedStatus):
    """What AWS reports; a policy has no state of its own."""


SPEC_RULES = (
    at_most_one(
        "one-policy",
        ("fairsharePolicy", "quotaSharePolicy"),
        "A scheduling policy shares by weight or by quota. Keep one of fairsharePolicy and "
        "quotaSharePolicy; without either it shares by weight, all alike.",
    ),
    Rule(
        id="policy-kind-immutable",
        cel="has(self.quotaSharePolicy) == has(oldSelf.quotaSharePolicy)",
        message=(
            "AWS cannot turn a fair-share policy into a quota-share policy or back. Create another "
            "SchedulingPolicy."
        ),
    ),
)

RESOURCE = CustomResource(
    kind="SchedulingPolicy",
    plural="schedulingpolicies",
    short_name="awssp",
    summary="An AWS Batch scheduling policy: how a queue divides capacity among its users.",
    spec=SchedulingPolicySpec,
    status=SchedulingPolicyStatus,
    passthrough=MEMBERS,
    rules=(*SCOPE_RULES, AWS_NAME_RULE, *SPEC_RULES),
    columns=(READY, REASON, AGE, AWS_NAME, ARN),
)
