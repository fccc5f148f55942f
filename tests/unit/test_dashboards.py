"""The files of dashboards and alerts: about metrics that there are, and fit for any Grafana."""

import json
import re

import pytest
import yaml
from tests.support.expressions import DASHBOARDS, panels, rules, substituted
from tools import dashboards

from awsbatch_operator.aws.error_table import ANSWERED, BROKEN
from awsbatch_operator.aws.errors import ErrorKind
from awsbatch_sandbox.paths import REPOSITORY

OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
PAGE = (REPOSITORY / "docs" / "monitoring.md").read_text()
PREFIX = "awsbatch_operator_"
SUFFIXES = ("_bucket", "_count", "_sum")
TARGET = {"job", "namespace", "pod"}  # labels that Prometheus gives what it scrapes
OTHERS = {"process_resident_memory_bytes", "process_cpu_seconds_total"}
QUERIES = [query for _, _, query in panels()] + [rule["expr"] for rule in rules()]


def served():
    """The labels of each metric, by the table of docs/operations.md."""
    found: dict[str, set[str]] = {}
    for row in re.findall(r"^\| (`\w+`[^|]*)\|([^|]*)\|", OPERATIONS, re.MULTILINE):
        names, labels = (set(re.findall(r"`(\w+)`", cell)) for cell in row)
        found |= {PREFIX + name: labels for name in names}
    return found


def selectors(query):
    """Each metric of a query, with the labels that select it."""
    for name, chosen in re.findall(r"\b((?:awsbatch|process)_\w+)(?:\{([^}]*)\})?", query):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", chosen or ""))


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_about_metrics_and_labels_that_the_operator_serves(query):
    known, labels = served(), {"le"} | TARGET
    asked = list(selectors(query))
    assert asked
    for name, chosen in asked:
        if name in OTHERS:
            assert chosen <= TARGET
            continue
        base = next((name.removesuffix(s) for s in SUFFIXES if name.endswith(s)), name)
        assert base in known, query
        assert chosen <= known[base] | TARGET, query
        labels |= known[base]
    for grouped in re.findall(r"\bby \(([^)]*)\)", query):
        assert set(re.findall(r"\w+", grouped)) <= labels, query


def test_a_legend_names_labels_that_its_query_leaves():
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
                left = {
                    label
                    for grouped in re.findall(r"\bby \(([^)]*)\)", target["expr"])
                    for label in re.findall(r"\w+", grouped)
                }
                assert named <= left | TARGET, target


def test_the_files_are_what_the_panels_say():
    for path, text in dashboards.files().items():
        assert (REPOSITORY / path).read_text() == text, path
    assert sorted(REPOSITORY / path for path in dashboards.files()) == DASHBOARDS


def test_the_command_names_a_file_that_differs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(dashboards, "ROOT", tmp_path)
    (tmp_path / dashboards.FOLDER).mkdir(parents=True)
    assert dashboards.main(["--check"]) == 1
    assert "jobs.json is not what" in capsys.readouterr().out
    assert dashboards.main([]) == 0
    assert dashboards.main(["--check"]) == 0


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_fits_any_grafana(path):
    text = path.read_text()
    dashboard = json.loads(text)
    choices = {each["name"] for each in dashboard["templating"]["list"]}
    assert set(re.findall(r'"uid": "(?!awsbatch-)(.*?)"', text)) == {"${datasource}"}
    used = {
        name
        for panel in dashboard["panels"]
        for t in panel["targets"]
        for name in re.findall(r"\$([a-z]\w*)", t["expr"])
    }
    assert used <= choices
    assert choices - used <= {"datasource"}
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [
        (x, y)
        for p in places
        for x in range(p["x"], p["x"] + p["w"])
        for y in range(p["y"], p["y"] + p["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < dashboards.WIDTH
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
    assert len(text) < 500_000  # of a ConfigMap's megabyte


def test_a_panel_that_a_choice_does_not_narrow_says_so():
    """Whoever has chosen a queue would take the numbers of all of them for that queue's."""
    told = 0
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        choices = {each["name"] for each in dashboard["templating"]["list"]}
        for name in choices - {"datasource", "job"}:
            for panel in dashboard["panels"]:
                if all(f"${name}" in target["expr"] for target in panel["targets"]):
                    assert f"of all {name}s" not in panel["description"].lower(), panel["title"]
                else:
                    assert f"of all {name}s" in panel["description"].lower(), panel["title"]
                    told += 1
    assert told


def test_the_component_and_the_page_have_every_dashboard():
    folder = REPOSITORY / dashboards.FOLDER
    made = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert made["generatorOptions"]["labels"]["grafana_dashboard"] == "1"
    listed = [name for each in made["configMapGenerator"] for name in each["files"]]
    assert sorted(listed) == [path.name for path in DASHBOARDS]
    for path in DASHBOARDS:
        assert f"(pictures/dashboards/{path.stem}.svg)" in PAGE
        picture = REPOSITORY / "docs" / "pictures" / "dashboards" / f"{path.stem}.svg"
        assert picture.stat().st_size < 60_000
        for panel in json.loads(path.read_text())["panels"]:
            assert f">{panel['title']}<" in picture.read_text().replace("&#x27;", "'")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_after_how_long_and_what_to_do(rule):
    assert rule["for"]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"].endswith(".")
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    text = (REPOSITORY / page).read_text()
    assert anchor in [name.lower() for name in re.findall(r"^### (\w+)$", text, re.MULTILINE)]
    for named in re.findall(r"docs/[\w-]+\.md", rule["annotations"]["description"]):
        assert (REPOSITORY / named).exists()


def test_an_alert_tells_of_every_code_that_means_that_a_person_must_give_a_right():
    [query] = [rule["expr"] for rule in rules() if rule["alert"] == "AWSBatchAWSRefuses"]
    [told] = re.findall(r'code=~"([^"]+)"', query)
    denied = {
        code.replace("*", "More")
        for row in ANSWERED
        if row.kind is ErrorKind.DENIED
        for code in row.codes
    }
    kept_back = [row for row in BROKEN if row.kind is ErrorKind.DENIED]
    denied |= {row.obstacle.value for row in kept_back if row.obstacle is not None}
    assert len(denied) > 15
    assert [code for code in sorted(denied) if not re.fullmatch(told, code)] == []


def test_the_page_explains_the_alerts_that_there_are():
    _, _, told = PAGE.partition("## Alerts")
    assert re.findall(r"^### (\w+)$", told, re.MULTILINE) == [rule["alert"] for rule in rules()]


def test_what_grafana_sends_has_no_choices_left():
    assert all("$" not in substituted(query) for query in QUERIES)


def test_the_labels_of_metrics_stay_when_they_are_scraped():
    """Prometheus would rename the namespace of an environment, and alerts name the operator's."""
    monitor = REPOSITORY / "deploy" / "components" / "monitoring" / "service-monitor.yaml"
    (endpoint,) = yaml.safe_load(monitor.read_text())["spec"]["endpoints"]
    assert endpoint["honorLabels"] is True
