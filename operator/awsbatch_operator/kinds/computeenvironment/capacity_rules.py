"""What of `spec.capacity` contradicts itself, or what AWS states."""

from awsbatch_operator.schema.rules import Rule, at_most_one, exactly_one

LIMITS = Rule(
    id="capacity-limited",
    cel="has(self.maxvCpus) || has(self.maxInstances) || has(self.maxHourlyCost)",
    message=(
        "Instances are launched for as many jobs as wait, so something has to limit what that "
        "costs. Set at least one of maxvCpus, maxInstances and maxHourlyCost."
    ),
    count=(1, 3, ("maxvCpus", "maxInstances", "maxHourlyCost")),
)
RANGE = Rule(
    id="range-ordered",
    cel="""(has(self.min) || has(self.max))
        && (!has(self.min) || !has(self.max) || self.min <= self.max)""",
    message=(
        "A range has a smallest value, a largest, or both, the smallest first. Set min, max or "
        "both, with min <= max."
    ),
)
REQUIREMENTS = Rule(
    id="requirements-narrow",
    cel="has(self.vCPUs) || has(self.memoryMiB) || has(self.families)",
    message=(
        "Without size or family nearly every instance type would do, the dearest too. Set at least "
        "one of vCPUs, memoryMiB and families."
    ),
    count=(1, 3, ("vCPUs", "memoryMiB", "families")),
)
IMAGE = at_most_one(
    "image-source-once",
    ("amiRef", "amiId", "ssmParameter"),
    "An image comes from one place. Set one of amiRef, amiId and ssmParameter, or none for the "
    "ECS-optimized image of Amazon Linux 2023.",
)

USER_DATA = Rule(
    id="user-data-mime-alone",
    cel="!has(self.mime) || (!has(self.script) && !has(self.cloudConfig))",
    message=(
        "A MIME message holds scripts and cloud-configs as parts of its own. Put script and "
        "cloudConfig into it as parts, or remove mime."
    ),
)
CLUSTER = Rule(
    id="cluster-is-ours",
    cel="!('ECS_CLUSTER' in self)",
    message=(
        "An instance has to join the cluster of this environment, or no job of it runs there; the "
        "operator sets ECS_CLUSTER. Remove it."
    ),
)
DURATION = exactly_one(
    "block-lasts-once",
    ("durationSeconds", "blockDurationMinutes"),
    "A block lasts for one time. Set exactly one of durationSeconds and its alias of AWS's days, "
    "blockDurationMinutes.",
)
REQUEST = Rule(
    id="block-request-grows",
    cel="""(has(self.request) ? self.request : 1)
        >= (has(oldSelf.request) ? oldSelf.request : 1)""",
    message=(
        "A block is made once for each request number, ever, so that an earlier number would never "
        "get you one. Keep request as it is, or raise it to get another block."
    ),
    field=".request",
)
LADDER = Rule(
    id="fallback-once",
    cel="!has(self.fallback) || self.fallback.all(r, self.fallback.exists_one(o, o == r))",
    message=(
        "The ways to a block are tried in their order, each once. Remove what fallback lists a "
        "second time."
    ),
    field=".fallback",
)

_SPOT = "self.market in ['Spot', 'SpotBlock']"
POOL = (
    exactly_one(
        "instances-chosen-once",
        ("instanceTypes", "instanceRequirements"),
        "The types that a pool may launch are either listed or described. Set exactly one of "
        "instanceTypes and instanceRequirements.",
    ),
    Rule(
        id="block-with-its-market",
        cel="(self.market == 'SpotBlock') == has(self.spotBlock)",
        message=(
            "spotBlock says how long a block lasts and how many instances it has; no other market "
            "has any. Set it with market SpotBlock, and remove it with the others."
        ),
    ),
    Rule(
        id="block-has-its-count",
        cel="self.market != 'SpotBlock' || (!has(self.minInstances) && !has(self.maxInstances))",
        message=(
            "A block has as many instances as spotBlock.instanceCount says, from its start to its "
            "end. Remove minInstances and maxInstances."
        ),
    ),
    Rule(
        id="instances-ordered",
        cel="""!has(self.minInstances) || !has(self.maxInstances)
            || self.minInstances <= self.maxInstances""",
        message=(
            "minInstances are kept even without jobs, and maxInstances are never exceeded. Make "
            "minInstances <= maxInstances."
        ),
    ),
    Rule(
        id="price-of-spot",
        cel=f"!has(self.maxPricePerHour) || {_SPOT}",
        message=(
            "On-Demand Instances have a fixed price, so that other instanceTypes are what changes "
            "it. Remove maxPricePerHour, or set market to Spot or SpotBlock."
        ),
        field=".maxPricePerHour",
    ),
    Rule(
        id="rebalance-of-spot",
        cel=f"!has(self.onRebalance) || self.onRebalance == 'Ignore' || {_SPOT}",
        message=(
            "EC2 gives rebalance recommendations for Spot Instances only. Remove onRebalance, or "
            "set market to Spot."
        ),
        field=".onRebalance",
    ),
)

CAPACITY = (
    Rule(
        id="kept-within-limit",
        cel="""!has(self.limits.maxInstances) || self.pools.map(p,
            has(p.minInstances) ? p.minInstances : 0).sum() <= self.limits.maxInstances""",
        message=(
            "What the pools keep even without jobs together exceeds limits.maxInstances, so it "
            "would never be reached. Lower minInstances of pools, or raise limits.maxInstances."
        ),
    ),
    Rule(
        id="block-within-limit",
        cel="""!has(self.limits.maxInstances) || self.pools.all(p, !has(p.spotBlock)
            || p.spotBlock.instanceCount <= self.limits.maxInstances)""",
        message=(
            "A block with more instances than limits.maxInstances would never be made. Lower "
            "instanceCount of the spotBlock, or raise limits.maxInstances."
        ),
    ),
)

# --- on the whole spec ---

SPEC = (
    Rule(
        id="capacity-unmanaged",
        cel="!has(self.capacity) || self.type == 'UNMANAGED'",
        message=(
            "In a MANAGED environment AWS Batch launches the instances, as computeResources says. "
            "Remove capacity, or make an UNMANAGED environment for it."
        ),
        field=".capacity",
    ),
)
