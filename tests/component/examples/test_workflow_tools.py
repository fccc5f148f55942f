"""Workflow tools that create a BatchJob: when they go on, and when they fail."""

import re
import sys
import types
from typing import Any

import pytest
import yaml
from tests.component.batchjob.again import falling_back, lost, with_both_queues
from tests.component.batchjob.runs import JOB
from tests.support.argocd import SCRIPTS
from tests.support.examples import DIRECTORY
from tests.support.installation import Installation

from awsbatch_operator.api.metadata import GROUP
from awsbatch_simulator.jobscript import JobScript

FOLDER = DIRECTORY / "workflow-tools"
STATES = sorted((SCRIPTS / GROUP / "BatchJob" / "testdata").glob("*.yaml"))
ENDS = {
    "complete": "Succeeded",
    "failed": "Failed",
    "deadline-exceeded": "Failed",
    "dependency-failed": "Failed",
}
# A requirement as Argo Workflows reads it (workflow/executor/resource.go): Kubernetes' syntax of
# label selectors, whose keys have neither brackets nor quotes, over paths into the object.
_REQUIREMENT = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*) == ([A-Za-z0-9]+)")


def template() -> dict[str, Any]:
    workflow, *_ = yaml.safe_load_all((FOLDER / "argo-workflows.yaml").read_text())
    [found] = workflow["spec"]["templates"]
    return dict(found["resource"])


def matches(condition: str, body: Any) -> bool:
    read = _REQUIREMENT.fullmatch(condition)
    assert read is not None, condition
    path, wanted = read.groups()
    value = body
    for name in path.split("."):
        value = value.get(name, {})
    return bool(value == wanted)


def by_argo(body: Any) -> str:
    resource = template()
    failed = matches(resource["failureCondition"], body)
    succeeded = matches(resource["successCondition"], body)
    return "Failed" if failed else "Succeeded" if succeeded else ""


class Airflow:
    """The names that the DAG imports, and what its tasks are."""

    def __init__(self, body: Any) -> None:
        self.body = body
        self.tasks: dict[str, Any] = {}

    def modules(self) -> dict[str, types.ModuleType]:
        def dag(**_: Any) -> Any:
            return lambda made: made

        def task(function: Any) -> Any:
            self.tasks[function.__name__] = function
            return lambda *_: None

        task.sensor = lambda **_: task  # type: ignore[attr-defined]
        hook = types.SimpleNamespace(
            get_custom_object=lambda **_: self.body,
            create_custom_object=lambda **told: {"metadata": {"name": "made"}, **told},
        )
        offered: dict[str, dict[str, Any]] = {
            "airflow": {},
            "airflow.sdk": {"dag": dag, "task": task, "PokeReturnValue": lambda is_done: is_done},
            "airflow.exceptions": {"AirflowFailException": RuntimeError},
            "airflow.providers.cncf.kubernetes.hooks.kubernetes": {"KubernetesHook": lambda: hook},
        }
        made = {name: types.ModuleType(name) for name in offered}
        for name, members in offered.items():
            vars(made[name]).update(members)
        return made


def by_airflow(body: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    airflow = Airflow(body)
    for name, module in airflow.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    exec(compile((FOLDER / "airflow_dag.py").read_text(), "dag", "exec"), {})  # noqa: S102 - ours
    assert airflow.tasks["create"]() == "made"
    try:
        return "Succeeded" if airflow.tasks["end_of"]("made") else ""
    except RuntimeError:
        return "Failed"


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_a_tool_goes_on_with_a_result_and_fails_with_a_failure(path, monkeypatch):
    body = yaml.safe_load(path.read_text(encoding="utf-8"))
    wanted = ENDS.get(path.stem, "")
    assert by_argo(body) == wanted
    assert by_airflow(body, monkeypatch) == wanted


async def test_a_tool_waits_while_another_run_follows_one_that_was_lost():
    there = Installation()
    seen: list[str] = []
    async with there.running():
        await with_both_queues(there, lost("*main*"), JobScript(duration_seconds=5))
        there.kube.subscribe(
            lambda _, body: seen.append(by_argo(body)) if body["kind"] == "BatchJob" else None
        )
        there.apply(JOB, falling_back(2))
        await there.until(JOB, "Complete", within=3600)
        assert there.status(JOB)["run"] == 3
    assert set(seen) == {"", "Succeeded"}
    assert seen[-1] == "Succeeded"
