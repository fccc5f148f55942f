"""The reasons of capacity; what the catalogue says of reasons holds for them."""

from awsbatch_operator.api.findings import note, stall, wait

LAUNCH_SETTLING = wait(
    "LaunchSettling",
    "Whether a launch reached EC2 is not known yet. Its instances are looked up by their tag "
    "before anything else is launched for that pool.",
    seconds=15,
)
CAPACITY_SHORT = wait(
    "CapacityShort",
    "EC2 has no capacity for what the pools may buy. Each offer is tried again later and later.",
    "Allow more instance types or subnets, or wait.",
    seconds=60,
)
CAPACITY_LIMIT_REACHED = note(
    "CapacityLimitReached",
    "Jobs wait, and a limit of the spec allows no further instance.",
    "Raise the limit that the message names, or wait until instances are idle and go.",
    warning=True,
)
CAPACITY_QUOTA = wait(
    "CapacityQuotaReached",
    "The account's EC2 quota allows no further instance of that group of types.",
    "Ask AWS for a higher quota (Service Quotas, EC2), or lower the limits.",
    seconds=60,
)
PRICE_UNKNOWN = wait(
    "PriceUnknown",
    "There is a limit of cost, and the price of what would be launched is not known.",
    "Give the price in the setting `prices`, let the operator read prices, or remove the limit.",
    seconds=60,
)
PRICE_ABOVE_LIMIT = wait(
    "PriceAboveLimit",
    "All that would be launched costs more than maxPricePerHour.",
    "Raise maxPricePerHour, allow other instance types, or wait for a lower Spot price.",
    seconds=60,
)
JOB_FITS_NO_POOL = note(
    "JobFitsNoPool",
    "Jobs wait that no instance type of any pool can ever hold.",
    "Add a type that is large enough to a pool, or submit the jobs with less.",
    warning=True,
)
POOL_INVALID = stall(
    "PoolInvalid",
    "A pool names something that AWS does not have, or things that do not fit together. What of it "
    "is right is used: other types and subnets of the pool, and the other pools.",
    "Correct the field that the message names; what is made in AWS is noticed within ten minutes.",
    300.0,
)
POOL_NARROWED = note(
    "PoolNarrowed",
    "A pool can launch in fewer ways than its spec says, or not much longer.",
    warning=True,
)
NO_FREE_ADDRESS = wait(
    "NoFreeAddress",
    "No subnet of a pool has a free address, so the pool launches nothing.",
    "Free addresses in a subnet that the message names, or give the pool another one.",
    seconds=60,
)
LAUNCH_DENIED = stall(
    "LaunchDenied",
    "EC2 says, when a launch is tried without being done (DryRun), that it would not be allowed.",
    "Grant the action that the message names to that identity; deploy/iam has the policy.",
    300.0,
)
POOL_REFUSED = stall(
    "PoolRefused",
    "EC2 refuses the launches of a pool, and would refuse them again.",
    "Correct the field of the pool that the message names.",
    300.0,
)
POOL_STOPPED = stall(
    "PoolStopped",
    "Three instances of a pool in a row did not join the ECS cluster; it launches no more.",
    "Mend the cause, then change the spec or give the annotation awsbatch.dev/reconcile-at a new "
    "value.",
)
INSTANCE_NOT_JOINED = note(
    "InstanceNotJoined",
    "An instance has not joined the ECS cluster in time; it is replaced.",
    "Mend what the message names: three such instances in a row stop the pool.",
    warning=True,
)
USER_DATA_REFUSED = stall(
    "UserDataRefused",
    "No instance can be launched with the user data of a pool.",
    "Correct the field that the message names; `aws-batch-operator userdata` shows it.",
)
USER_DATA_DOUBTFUL = note(
    "UserDataDoubtful",
    "Instances are launched with the user data of a pool, but something in it is seldom meant so.",
    "Mend what the message names; `aws-batch-operator userdata` shows it.",
    warning=True,
)
POOL_UNRESOLVED = wait(
    "PoolUnresolved",
    "What a pool names could not be looked up in AWS, so it launches nothing yet.",
    seconds=60,
)
INSTANCE_PROTECTED = stall(
    "InstanceProtected",
    "Somebody has turned on termination protection of instances that are to go; they cost on.",
    "Turn it off: aws ec2 modify-instance-attribute --no-disable-api-termination --instance-id ID; "
    "EC2 is asked again every five minutes.",
    300.0,
)
INSTANCES_LEAVING = wait(
    "InstancesLeaving",
    "The environment is being deleted: its instances finish their tasks, or their time, and end.",
    seconds=15,
)
INSTANCES_LAUNCHED = note("InstancesLaunched", "Instances were launched for waiting jobs.")
INSTANCES_ENDED = note("InstancesEnded", "Instances were ended, for the reason in the message.")
ORPHANS_REMOVED = note(
    "OrphansRemoved",
    "Things of EC2 were removed whose ComputeEnvironment or ExtendedAMI no longer exists.",
)
ORPHANS_HELD = note(
    "OrphansHeld",
    "Things of EC2 have our tags and an owner that does not exist. They are so many that they may "
    "be another cluster's, or the environment or the finished images of their owner are still "
    "there; so they are not removed.",
    "Make sure that no other cluster has this one's cluster id. Then annotate the operator's Lease "
    "with awsbatch.dev/confirm-orphans and the number in the message.",
    warning=True,
)
CAPACITY_RESERVED = note("CapacityReserved", "A capacity reservation was made for a block.")
