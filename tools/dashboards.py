"""Write the Grafana dashboards of deploy/components/dashboards from tools/dashboard_panels.py.

`python -m tools.dashboards` writes; with --check it says what would differ, and fails if anything
does. Written here once: the look, the variables, and how panels are laid out.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("deploy/components/dashboards")
WIDTH, HEIGHT = 24, 8  # of Grafana's grid: columns in all, and rows of a panel
SCHEMA = 39  # of the JSON, since Grafana 10.4
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and how its series are called: `{{label}}` stands for a label."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One question and what answers it. `unit` is one of Grafana's; `columns` of WIDTH wide."""

    title: str
    says: str
    queries: Sequence[Query]
    unit: str = "short"
    columns: int = 12
    stacked: bool = False
    most: float | None = None  # the top of the axis, where it is known


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice in the head of a dashboard: the values that a label has in a metric."""

    name: str
    label: str
    metric: str
    value: str  # the metric's label


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One file."""

    name: str
    title: str
    says: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = ()


INSTALLATION = Variable("job", "Installation", "awsbatch_operator_leader", "job")


def rendered(dashboard: Dashboard) -> Mapping[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": f"awsbatch-{dashboard.name}",
        "title": f"AWS Batch operator / {dashboard.title}",
        "description": dashboard.says,
        "tags": ["aws-batch-operator"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "annotations": {"list": []},
        "links": [_links()],
        "templating": {
            "list": [_datasource(), *map(_variable, (INSTALLATION, *dashboard.variables))]
        },
        "panels": list(_panels(dashboard.panels)),
    }


def _links() -> Mapping[str, Any]:
    """To the other dashboards, with the same time and variables."""
    return {
        "type": "dashboards",
        "title": "AWS Batch operator",
        "tags": ["aws-batch-operator"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }


def _datasource() -> Mapping[str, Any]:
    return {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }


def _variable(variable: Variable) -> Mapping[str, Any]:
    asked = f"label_values({variable.metric}, {variable.value})"
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": SOURCE,
        "definition": asked,
        "query": {"query": asked, "refId": variable.name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def _panels(panels: Sequence[Panel]) -> Iterator[Mapping[str, Any]]:
    """From left to right, and from top to bottom."""
    left = top = 0
    for number, panel in enumerate(panels, start=1):
        if left + panel.columns > WIDTH:
            left, top = 0, top + HEIGHT
        place = {"x": left, "y": top, "w": panel.columns, "h": HEIGHT}
        left += panel.columns
        yield _panel(number, panel, place)


def _panel(number: int, panel: Panel, place: Mapping[str, int]) -> Mapping[str, Any]:
    custom: dict[str, Any] = {"lineWidth": 1, "fillOpacity": 25 if panel.stacked else 5}
    if panel.stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0, "custom": custom}
    if panel.most is not None:
        defaults["max"] = panel.most
    return {
        "id": number,
        "title": panel.title,
        "description": panel.says,
        "type": "timeseries",
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def files() -> Mapping[Path, str]:
    """The content of every file, by its path in the repository."""
    from tools.dashboard_panels import DASHBOARDS  # noqa: PLC0415 - which is made of what is above

    return {
        FOLDER / f"{each.name}.json": json.dumps(rendered(each), indent=1) + "\n"
        for each in DASHBOARDS
    }


def main(arguments: Sequence[str]) -> int:
    """Write or check; 1 if something differs."""
    wrong = 0
    for path, text in files().items():
        target = ROOT / path
        if "--check" not in arguments:
            target.write_text(text, encoding="utf-8")
        elif not target.exists() or target.read_text(encoding="utf-8") != text:
            print(f"{path} is not what tools/dashboard_panels.py says; run: make reference")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
