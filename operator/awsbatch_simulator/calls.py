"""How often what was called, by whom and with which outcome."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

OK = "OK"
DROPPED_BEFORE = "DroppedBeforeCommit"
DROPPED_AFTER = "DroppedAfterCommit"


@dataclass(frozen=True, slots=True)
class CallKind:
    """What is counted together."""

    service: str
    operation: str
    outcome: str  # OK, an error code, or how the connection ended
    account: str
    region: str
    principal: str


class CallLog:
    """Counts since the last reset. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._counts: Counter[CallKind] = Counter()

    def record(self, kind: CallKind) -> None:
        """Count one call."""
        self._counts[kind] += 1

    def clear(self) -> None:
        """Forget all counts."""
        self._counts.clear()

    def count(self, service: str, operation: str = "*", outcome: str = "*") -> int:
        """How many calls there were; `*` stands for any."""
        return sum(
            number
            for kind, number in self._counts.items()
            if kind.service == service
            and operation in ("*", kind.operation)
            and outcome in ("*", kind.outcome)
        )

    def report(self) -> dict[str, Any]:
        """As `GET /_simulator/calls` answers."""
        services: dict[str, Counter[str]] = {}
        for kind, number in self._counts.items():
            services.setdefault(kind.service, Counter())[kind.operation] += number
        return {
            "total": self._counts.total(),
            "services": {name: dict(counts) for name, counts in sorted(services.items())},
            "calls": [
                {
                    "service": kind.service,
                    "operation": kind.operation,
                    "outcome": kind.outcome,
                    "account": kind.account,
                    "region": kind.region,
                    "principal": kind.principal,
                    "count": number,
                }
                for kind, number in self._counts.items()
            ],
        }
