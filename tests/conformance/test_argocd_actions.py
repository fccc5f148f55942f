"""The actions for Argo CD, over their own test data and in the way in which it runs them."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from tests.support.argocd import SCRIPTS, Actions
from tests.support.one_process import definitions

from awsbatch_operator.api.metadata import GROUP, PAUSED, RECONCILE_AT
from awsbatch_operator.assembly import KINDS

NOW = datetime(2027, 1, 15, 8, 0, 21, tzinfo=UTC)
OF_ALL = {"pause", "resume", "reconcile-now"}


def folder_of(kind: str) -> Any:
    return SCRIPTS / GROUP / kind / "actions"


def read(path: Any) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def cases(part: str) -> list[Any]:
    """What the files beside the scripts say, in Argo CD's own format."""
    return [
        pytest.param(kind, case, id=f"{kind}-{case.get('action', 'discovery')}-{case['inputPath']}")
        for kind in KINDS
        for case in read(folder_of(kind) / "action_test.yaml")[part]
    ]


@pytest.mark.parametrize(("kind", "case"), cases("discoveryTests"))
def test_what_can_be_chosen_is_as_the_file_beside_the_scripts_says(kind, case):
    found = Actions(kind, now=NOW).discover(read(folder_of(kind) / case["inputPath"]))
    assert found == {each["name"]: not each["disabled"] for each in case["result"]}


@pytest.mark.parametrize(("kind", "case"), cases("actionTests"))
def test_an_action_makes_of_its_test_data_what_the_file_beside_it_says(kind, case):
    body = read(folder_of(kind) / case["inputPath"])
    wanted = read(folder_of(kind) / case["expectedOutputPath"])
    assert Actions(kind, now=NOW).run(case["action"], body) == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_without_annotations_can_be_paused_and_looked_at(kind):
    actions = Actions(kind, now=NOW)
    body = read(folder_of(kind) / "testdata/live.yaml")
    del body["metadata"]["annotations"]
    assert actions.run("pause", body)["metadata"]["annotations"] == {PAUSED: "true"}
    looked = actions.run("reconcile-now", body)["metadata"]["annotations"]
    assert looked == {RECONCILE_AT: "2027-01-15T08:00:21Z"}
    assert actions.run("resume", body) == body


@pytest.mark.parametrize("kind", KINDS)
def test_the_actions_of_a_kind_are_those_of_all_kinds_and_a_job_can_run_again(kind):
    wanted = OF_ALL | ({"rerun"} if kind == "BatchJob" else set())
    assert Actions(kind, now=NOW).names() == wanted
    for name in ("discovery.lua", *(f"{each}/action.lua" for each in OF_ALL)):
        text = (folder_of(kind) / name).read_text(encoding="utf-8")
        assert text == (folder_of(KINDS[0]) / name).read_text(encoding="utf-8")


def test_a_job_that_has_ended_runs_again_as_another_job_that_git_does_not_know():
    body = read(folder_of("BatchJob") / "testdata/complete.yaml")
    body["metadata"]["labels"] = {"app.kubernetes.io/instance": "tracked"}
    [made] = Actions("BatchJob", now=NOW).run("rerun", body)
    job = made["resource"]
    assert made["operation"] == "create"
    assert job["metadata"] == {
        "name": f"{body['metadata']['name']}-20270115080021",
        "namespace": body["metadata"]["namespace"],
        "ownerReferences": [
            {
                "apiVersion": body["apiVersion"],
                "kind": "BatchJob",
                "name": body["metadata"]["name"],
                "uid": body["metadata"]["uid"],
                "blockOwnerDeletion": False,
                "controller": False,
            }
        ],
    }
    assert job["spec"] == body["spec"]
    assert "status" not in job
    [schema] = [each for each in definitions() if each.kind == "BatchJob"]
    assert schema.undeclared("spec", job["spec"]) == []
