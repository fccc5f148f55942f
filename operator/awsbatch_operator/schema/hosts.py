"""What EC2 and the ECS agent state about hosts, for the kinds whose specs have it.

Source of the limits of volumes: EbsBlockDevice in the EC2 API reference.
"""

from collections.abc import Mapping

from awsbatch_operator.schema.rules import Rule

# GiB by type of volume: the smallest and the largest that EC2 makes.
SIZES = {
    "gp2": (1, 16384),
    "gp3": (1, 65536),
    "io1": (4, 16384),
    "io2": (4, 65536),
    "st1": (125, 16384),
    "sc1": (125, 16384),
    "standard": (1, 1024),
}
# IOPS by type of volume, of those that take a number.
IOPS = {"gp3": (3000, 80000), "io1": (100, 64000), "io2": (100, 256000)}


def volume_rules(
    name: str, *, size: str, kind: str, without: tuple[str, ...] = ()
) -> tuple[Rule, ...]:
    """What EC2 states about a volume's size, IOPS, throughput and key.

    `size` and `kind` are the members that have its size and its type; `name` begins the rules' ids.
    The types `without` are not offered there.
    """
    return (_size_rule(name, size, kind, without), *_speed_rules(name, kind), _key_rule(name))


def _size_rule(name: str, size: str, kind: str, without: tuple[str, ...]) -> Rule:
    sizes = {each: bounds for each, bounds in SIZES.items() if each not in without}
    standard = "" if "standard" in without else ", standard 1 to 1024"
    return Rule(
        id=f"{name}-size",
        cel=_within(size, sizes, kind),
        message=(
            "EC2 makes volumes of these sizes in GiB: gp2 1 to 16384, gp3 1 to 65536, io1 4 to "
            f"16384, io2 4 to 65536, st1 and sc1 125 to 16384{standard}. Set a {size} within "
            f"that, or another {kind}."
        ),
        field=f".{size}",
    )


def _speed_rules(name: str, kind: str) -> tuple[Rule, ...]:
    return (
        Rule(
            id=f"{name}-iops",
            cel=f"""(!has(self.iops) || (has(self.{kind})
                && self.{kind} in ['gp3', 'io1', 'io2'])) && ({_within("iops", IOPS, kind)})""",
            message=(
                "EC2 takes a number of IOPS for three types of volume: gp3 3000 to 80000, io1 100 "
                f"to 64000, io2 100 to 256000. Set iops within that beside its {kind}, or "
                "remove iops."
            ),
            field=".iops",
        ),
        Rule(
            id=f"{name}-needs-iops",
            cel=f"!has(self.{kind}) || !(self.{kind} in ['io1', 'io2']) || has(self.iops)",
            message=(
                "EC2 makes no io1 or io2 volume without a number of IOPS. Set iops, or set "
                f"{kind} to gp3."
            ),
        ),
        Rule(
            id=f"{name}-throughput",
            cel=f"!has(self.throughput) || (has(self.{kind}) && self.{kind} == 'gp3')",
            message=(
                f"EC2 takes a throughput for gp3 volumes only. Set {kind} to gp3, or remove "
                "throughput."
            ),
            field=".throughput",
        ),
    )


def _key_rule(name: str) -> Rule:
    return Rule(
        id=f"{name}-key",
        cel="!has(self.kmsKeyId) || (has(self.encrypted) && self.encrypted)",
        message=(
            "EC2 takes a KMS key only for a volume that is said to be encrypted. Set encrypted "
            "to true, or remove kmsKeyId."
        ),
        field=".kmsKeyId",
    )


def _within(member: str, bounds: Mapping[str, tuple[int, int]], kind: str) -> str:
    """CEL: the member is within the bounds of its type of volume, where they are known."""
    ranges = " && ".join(
        f"(self.{kind} != '{name}' || (self.{member} >= {low} && self.{member} <= {high}))"
        for name, (low, high) in bounds.items()
    )
    return f"!has(self.{member}) || !has(self.{kind}) || ({ranges})"


AGENT_NAMES = Rule(
    id="agent-setting-names",
    cel="self.all(k, k.matches('^[A-Z][A-Z0-9_]{1,127}$'))",
    message=(
        "Settings of the ECS agent are environment variables. Write each as the agent's "
        "documentation has it, in capitals, such as ECS_IMAGE_PULL_BEHAVIOR."
    ),
)
ONE_LINE = Rule(
    id="agent-setting-one-line",
    cel=r"!self.contains('\n') && !self.contains('\r')",
    pattern=r"^[^\r\n]*$",
    message=(
        "Each setting is one line of /etc/ecs/ecs.config, and what came after a line break would "
        "be a setting of its own. Write the value in one line."
    ),
)
