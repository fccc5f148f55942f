"""Who has written into which objects of ours, by the API server's audit log."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

READ = {"get", "list", "watch"}


def noted(log: Path) -> list[str]:
    """The lines so far; one that is being written is not among them."""
    return log.read_text().split("\n")[:-1]


def writes(lines: Iterable[str]) -> Counter[tuple[str, str]]:
    """How often who has written in which namespace; whoever acts as somebody else counts as him."""
    found: Counter[tuple[str, str]] = Counter()
    for line in lines:
        event = json.loads(line)
        if event["verb"] not in READ and "namespace" in event.get("objectRef", {}):
            who = event.get("impersonatedUser", event["user"])["username"]
            found[who, event["objectRef"]["namespace"]] += 1
    return found
