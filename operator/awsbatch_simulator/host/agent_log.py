"""What the ECS agent writes into its log when it cannot register, and when that is on the console.

Sources: aws/amazon-ecs-agent, ecs-agent/api/ecs/client/ecs_client.go (the message) and
agent/app/agent.go (the end); the errors as users have quoted them from /var/log/ecs/ecs-agent.log.
The log is no part of the console: it gets there if a timer of the user data prints it.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from awsbatch_simulator.host.outcome import Call

_AFTER = re.compile(r"--on-active=(\d{1,6})s?")
NO_CREDENTIALS = "NoCredentialProviders: no valid providers in chain. Deprecated."
# A state that was cloned: aws/amazon-ecs-agent#2738.
CLONED = (
    "InvalidParameterException: Arguments on this idempotent request are inconsistent with "
    "arguments used in previous request(s)."
)
REGISTER = "Unable to register as a container instance with ECS"


def lines(now: float, *errors: str, message: str = REGISTER) -> str:
    """The agent's lines about these errors, as its logger writes them."""
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    told = [f'level=error time={at} msg="{message}" error="{each}"' for each in errors]
    last = "Agent will terminally exit, unable to register container instance"
    return "\n".join([*told, f'level=critical time={at} msg="{last}"']) + "\n"


def denied(account: str, role: str, instance: str, action: str) -> str:
    """ECS's refusal, by the identity that an instance has."""
    who = f"arn:aws:sts::{account}:assumed-role/{role}/{instance}"
    return (
        f"AccessDeniedException: User: {who} is not authorized to perform: {action} on resource: * "
        f"because no identity-based policy allows the {action} action"
    )


def printed_after(calls: Iterable[Call]) -> tuple[float, ...]:
    """Seconds after the boot at which timers of the user data print the log on the console."""
    found = []
    for call in calls:
        text = " ".join(call)
        if call[0] != "systemd-run" or "/var/log/ecs/" not in text or "/dev/console" not in text:
            continue
        found += [float(seconds) for seconds in _AFTER.findall(text)]
    return tuple(sorted(found))
