"""Run in the simulator's pod: prints what its AWS Batch has, as JSON.

{kind: [names]} of queues, environments and definitions, and {name: how many} of jobs.
"""

import json
from collections import Counter
from pathlib import Path

import boto3

SECRETS = Path("/etc/aws-batch-simulator/secrets")
ALL = [{"name": "AFTER_CREATED_AT", "values": ["0"]}]  # in every state


def main() -> None:
    """Ask it as anybody would."""
    batch = boto3.client(
        "batch",
        endpoint_url="http://localhost:4566",
        region_name="eu-central-1",
        aws_access_key_id=(SECRETS / "access-key-id").read_text(encoding="ascii"),
        aws_secret_access_key=(SECRETS / "secret-access-key").read_text(encoding="ascii"),
    )

    def listed(call: str, member: str, **given: object) -> list[dict[str, str]]:
        pages = batch.get_paginator(call).paginate(**given)
        return [each for page in pages for each in page[member]]

    queues = listed("describe_job_queues", "jobQueues")
    environments = listed("describe_compute_environments", "computeEnvironments")
    definitions = listed("describe_job_definitions", "jobDefinitions", status="ACTIVE")
    jobs = [
        job["jobName"]
        for queue in queues
        for job in listed("list_jobs", "jobSummaryList", jobQueue=queue["jobQueueArn"], filters=ALL)
    ]
    found = {
        "queues": [each["jobQueueName"] for each in queues],
        "environments": [each["computeEnvironmentName"] for each in environments],
        "definitions": [each["jobDefinitionName"] for each in definitions],
        "jobs": Counter(jobs),
    }
    print(json.dumps(found))  # noqa: T201 - read by whoever has run it


main()
