"""What a newer botocore brings is seen, not stumbled over."""

from tests.support.model_listing import LISTING, listing

from awsbatch_operator.schema.tables import additions

RENEW = (
    "AWS's model changed. Look at each line: give a new member a line and bounds in "
    "operator/awsbatch_operator/schema/tables, take a removed one out. Then run "
    "`PYTHONPATH=operator:. .venv/bin/python -m tests.support.model_listing` and `make crds`."
)


def test_the_model_has_the_members_that_were_looked_at():
    then, now = set(LISTING.read_text().splitlines()), set(listing())
    changes = [
        *(f"- {line}" for line in sorted(then - now)),
        *(f"+ {line}" for line in sorted(now - then)),
    ]
    assert changes == [], RENEW


def test_every_member_of_today_has_a_line_of_ours():
    table = additions()
    silent = []
    for line in listing():
        shape, _, name = line.split(" ", 1)[0].partition(".")
        struct = table.get(shape)
        if struct is None or (name not in struct.members and name not in struct.omit):
            silent.append(f"{shape}.{name}")
    named = {
        "CreateComputeEnvironmentRequest.computeEnvironmentName",
        "CreateComputeEnvironmentRequest.context",
        "CreateComputeEnvironmentRequest.tags",
        "CreateJobQueueRequest.jobQueueName",
        "CreateJobQueueRequest.schedulingPolicyArn",
        "CreateJobQueueRequest.serviceEnvironmentOrder",
        "CreateJobQueueRequest.tags",
        "CreateSchedulingPolicyRequest.name",
        "CreateSchedulingPolicyRequest.tags",
        "RegisterJobDefinitionRequest.jobDefinitionName",
        "RegisterJobDefinitionRequest.tags",
        "ServiceEnvironmentOrder.order",
        "ServiceEnvironmentOrder.serviceEnvironment",
        "SubmitJobRequest.dependsOn",
        "SubmitJobRequest.jobDefinition",
        "SubmitJobRequest.jobName",
        "SubmitJobRequest.jobQueue",
        "SubmitJobRequest.tags",
        "JobDependency.jobId",
        "JobDependency.type",
    }
    assert sorted(set(silent) - named) == []
