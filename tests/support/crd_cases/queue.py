"""JobQueue and SchedulingPolicy."""

from tests.support.crd_cases.cases import bound, case

ARN = "arn:aws:batch:eu-central-1:111122223333"


def order(*environments):
    """Entries by name, ordered as given."""
    return {
        "computeEnvironmentOrder": [
            {"order": place, "computeEnvironmentRef": {"name": name}}
            for place, name in enumerate(environments, start=1)
        ]
    }


def entries(*pairs):
    """Entries as (order, reference)."""
    return {
        "computeEnvironmentOrder": [
            {"order": place, "computeEnvironmentRef": reference} for place, reference in pairs
        ]
    }


QUEUE = {"priority": 1, **order("spot")}
POLICY = {"fairsharePolicy": {"shareDistribution": [{"shareIdentifier": "a"}]}}

QUEUE_CASES = {
    "jobQueueType-immutable": case(
        before={"jobQueueType": "ECS"},
        accepts=[{"priority": 2}, {"jobQueueType": None}],
        refuses={"jobQueueType": "EKS"},
    ),
    "policy-stays": case(
        before={"schedulingPolicyRef": {"name": "fair"}},
        accepts={"schedulingPolicyRef": {"name": "fairer"}},
        refuses={"schedulingPolicyRef": None},
    ),
    "orders-differ": case(
        accepts=entries((5, {"name": "a"}), (2, {"name": "b"})),
        refuses=entries((1, {"name": "a"}), (1, {"name": "b"})),
    ),
    "environments-differ": case(
        accepts=order("a", "b", "c"), refuses=entries((1, {"name": "a"}), (2, {"name": "a"}))
    ),
    "ref-name-or-arn": case(
        accepts=[
            entries((1, {"arn": f"{ARN}:compute-environment/spot"})),
            {"schedulingPolicyRef": {"arn": f"{ARN}:scheduling-policy/fair"}},
        ],
        refuses=[
            entries((1, {})),
            entries((1, {"name": "spot", "arn": f"{ARN}:compute-environment/spot"})),
            {"schedulingPolicyRef": {}},
        ],
    ),
}

QUEUE_BOUNDS = (
    bound(
        "spec.computeEnvironmentOrder",
        accepts=order("a", "b", "c"),
        refuses=[order("a", "b", "c", "d"), order(), {"computeEnvironmentOrder": None}],
    ),
    bound(
        "spec.jobStateTimeLimitActions[0].maxTimeSeconds",
        accepts={
            "jobStateTimeLimitActions": [
                {"reason": "R", "state": "RUNNABLE", "maxTimeSeconds": seconds, "action": "CANCEL"}
                for seconds in (600, 86400)
            ]
        },
        refuses=[
            {
                "jobStateTimeLimitActions": [
                    {
                        "reason": "R",
                        "state": "RUNNABLE",
                        "maxTimeSeconds": seconds,
                        "action": "CANCEL",
                    }
                ]
            }
            for seconds in (599, 86401)
        ],
    ),
    bound(
        "spec.computeEnvironmentOrder[0].computeEnvironmentRef.arn",
        accepts=entries((1, {"arn": f"{ARN}:compute-environment/spot"})),
        refuses=entries((1, {"arn": f"{ARN}:job-queue/spot"})),
    ),
    bound("spec.maxInFlight", accepts={"maxInFlight": 1}, refuses={"maxInFlight": 0}),
    bound(
        "spec.drain.policy",
        accepts={"drain": {"policy": "Terminate", "timeoutSeconds": 60}},
        refuses={"drain": {"policy": "terminate"}},
    ),
)


def share(**members):
    return {"fairsharePolicy": {"shareDistribution": [{"shareIdentifier": "a", **members}]}}


QUOTA = {"fairsharePolicy": None, "quotaSharePolicy": {"idleResourceAssignmentStrategy": "FIFO"}}

POLICY_CASES = {
    "one-policy": case(
        accepts=[{}, QUOTA, {"fairsharePolicy": None}],
        refuses={"quotaSharePolicy": {"idleResourceAssignmentStrategy": "FIFO"}},
    ),
    "policy-kind-immutable": case(
        before={}, accepts={"fairsharePolicy": {"computeReservation": 10}}, refuses=QUOTA
    ),
    "weight-range": case(
        accepts=[share(weightFactor=weight) for weight in ("0.0001", "1", "999.9999")],
        refuses=[share(weightFactor="0.0000"), share(weightFactor="0")],
    ),
}

POLICY_BOUNDS = (
    bound(
        "spec.fairsharePolicy.shareDistribution[0].weightFactor",
        accepts=share(weightFactor="0.5"),
        refuses=[share(weightFactor=weight) for weight in ("1000", "0.00001", "-1", 0.5)],
    ),
    bound(
        "spec.fairsharePolicy.shareDistribution[1]",
        accepts={},
        refuses={"fairsharePolicy": {"shareDistribution": [{"shareIdentifier": "a"}] * 2}},
    ),
    bound(
        "spec.fairsharePolicy.shareDecaySeconds",
        accepts={"fairsharePolicy": {"shareDecaySeconds": 604800}},
        refuses={"fairsharePolicy": {"shareDecaySeconds": 604801}},
    ),
    bound(
        "spec.fairsharePolicy.computeReservation",
        accepts={"fairsharePolicy": {"computeReservation": 99}},
        refuses={"fairsharePolicy": {"computeReservation": 100}},
    ),
)
