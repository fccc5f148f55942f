"""The queries of the dashboards and the alert rules, as they stand in the files."""

import json
import re
from typing import Any

import yaml

from awsbatch_sandbox.paths import REPOSITORY

DASHBOARDS = sorted((REPOSITORY / "deploy" / "components" / "dashboards").glob("*.json"))
RULES = REPOSITORY / "deploy" / "components" / "monitoring" / "prometheus-rule.yaml"
_CHOICE = re.compile(r"\$(?!__)\w+")


def panels() -> list[tuple[str, str, str]]:
    """Dashboard, panel and query of each target."""
    return [
        (path.stem, panel["title"], target["expr"])
        for path in DASHBOARDS
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]


def substituted(query: str) -> str:
    """As Grafana sends it: all of each choice, and four scrapes for a rate (at 30 s each)."""
    return _CHOICE.sub(".*", query.replace("$__rate_interval", "2m"))


def expressions() -> list[str]:
    """All queries of the dashboards, as Grafana sends them."""
    return [substituted(query) for _, _, query in panels()]


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    (group,) = yaml.safe_load(RULES.read_text())["spec"]["groups"]
    return list(group["rules"])


def rule_file() -> str:
    """The rules as a file of Prometheus."""
    return yaml.safe_dump(yaml.safe_load(RULES.read_text())["spec"])
