"""Prometheus's own answers to queries and rules, over scrapes that a test has kept.

Built from tools/monitoring when it is first needed: the engine, the parsers and the templates of
Prometheus, without its storage and its clock.
"""

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.support.go_module import GoModule

MODULE = GoModule("monitoring", costs="about 3 minutes on two busy cores")
EVERY = 30.0  # seconds between evaluations, as between scrapes


class Evaluator(str):
    """The one tool of the module: its text is the binary's name."""

    __slots__ = ()

    @property
    def package(self) -> str:
        """The Go package to build."""
        return f"./{self}"


EVALUATE = Evaluator("evaluate")


def find() -> Path:
    """Where the evaluator is, made if it is missing. ToolsMissing if that fails."""
    return MODULE.build([EVALUATE]) / EVALUATE


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one target served at one time; `file` is "" if it did not answer."""

    at: float
    labels: Mapping[str, str]
    honor: bool
    file: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that has begun to fire."""

    name: str
    at: float
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of the queries, each by its text, and of the rules."""

    series: Mapping[str, Sequence[Mapping[str, Any]]]
    alerts: Sequence[Alert]


def ask(scrapes: Sequence[Scrape], queries: Iterable[str], rules: str = "") -> Answers:
    """Evaluate over the whole time of the scrapes. AssertionError if something is no PromQL."""
    start, end = scrapes[0].at, scrapes[-1].at
    times = {"start": start, "end": end, "step": EVERY}
    request = {
        "scrapes": [asdict(scrape) for scrape in scrapes],
        "queries": [{"id": expr, "expr": expr, **times} for expr in dict.fromkeys(queries)],
        "rules": rules,
        **times,
    }
    done = subprocess.run(
        [str(find())], input=json.dumps(request), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    reply = json.loads(done.stdout)
    wrong = {each["id"]: each["error"] for each in reply["queries"] if each.get("error")}
    assert not wrong, wrong
    return Answers(
        {each["id"]: each["series"] for each in reply["queries"]},
        [Alert(**alert) for alert in reply["alerts"]],
    )


if __name__ == "__main__":
    find()
