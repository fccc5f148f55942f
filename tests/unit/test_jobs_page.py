"""docs/jobs.md says of jobs what the code says."""

import re
import subprocess

import pytest
import yaml

from awsbatch_operator.api import catalogue, conditions, job_reasons
from awsbatch_operator.api.findings import Reason
from awsbatch_operator.kinds.batchjob import request, submission, submitting
from awsbatch_operator.kinds.batchjob.failure_causes import REMEDIES, Failure
from awsbatch_operator.kinds.batchjob.report import BatchJobStatus
from awsbatch_operator.kinds.batchjob.run_causes import Cause, Stop
from awsbatch_operator.kinds.batchjob.spec import RerunPolicy
from awsbatch_operator.schema.status import AwsStatus
from awsbatch_operator.settings import Settings
from awsbatch_sandbox.paths import REPOSITORY

PAGE = (REPOSITORY / "docs" / "jobs.md").read_text()
FLAT = " ".join(PAGE.split())
REFERENCE = "".join(
    (REPOSITORY / "docs" / "api" / f"{kind}.md").read_text() for kind in ("batchjob", "jobqueue")
)
REASONS = {each.name: each for each in vars(job_reasons).values() if isinstance(each, Reason)}


def section(heading: str) -> str:
    [found] = [part for part in PAGE.split("\n## ") if part.startswith(heading)]
    return found


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of the tables below a heading, by the word in the first one."""
    found = {}
    for line in section(heading).splitlines():
        if line.startswith("| `"):
            first, *others = (cell.strip() for cell in line.split("|")[1:-1])
            found[first.strip("`")] = others
    return found


def test_every_reason_of_a_job_is_explained_with_the_remedy_that_its_messages_have():
    told = {name: cells[-1] for name, cells in rows("What does it wait for").items()}
    assert told == {name: each.remedy or "nothing" for name, each in REASONS.items()}


def test_every_failure_is_explained_with_its_general_remedy():
    told = {name: cells[-1] for name, cells in rows("Why did it fail").items()}
    assert told == {each.value: REMEDIES[each] for each in Failure}


def names_of(model: type[BatchJobStatus] | type[AwsStatus]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_every_field_of_the_status_of_a_job_is_explained():
    assert rows("What the status says").keys() == names_of(BatchJobStatus) - names_of(AwsStatus)


def test_the_picture_names_why_runs_begin_and_what_conditions_say_how_a_job_stands():
    picture = PAGE.split("```")[1]
    for word in (*Cause, "Suspended", "Complete", "Failed"):
        assert word in picture
    for each in set(Stop) - {Stop.HELD}:  # that is of no run which AWS has had
        assert f"`{each}`" in section("A job's life")


def life_table() -> list[list[str]]:
    """What the conditions are in each state, and what Flux and Argo CD say."""
    [table] = re.findall(r"\n\| the job \|.*?\n\n", section("A job's life"), re.DOTALL)
    lines = table.strip().splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_conditions_and_policies_are_those_that_there_are():
    named = {word for row in life_table() for word in re.findall(r"`(\w+)`", row[1])}
    assert named == {"Reconciling", "Suspended", "Stalled", "Complete", "Failed"}
    assert named <= conditions.TYPES
    for policy in RerunPolicy:
        assert f"| `{policy}`" in section("A job's life")


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("After {} s the job is looked for", Settings(cluster_id="c").settling_seconds),
        ("then for {} s", 2 * Settings(cluster_id="c").settling_seconds),
        ("up to {} s", 5 * Settings(cluster_id="c").settling_seconds),
        ("older than {} days", {6: "six"}[int(submitting.TRACEABLE_SECONDS / submitting.DAY)]),
        ("{} minutes later, and once more", {6: "Six"}[int(submission.SWEEP_SECONDS / 60)]),
        ("SubmitJob request | {} KiB", request.REQUEST_BYTES // 1024),
        ("the list of a retry | {} characters", f"{request.OVERRIDE_CHARACTERS:,}"),
        ("about {} failed", f"{round(request.OVERRIDE_CHARACTERS / len('1234,'), -2):,.0f}"),
    ],
)  # fmt: skip
def test_its_numbers_are_those_of_the_code(words, number):
    text = words.format(int(number) if isinstance(number, float) else number)
    assert text in FLAT


def test_where_aws_stops_is_what_the_schema_takes():
    crd = yaml.load((REPOSITORY / "crds/awsbatch.dev_batchjobs.yaml").read_text(), yaml.CSafeLoader)
    [version] = crd["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    size = spec["arrayProperties"]["properties"]["size"]
    attempts = spec["retryStrategy"]["properties"]["attempts"]
    assert f"| members of an array | {size['minimum']} to {size['maximum']:,} |" in PAGE
    assert f"| jobs that one depends on | {spec['dependsOn']['maxItems']} |" in PAGE
    assert f"| attempts | {attempts['minimum']} to {attempts['maximum']} |" in PAGE


@pytest.mark.parametrize(
    ("environment", "index"),
    [
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "4"}, "4"),
        ({"AWS_BATCH_JOB_ARRAY_INDEX": "1", "SHARDS": "3,7,11"}, "7"),
        ({"SHARDS": "17"}, "17"),
    ],
)
def test_a_script_that_does_what_it_says_has_its_index_in_each_run(environment, index):
    [script] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    command = ["/bin/sh", "-euc", f'{script}printf %s "$index"']
    path = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, env=path | environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == index


@pytest.mark.parametrize("setting", sorted(set(re.findall(r"`--([\w-]+)", PAGE))))
def test_a_setting_that_it_names_exists(setting):
    assert setting.replace("-", "_") in Settings.model_fields


@pytest.mark.parametrize("field", sorted(set(re.findall(r"`(?:\w+(?:\[\])?\.)*([a-z]\w+)`", PAGE))))
def test_a_field_that_it_names_exists_in_the_reference(field):
    others = {"multinode", "when"}
    assert f"`{field}`" in REFERENCE or f".{field}" in REFERENCE or field in others


def test_the_reasons_that_it_names_are_in_the_catalogue():
    known = {each.name for each in catalogue.reasons()} | conditions.TYPES
    known |= {each.value for each in Failure} | set(Cause) | set(Stop) | set(RerunPolicy)
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", PAGE))
    assert len(named) > 20
    assert named - known == set()


def test_the_answers_of_argo_cd_are_those_that_the_test_data_of_its_script_have():
    folder = REPOSITORY / "deploy/argocd/resource_customizations/awsbatch.dev/BatchJob"
    cases = yaml.safe_load((folder / "health_test.yaml").read_text())["tests"]
    given = {case["healthStatus"]["status"] for case in cases}
    assert {row[-1] for row in life_table()} == given
