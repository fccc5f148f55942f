"""Why an instance has not joined the ECS cluster: what its console says, and what to do about it.

The generated user data has the agent's last errors printed on the console, which EC2 keeps for
about an hour after the instance has ended. The words are the ECS agent's own (aws/amazon-ecs-agent:
ecs-agent/api/ecs/client/ecs_client.go, agent/app/agent.go), those of the AWS SDK that it is made
with, and cloud-init's (cloudinit/subp.py, config/cc_scripts_user.py).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import shorten

from awsbatch_operator.api.words import sentence

QUOTED_AT_MOST = 240
_ECS = "ecs, ecs-agent and ecs-telemetry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The instance that is asked about."""

    instance: str
    cluster: str  # name of the ECS cluster
    profile: str  # name or ARN of its instance profile, "" if not known


Told = Callable[[re.Match[str], Subject], str]


def diagnosis(console: str, subject: Subject) -> str:
    """What was seen and what to do, in a few sentences; the gravest sign alone."""
    for words, told in _SIGNS:
        found = list(words.finditer(console))
        if found:
            return f"{subject.instance}: {told(found[-1], subject)}"
    seen = "its console names no cause" if console.strip() else "its console is empty"
    return (
        f"{subject.instance}: {seen}. See that the image has the ECS agent, that {_role(subject)} "
        "has the rights of AmazonEC2ContainerServiceforEC2Role, and that the subnet has a way to "
        f"ECS; aws ec2 get-console-output --latest --instance-id {subject.instance} shows the rest."
    )


def has_sign(console: str) -> bool:
    """Whether it names a cause."""
    return any(words.search(console) for words, _ in _SIGNS)


def unreadable(subject: Subject, why: str) -> str:
    """What to tell where EC2 does not show the console."""
    return f"{subject.instance}: its console cannot be read: {sentence(why)}"


def _role(subject: Subject) -> str:
    name = subject.profile.rpartition("/")[2]
    return f"the role of the instance profile {name}" if name else "the role of its profile"


def _mismatch(found: re.Match[str], subject: Subject) -> str:
    return (
        f"the ECS agent has a saved state of the cluster {_quoted(found[1])}, not of "
        f"{subject.cluster}: the image was made of an instance that had joined it. Make the image "
        "anew after the agent was stopped and /var/lib/ecs/data/* was deleted."
    )


def _denied(found: re.Match[str], subject: Subject) -> str:
    action = found[1] or "what it needs"
    remedy = "The managed policy AmazonEC2ContainerServiceforEC2Role grants what the agent needs."
    if action == "ecs:TagResource":
        remedy = "Grant it, or leave tags out of userData.ecsConfig."
    return f"the ECS agent may not do {action}: {_role(subject)} does not allow it. {remedy}"


def _no_credentials(found: re.Match[str], subject: Subject) -> str:
    del found
    return (
        f"the ECS agent gets no credentials: see that {_role(subject)} exists, that EC2 may assume "
        "it, and that nothing keeps the instance's metadata from the agent."
    )


def _no_cluster(found: re.Match[str], subject: Subject) -> str:
    del found
    return (
        f"ECS does not know the cluster {subject.cluster}. If somebody has deleted it, the "
        "environment must be made anew; if not, see what the user data writes as ECS_CLUSTER."
    )


def _no_way(found: re.Match[str], subject: Subject) -> str:
    del subject
    return (
        f"the ECS agent cannot reach AWS ({_quoted(found[0])}). Give the subnet a way to ECS (a "
        f"NAT gateway, a public address, or VPC endpoints for {_ECS}), and let the security groups "
        "reach port 443."
    )


def _no_agent(found: re.Match[str], subject: Subject) -> str:
    del subject
    return (
        f"the image has no ECS agent that starts ({_quoted(found[0])}). Name an ECS-optimized "
        "image, or one that was made of it."
    )


def _hangs(found: re.Match[str], subject: Subject) -> str:
    del found, subject
    return (
        "the boot hangs: a script of the user data waits for ecs or docker, which start after it. "
        "Leave that out of the script."
    )


def _failed_script(found: re.Match[str], subject: Subject) -> str:
    del subject
    return f"a part of the user data has failed ({_quoted(found[0])}). Correct the pool's userData."


def _other(found: re.Match[str], subject: Subject) -> str:
    del subject
    return f"the ECS agent says {_quoted(found[1])}. Mend what it names."


def _quoted(text: str) -> str:
    """AWS's or the agent's words in one short line."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return f"“{shorten(printable, QUOTED_AT_MOST, placeholder=' …')}”"


_SIGNS: tuple[tuple[re.Pattern[str], Told], ...] = (
    (re.compile(r"Data mismatch; saved cluster '?([\w:/-]{1,255})'?"), _mismatch),
    (
        re.compile(
            r"(?:is not authorized to perform: |no rights for )([a-z0-9-]+:[A-Za-z]+)"
            r"|AccessDeniedException"
        ),
        _denied,
    ),
    (
        re.compile(r"NoCredentialProviders|no EC2 IMDS role found|no EC2 instance role found"),
        _no_credentials,
    ),
    (re.compile(r"ClusterNotFoundException|Cluster not found|ClusterInactive"), _no_cluster),
    (
        re.compile(
            r"dial tcp [^\n\"]{0,80}(?:i/o timeout|no such host|connection refused)"
            r"|Client\.Timeout exceeded|context deadline exceeded"
            r"|request canceled while waiting for connection"
        ),
        _no_way,
    ),
    (
        re.compile(
            r"Unit ecs\.service (?:could )?not (?:be )?found|Failed to start ecs\.service"
            r"|ecs\.service: Failed with result[^\n]{0,60}"
        ),
        _no_agent,
    ),
    (re.compile(r"waiting for (?:ecs|docker)\S*, which waits for the end of cloud-init"), _hangs),
    (re.compile(r"level=(?:error|critical)[^\n]{0,60}msg=(\"[^\n]{1,400})"), _other),
    (
        re.compile(
            r"Failed (?:running|to run) (?!module)[^\n]{1,120}|Failed to run module scripts.user"
            r"|Unhandled non-multipart[^\n]{1,80}"
        ),
        _failed_script,
    ),
)
