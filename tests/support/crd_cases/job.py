"""BatchJob."""

from tests.support.crd_cases.cases import bound, case

ARN = "arn:aws:batch:eu-central-1:111122223333"

BASE = {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "simulate"}}
INLINE = {
    "type": "container",
    "containerProperties": {
        "image": "busybox",
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "64"},
        ],
    },
}
ARRAY = {"arrayProperties": {"size": 2}}


def after(*dependencies, **members):
    return {"dependsOn": list(dependencies), **members}


def overrides(**members):
    return {"containerOverrides": members}


def pod(**members):
    return {"eksPropertiesOverride": {"podProperties": members}}


PREPARE = {"jobRef": {"name": "prepare"}}
RETRY = {"ofRun": 1, "indexMapVariable": "SHARDS"}


def retry(**members):
    return {"retryFailedIndexes": {**RETRY, **members}}


FALLBACK = {"jobQueueRef": {"name": "on-demand"}, "when": ["HostLost"]}
EVERY = {"onReason": "*", "action": "EXIT"}

CASES = {
    "submitted-immutable": case(
        before={"parameters": {"year": "2024"}, "tags": {"a": "b"}},
        status={"run": 1},
        accepts=[
            {"suspend": True, "ttlSecondsAfterFinished": 60, "logs": {"statusLines": 20}},
            {"rerunPolicy": "OnChange"},
            {"rerunPolicy": "OnChange", "parameters": {"year": "2025"}},
            {"rerunPolicy": "OnChange", "jobQueueRef": {"name": "other"}, **after(PREPARE)},
            {"retryFailedIndexes": RETRY, "fallback": FALLBACK, "activeDeadlineSeconds": 60},
        ],
        refuses=[
            {"parameters": {"year": "2025"}},
            {"parameters": None},
            {"timeout": {"attemptDurationSeconds": 60}},
            {"jobQueueRef": {"name": "other"}},
            {"jobDefinitionRef": {"name": "other"}},
            {"jobDefinitionRef": None, "jobDefinition": INLINE},
            {"arrayValues": {"variable": "SHARD", "values": ["a", "b"]}},
            {"packing": {"tasksPerJob": 2}, **ARRAY},
            after(PREPARE),
            {"tags": {"a": "c"}, "rerunPolicy": "Never"},
        ],
        says="A job runs as it was submitted, but these changed: ",
    ),
    "place-immutable": case(
        before={"accountRef": {"name": "research"}, "region": "eu-central-1"},
        status={"run": 1},
        accepts=[{"rerunPolicy": "OnChange"}],
        refuses=[
            {"accountRef": {"name": "other"}},
            {"accountRef": None, "rerunPolicy": "OnChange"},
            {"region": "eu-west-1", "rerunPolicy": "OnChange"},
            {"region": None},
        ],
        says="A job stays in the account and the region that it was submitted in.",
    ),
    "index-map-reserved": case(
        accepts={"retryFailedIndexes": RETRY},
        refuses={"retryFailedIndexes": {"ofRun": 1, "indexMapVariable": "AWS_BATCH_INDEXES"}},
    ),
    "one-override": case(
        accepts=overrides(command=["true"]),
        refuses={**overrides(command=["true"]), "nodeOverrides": {"numNodes": 2}},
    ),
    "override-instance-type": case(
        accepts=overrides(command=["true"]), refuses=overrides(instanceType="m7i.large")
    ),
    "array-or-nodes": case(
        accepts=[ARRAY, {"nodeOverrides": {"numNodes": 2}}],
        refuses={**ARRAY, "nodeOverrides": {"numNodes": 2}},
    ),
    "array-dependencies": case(
        accepts=[
            after(PREPARE),
            after({**PREPARE, "type": "N_TO_N"}, **ARRAY),
            after({"type": "SEQUENTIAL"}, **ARRAY),
        ],
        refuses=[after({**PREPARE, "type": "N_TO_N"}), after({"type": "SEQUENTIAL"})],
    ),
    "dependency-on-something": case(
        accepts=after({"type": "SEQUENTIAL"}, **ARRAY),
        refuses=[after({}), after({"type": "N_TO_N"}, **ARRAY)],
    ),
    "job-ref-name-or-id": case(
        accepts=after({"jobRef": {"jobId": "5f4f0d53-0001"}}),
        refuses=[
            after({"jobRef": {}}),
            after({"jobRef": {"name": "prepare", "jobId": "5f4f0d53-0001"}}),
        ],
    ),
    "ref-revision-of-name": case(
        accepts={"jobDefinitionRef": {"name": "simulate", "revision": 3}},
        refuses={
            "jobDefinitionRef": {
                "name": None,
                "arn": f"{ARN}:job-definition/simulate:3",
                "revision": 3,
            }
        },
    ),
    "ref-name-or-arn": case(
        accepts=[
            {"jobQueueRef": {"name": None, "arn": f"{ARN}:job-queue/main"}},
            {"jobDefinitionRef": {"name": None, "arn": f"{ARN}:job-definition/simulate:3"}},
        ],
        refuses=[
            {"jobQueueRef": {"name": None}},
            {"jobDefinitionRef": {"arn": f"{ARN}:job-definition/simulate:3"}},
        ],
    ),
    "variable-reserved": case(
        accepts=overrides(environment=[{"name": "MODE", "value": ""}]),
        refuses=overrides(environment=[{"name": "AWS_BATCH_JOB_ID"}]),
    ),
    "resource-whole": case(
        accepts=overrides(resourceRequirements=[{"type": "VCPU", "value": "0.5"}]),
        refuses=overrides(resourceRequirements=[{"type": "MEMORY", "value": "512.5"}]),
    ),
    "resource-smallest": case(
        accepts=overrides(resourceRequirements=[{"type": "MEMORY", "value": "4"}]),
        refuses=overrides(resourceRequirements=[{"type": "MEMORY", "value": "3"}]),
    ),
    "pod-variable-reserved": case(
        accepts=pod(containers=[{"name": "main", "env": [{"name": "MODE"}]}]),
        refuses=pod(containers=[{"name": "main", "env": [{"name": "AWS_BATCH_X"}]}]),
    ),
    "pod-namespace": case(
        accepts=pod(metadata={"namespace": "batch"}), refuses=pod(metadata={"namespace": "kube-x"})
    ),
    "evaluate-needs-attempts": case(
        accepts={"retryStrategy": {"attempts": 1, "evaluateOnExit": [EVERY]}},
        refuses={"retryStrategy": {"evaluateOnExit": [EVERY]}},
    ),
    "evaluate-condition": case(
        accepts={"retryStrategy": {"attempts": 2, "evaluateOnExit": [EVERY]}},
        refuses={"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"action": "EXIT"}]}},
    ),
}

BOUNDS = (
    bound(
        "spec.arrayProperties.size",
        accepts=[{"arrayProperties": {"size": n}} for n in (2, 10000)],
        refuses=[{"arrayProperties": {"size": n}} for n in (1, 10001)],
    ),
    bound(
        "spec.dependsOn",
        accepts=after(*[PREPARE] * 20),
        refuses=after(*[PREPARE] * 21),
    ),
    bound(
        "spec.timeout.attemptDurationSeconds",
        accepts={"timeout": {"attemptDurationSeconds": 60}},
        refuses={"timeout": {"attemptDurationSeconds": 59}},
    ),
    bound(
        "spec.jobQueueRef",
        accepts={},
        refuses={"jobQueueRef": None},
    ),
    bound(
        "spec.jobQueueRef.name",
        accepts={"jobQueueRef": {"name": "main.v2"}},
        refuses={"jobQueueRef": {"name": "Main Queue"}},
    ),
    bound(
        "spec.logs.statusLines",
        accepts={"logs": {"statusLines": 0}},
        refuses={"logs": {"statusLines": 21}},
    ),
    bound(
        "spec.activeDeadlineSeconds",
        accepts={"activeDeadlineSeconds": 60},
        refuses={"activeDeadlineSeconds": 59},
    ),
    bound(
        "spec.retryFailedIndexes.ofRun",
        accepts={"retryFailedIndexes": RETRY},
        refuses={"retryFailedIndexes": {**RETRY, "ofRun": 0}},
    ),
    bound(
        "spec.fallback.afterFailures",
        accepts={"fallback": {**FALLBACK, "afterFailures": 10}},
        refuses=[{"fallback": {**FALLBACK, "afterFailures": n}} for n in (0, 11)],
    ),
    bound(
        "spec.fallback.when",
        accepts={"fallback": FALLBACK},
        refuses={"fallback": {**FALLBACK, "when": []}},
    ),
    bound(
        "spec.fallback.when[0]",
        accepts={"fallback": {**FALLBACK, "when": ["TimedOut", "HostLost"]}},
        refuses={"fallback": {**FALLBACK, "when": ["Cancelled"]}},
    ),
    bound("spec.rerunPolicy", accepts={"rerunPolicy": "Never"}, refuses={"rerunPolicy": "NEVER"}),
)
