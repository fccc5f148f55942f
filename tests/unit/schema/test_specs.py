"""The spec and status models of the kinds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.crd_cases import BASES

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.kinds.batchjob.report import BatchJobStatus, JobLogs
from awsbatch_operator.schema.fit import fitted
from awsbatch_operator.schema.request import to_request
from awsbatch_operator.schema.validate import read_spec

OPERATOR = Path(__file__).parents[3] / "operator"
BY_KIND = {resource.kind: resource for resource in RESOURCES}


def read(kind, **members):
    return read_spec(BY_KIND[kind], {**BASES[kind], **members})


def test_awss_members_are_kept_as_they_are_and_ours_apart():
    spec = read("ComputeEnvironment", region="eu-central-1", tags={"a": "b"})
    wanted = {name: BASES["ComputeEnvironment"][name] for name in ("type", "computeResources")}
    assert spec.aws == wanted
    assert (spec.region, spec.tags) == ("eu-central-1", {"a": "b"})
    assert (spec.managed, spec.enabled) == (True, True)
    assert spec.compute_resources["maxvCpus"] == 64


def test_a_disabled_environment_without_resources_reads_as_such():
    role = "arn:aws:iam::111122223333:role/batch"
    spec = read_spec(
        BY_KIND["ComputeEnvironment"],
        {"type": "UNMANAGED", "serviceRole": role, "state": "DISABLED"},
    )
    assert (spec.managed, spec.enabled, spec.compute_resources) == (False, False, {})


def test_a_queue_lists_its_environments_in_order():
    entries = [
        {"order": 7, "computeEnvironmentRef": {"name": "late"}},
        {"order": 2, "computeEnvironmentRef": {"name": "early"}},
    ]
    spec = read("JobQueue", computeEnvironmentOrder=entries)
    names = [entry["computeEnvironmentRef"]["name"] for entry in spec.environments]
    assert names == ["early", "late"]


@pytest.mark.parametrize(
    ("given", "lines"), [({}, 5), ({"logs": {}}, 5), ({"logs": {"statusLines": 0}}, 0)]
)
def test_five_lines_of_output_are_shown_unless_told_otherwise(given, lines):
    assert read("BatchJob", **given).log_lines == lines


@pytest.mark.parametrize(("given", "kept"), [({}, 3), ({"keepRevisions": 1}, 1)])
def test_three_revisions_are_kept_unless_told_otherwise(given, kept):
    assert read("JobDefinition", **given).kept == kept


def test_a_request_takes_decimals_as_floats_and_leaves_the_rest_alone():
    policy = {"shareDistribution": [{"shareIdentifier": "a1", "weightFactor": "0.25"}]}
    assert to_request({"fairsharePolicy": policy, "state": None}) == {
        "fairsharePolicy": {"shareDistribution": [{"shareIdentifier": "a1", "weightFactor": 0.25}]}
    }


def test_a_status_is_cut_to_its_bounds_instead_of_being_refused():
    status = BatchJobStatus(status_reason="r" * 5000, logs=JobLogs(stream="s" * 2000))
    body = status.body()
    assert len(body["statusReason"]) == 2048
    assert body["statusReason"].endswith("r…")
    assert len(body["logs"]["stream"]) == 1024


def test_a_status_written_by_hand_can_be_cut_to_its_bounds():
    attempt = {"reason": "a" * 2000, "exitCode": 1}
    status = {"statusReason": "r" * 5000, "attempts": [attempt], "run": 1, "jobId": "j"}
    assert fitted(BatchJobStatus, status) == {
        "statusReason": "r" * 2047 + "…",
        "attempts": [{"reason": "a" * 1023 + "…", "exitCode": 1}],
        "run": 1,
        "jobId": "j",
    }


def test_a_status_leaves_out_what_is_not_known():
    assert BatchJobStatus(run=1).body() == {"observedGeneration": -1, "conditions": [], "run": 1}


@pytest.mark.parametrize("kind", sorted(BY_KIND))
def test_every_field_of_ours_is_read_or_said_not_to_be_honoured_yet(kind):
    """Nothing that a user writes is ignored in silence."""
    resource = BY_KIND[kind]
    later = {entry.path for entry in resource.not_yet}
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (OPERATOR / "awsbatch_operator").rglob("*.py")
        if path.name != "spec.py"
    )
    spec_of_it = (OPERATOR / f"awsbatch_operator/kinds/{kind.lower()}/spec.py").read_text("utf-8")
    for name, field in resource.spec.model_fields.items():
        read = re.search(rf"\.{name}\b|[\"'.]{field.alias}[\"'.]", code)
        assert read or f"self.{name}" in spec_of_it or field.alias in later, name


def test_a_spec_can_be_imported_without_any_client_library():
    rooms = ", ".join(f"awsbatch_operator.kinds.{r.kind.lower()}.spec" for r in RESOURCES)
    script = (
        f"import sys, {rooms}\n"
        "found = {'boto3', 'botocore', 'kubernetes', 'kopf', 'aiohttp'} & set(sys.modules)\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(OPERATOR)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
