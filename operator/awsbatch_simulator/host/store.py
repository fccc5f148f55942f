"""What is known of the hosts in one account and region."""

from dataclasses import dataclass, field
from typing import Any

from awsbatch_simulator.clock import Timer
from awsbatch_simulator.host.agent import AgentConfig
from awsbatch_simulator.host.console import Console
from awsbatch_simulator.host.outcome import Outcome

SHOWN = 20


@dataclass(slots=True, eq=False)
class Host:
    """One instance, from inside."""

    instance_id: str
    ready_at: float  # epoch seconds; the agent does not register before
    booted_at: float = 0.0  # epoch seconds
    outcome: Outcome | None = None  # of its boot, once that is over
    config: AgentConfig | None = None  # of its agent, once that has started
    trouble: str = ""  # why its agent has not registered; empty: it has, or is about to
    end: Timer | None = None  # a shutdown from inside

    def shown(self) -> dict[str, Any]:
        """As the admin interface shows it."""
        outcome = self.outcome
        return {
            "instanceId": self.instance_id,
            "bootEnded": outcome is not None and not outcome.stuck,
            "executed": outcome is not None and outcome.executed,
            "ecsConfig": "" if outcome is None else outcome.config,
            "failedScripts": [] if outcome is None else list(outcome.failed),
            "trouble": self.trouble,
        }


@dataclass(slots=True)
class HostStore:
    """Hosts by EC2 id, from their boot until they are terminated, and the consoles of all."""

    hosts: dict[str, Host] = field(default_factory=dict)
    consoles: dict[str, Console] = field(default_factory=dict)

    def troubles(self) -> dict[str, str]:
        """Why agents have not registered, by instance; the first few."""
        found = {each.instance_id: each.trouble for each in self.hosts.values() if each.trouble}
        return dict(list(found.items())[:SHOWN])
