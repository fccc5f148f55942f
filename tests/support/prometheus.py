"""Prometheus's own answers to queries and rules, over scrapes that a test has kept.

Built from tools/monitoring when it is first needed: the engine, the parsers and the templates of
Prometheus, without its storage and its clock.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from awsbatch_sandbox.build import Builder, executable
from awsbatch_sandbox.paths import GO_REQUIREMENTS, TOOLS_MODULE, cache_directory
from awsbatch_sandbox.pins import read_module
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.toolchain import find_go

MODULE = TOOLS_MODULE / "monitoring"
COSTS = "about 3 minutes on two busy cores"
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
    module, cache = read_module(MODULE), cache_directory(os.environ)
    built = cache / f"monitoring-{module.key}"
    if not executable(built / EVALUATE):
        shown = Progress(sys.stderr)
        go = partial(
            find_go,
            module.go,
            environ=os.environ,
            cache=cache,
            requirements=GO_REQUIREMENTS,
            progress=shown,
        )
        Builder(MODULE, "-s -w", COSTS, built, os.environ, shown, go).build([EVALUATE])
    return built / EVALUATE


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
