"""Live all runs of `monitored`, and draw the dashboards of what was scraped: `make pictures`.

Each panel shows the first run in which its case occurs, and says which. In docs/pictures/.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from tests.support import monitored
from tests.support.expressions import DASHBOARDS, expressions, substituted
from tests.support.prometheus import Answers, ask
from tools.dashboard_pictures import Line, Shown, legend, picture

from awsbatch_sandbox.paths import REPOSITORY

PICTURES = REPOSITORY / "docs" / "pictures"
# What a panel is drawn of, where several runs have it.
FIRST = ("crowded", "no_capacity", "dear", "throttled")


def answered(folder: Path) -> Mapping[str, Answers]:
    """What Prometheus makes of each run, by its name."""
    found = {}
    for scenario in sorted(monitored.SCENARIOS, key=lambda each: each.__name__ not in FIRST):
        name = scenario.__name__
        where = folder / name
        where.mkdir()
        found[name] = ask(monitored.live(scenario, where), expressions())
    return found


def shown(panel: Mapping[str, Any], runs: Mapping[str, Answers]) -> Shown:
    """The first run in which it has data that is not all zero, else the first with any."""
    ranked: list[tuple[bool, Shown]] = []
    for name, answers in runs.items():
        lines = [
            Line(legend(target["legendFormat"], series["labels"]), series["values"])
            for target in panel["targets"]
            for series in answers.series[substituted(target["expr"])]
        ]
        lines.sort(key=lambda line: (-max(value for _, value in line.points), line.name))
        if lines:
            ranked.append((_flat(lines), Shown(name.replace("_", " "), lines)))
    return min(ranked, key=lambda each: each[0])[1] if ranked else Shown("", ())


def _flat(lines: Sequence[Line]) -> bool:
    return not any(value for line in lines for _, value in line.points)


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
    sys.exit(main())
