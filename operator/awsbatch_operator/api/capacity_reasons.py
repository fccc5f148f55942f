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
USER_DATA_REFUSED = stall(
    "UserDataRefused",
    "No instance can be launched with the user data of a pool.",
    "Correct the field that the message names; `python -m awsbatch_operator userdata` shows it.",
)
INSTANCES_LEAVING = wait(
    "InstancesLeaving",
    "The environment is being deleted: its instances finish their tasks, or their time, and end.",
    seconds=15,
)
INSTANCES_LAUNCHED = note("InstancesLaunched", "Instances were launched for waiting jobs.")
INSTANCES_ENDED = note("InstancesEnded", "Instances were ended, for the reason in the message.")
CAPACITY_RESERVED = note("CapacityReserved", "A capacity reservation was made for a block.")
