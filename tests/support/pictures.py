"""Live all runs of `monitored`, and draw the dashboards of what was scraped: `make pictures`.

Each panel shows the run in which most happens of what it is about, and says which.
"""

import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import structlog
from tests.support import monitored
from tests.support.expressions import DASHBOARDS, expressions, substituted
from tests.support.prometheus import Answers, ask
from tools.dashboard_pictures import LINES, Line, Shown, legend, picture

from awsbatch_sandbox.paths import REPOSITORY

PICTURES = REPOSITORY / "docs" / "pictures" / "dashboards"


def answered(folder: Path) -> Mapping[str, Answers]:
    """What Prometheus makes of each run, by its name."""
    found = {}
    for scenario in monitored.SCENARIOS:
        name = scenario.__name__
        where = folder / name
        where.mkdir()
        found[name] = ask(monitored.live(scenario, where), expressions())
    return found


def shown(panel: Mapping[str, Any], runs: Mapping[str, Answers]) -> Shown:
    """The run in which its values change most often; of several such, the first."""
    ranked: list[tuple[int, Shown]] = []
    for name, answers in runs.items():
        lines = [
            Line(legend(target["legendFormat"], series["labels"]), series["values"])
            for target in panel["targets"]
            for series in answers.series[substituted(target["expr"])]
        ]
        lines.sort(key=lambda line: (-max(value for _, value in line.points), line.name))
        if lines:
            ranked.append((_changes(lines), Shown(name.replace("_", " "), lines)))
    return max(ranked, key=lambda each: each[0])[1] if ranked else Shown("", ())


def _changes(lines: Sequence[Line]) -> int:
    """How often the lines that are drawn change; one that is ever more than nothing: once more."""
    return sum(
        any(value for _, value in line.points)
        + sum(one != other for (_, one), (_, other) in pairwise(line.points))
        for line in lines[:LINES]
    )


def main() -> None:
    """Draw all of them."""
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        runs = answered(Path(folder))
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text())
        panels = {panel["id"]: shown(panel, runs) for panel in dashboard["panels"]}
        (PICTURES / f"{path.stem}.svg").write_text(picture(dashboard, panels), encoding="utf-8")


if __name__ == "__main__":
    main()
