"""User data, made of a wish: our parts and the user's in one MIME message, or why there is none."""

import re

from awsbatch_operator.api.names import short_hash
from awsbatch_operator.userdata import agent, boothooks, message
from awsbatch_operator.userdata.model import (
    BYTES_LIMIT,
    BYTES_WARNED,
    MARKETS,
    Checked,
    Part,
    Problem,
    Refused,
    Rendered,
    UserData,
)
from awsbatch_operator.userdata.parts import users_parts

_VERSION = "v1"
_CLUSTER = re.compile(
    r"(?:arn:aws[a-z0-9-]*:ecs:(?P<region>[a-z0-9-]+):[A-Za-z0-9-]+:cluster/)?"
    r"(?P<name>[A-Za-z0-9_-]{1,255})"
)
_PLAIN = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
_ENDPOINT = re.compile(r"https?://[A-Za-z0-9.:\[\]-]{1,255}/?")


def render(wish: UserData) -> Rendered | Refused:
    """The user data of a pool, the same bytes for the same wish; or all that is wrong with it."""
    parts, theirs = users_parts(wish)
    found = Checked.all_of([Checked(tuple(_wrong(wish))), agent.check(wish), theirs])
    if found.problems:
        return Refused(found.problems)
    # The deadline first, so that it holds even when something of the user's hangs; the agent's
    # settings last, so that they count whatever a boothook of the user's has written.
    whole = (*boothooks.deadline_parts(wish), *parts, boothooks.agent_part(wish))
    text = message.written(whole)
    if not message.survives(text, whole):
        why = "Read back, it has other parts than were meant. That is a fault of the operator"
        remedy = "Give less in userData to find out what it is about, and report it"
        return Refused((Problem(wish.path("userData"), "cannot be written", why, remedy),))
    return _sized(wish, whole, text, found.warnings)


def _sized(
    wish: UserData, parts: tuple[Part, ...], text: str, warnings: tuple[str, ...]
) -> Rendered | Refused:
    """Compressed where that is needed, and refused where it does not help."""
    plain = text.encode("ascii")
    compressed = len(plain) > BYTES_LIMIT
    content = message.compressed(plain) if compressed else plain
    path, size = wish.path("userData"), f"{len(content):,} bytes"
    if len(content) > BYTES_LIMIT:
        what = f"makes {size}, compressed from {len(plain):,}"
        why = f"EC2 takes {BYTES_LIMIT:,}, measured before base64"
        remedy = "Bake it into the image, or load the larger part from S3 in the script"
        return Refused((Problem(path, what, why, remedy),))
    if len(content) > BYTES_WARNED:
        left = f"of the {BYTES_LIMIT:,} that EC2 takes"
        warnings = (*warnings, f"{path} makes {size}, more than 90 % {left}.")
    if compressed:
        warnings = (*warnings, f"{path} is sent compressed, because it has {len(plain):,} bytes.")
    return Rendered(
        content=content,
        hash=f"{_VERSION}:{short_hash(text, digits=32)}",
        parts=parts,
        text=text,
        compressed=compressed,
        warnings=warnings,
    )


def _wrong(wish: UserData) -> list[Problem]:
    """What is wrong with what the operator filled in, from AWS and from checked specs."""
    problems = []
    cluster = _CLUSTER.fullmatch(wish.cluster)
    if cluster is None or cluster["name"] == "default":
        why = "An instance must join just the cluster of its compute environment"
        what = f"cannot join the ECS cluster {wish.cluster!r}"
        remedy = "Wait until AWS Batch has made the environment's cluster"
        problems.append(Problem(wish.path(), what, why, remedy))
    elif (cluster["region"] or wish.region) != wish.region:
        why = f"The cluster {wish.cluster} is elsewhere"
        remedy = "Launch in the cluster's region"
        problems.append(Problem(wish.path(), f"launches in {wish.region}", why, remedy))
    for name, value in agent.attributes(wish).items():
        if not _PLAIN.fullmatch(value):
            why = "It becomes an attribute of the container instance, and ECS would refuse it"
            remedy = "Use letters, digits and ._:/-, up to 128 of them"
            problems.append(Problem(wish.path(), f"has {value!r} as {name}", why, remedy))
    if not _PLAIN.fullmatch(wish.region):
        problems.append(_no(wish, f"has the region {wish.region!r}", "Write its code"))
    if wish.market not in MARKETS:
        problems.append(_no(wish, f"has the market {wish.market!r}", f"Use {', '.join(MARKETS)}"))
    if wish.ecs_endpoint and not _ENDPOINT.fullmatch(wish.ecs_endpoint):
        what = f"has the ECS endpoint {wish.ecs_endpoint!r}"
        problems.append(_no(wish, what, "Write https:// and the host"))
    after = wish.ends_after_seconds
    if (after is not None and after <= 0) or (after is not None and wish.ends_at is not None):
        what = "has an end that cannot be meant"
        problems.append(_no(wish, what, "Give the moment of the end, or a positive duration"))
    return problems


def _no(wish: UserData, what: str, remedy: str) -> Problem:
    return Problem(wish.path(), what, "No instance could be told so", remedy)
