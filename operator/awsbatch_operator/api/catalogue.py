"""Every reason that a condition or an event of ours can carry, with what it means and its remedy.

The words are stable: users write alerts and `kubectl wait` on them. docs/reasons.md is generated
from here. A finding's message says what is the case for one object; the remedy here is general.
"""

from awsbatch_operator.api import (
    capacity_reasons,
    image_reasons,
    job_reasons,
    ownership_reasons,
    replacing_reasons,
)
from awsbatch_operator.api.findings import TARGET_CHECK, Reason, note, stall, wait

# --- the object itself ---

INVALID_SPEC = stall(
    "InvalidSpec",
    "The spec breaks this operator's schema; the CRD in the cluster may be older or newer.",
    "Apply the CRDs that belong to this version of the operator, then correct the spec.",
)
NOT_SUPPORTED_YET = stall(
    "NotSupportedYet",
    "The spec asks for something that the API has and this version does not do.",
    "Remove the field, or install a version that supports it.",
)
INVALID_RECORD = stall(
    "InvalidRecord",
    "An annotation in which the operator keeps what it must not forget was edited.",
    "Restore the annotation, or remove it: it is then made again from what is known.",
)
PAUSED = note(
    "PausedByAnnotation", "The annotation awsbatch.dev/paused holds back every change in AWS."
)
RESUMED = note(
    "Resumed", "The annotation awsbatch.dev/paused holds nothing back: it is absent, or 'false'."
)
RECORD_REFUSED = stall(
    "RecordRefused",
    "The API server refuses what the operator must write into the object before it may act.",
    "Mend what it names, often other annotations that are too large. No call was made.",
)

# --- account and scope ---

NOT_ALLOWED = stall(
    "NotAllowed",
    "The AWSAccount does not allow this object what it asks for. Nothing was changed in AWS.",
    "Ask whoever runs the AWSAccount to allow it, or ask for less.",
)
SCOPE_CHANGED = stall(
    "ScopeChanged",
    "Today's account, region or AWS name is not the one that the object was made in.",
    "Undo the change, or delete this object and create it anew. Nothing was changed in AWS.",
)
ACCOUNT_UNAVAILABLE = stall(
    "AccountUnavailable",
    "The AWS account cannot be used at present, so nothing can be done in it.",
    "Mend the AWSAccount; this object goes on by itself.",
)
IDENTITY_UNKNOWN = stall(
    "IdentityUnknown",
    "The operator does not know in which AWS account or region to act.",
    "Give the operator an AWS identity and a region, or make an AWSAccount.",
    60.0,
)

NO_CREDENTIALS = stall(
    "NoCredentials",
    "The operator has no AWS credentials, so it cannot ask AWS anything.",
    "Give the operator's ServiceAccount an AWS role (EKS Pod Identity or IRSA), or the operator "
    "itself AWS's environment variables or files; it goes on by itself within two minutes.",
    30.0,
)
CREDENTIALS_REFUSED = stall(
    "CredentialsRefused",
    "AWS does not accept the credentials that the operator signs with.",
    "Renew the operator's credentials, set its clock right, or enable the region in the AWS "
    "account; it is tried again by itself, and at once when the annotation "
    "awsbatch.dev/reconcile-at gets a new value.",
)
UNREACHABLE = wait(
    "AWSUnreachable",
    "The operator could not open a connection to AWS, so AWS was not asked.",
    "Check DNS, routes, NetworkPolicies, VPC endpoints, proxy and AWS_ENDPOINT_URL of the "
    "operator; it is tried again by itself.",
)
NOT_TRUSTED = stall(
    "CertificateNotTrusted",
    "What answers in AWS's place has no certificate that the operator trusts.",
    "Give the operator the certificates of the proxy in between (AWS_CA_BUNDLE), or take the "
    "proxy out of its way; it is tried again by itself.",
    60.0,
)

# --- references ---

REFERENCE_NOT_FOUND = wait(
    "ReferenceNotFound",
    "An object that the spec refers to does not exist yet.",
    "Create it, or correct the name; this object goes on at once.",
    TARGET_CHECK,
)
REFERENCE_NOT_READY = wait(
    "ReferenceNotReady",
    "An object that the spec refers to is not ready yet.",
    "This object goes on at once when it is; its own conditions say what it waits for.",
    TARGET_CHECK,
)
CHECKING_REFERENCES = wait(
    "CheckingReferences",
    "AWS refused a call that depends on other objects. They are looked at again in AWS, and mended "
    "where they differ from their specs; then the call is made once more.",
)
REFERENCE_ELSEWHERE = stall(
    "ReferenceElsewhere",
    "An object that the spec refers to lives in another AWS account or region.",
    "Refer to one in the same account and region, or delete one of the two and create it there.",
)

# --- what AWS answers ---

ALREADY_EXISTS = stall(
    "AlreadyExists",
    "AWS has an object of this name that is not ours. It is left alone.",
    "Remove what has the name, and this object goes on; or delete this object and create it again "
    "with another awsName.",
    50.0,
)
RATE_LIMITED = wait(
    "RateLimited",
    "The next call to AWS waits for its turn under AWS's limit of calls a second.",
)
THROTTLED = wait(
    "Throttled",
    "AWS answers that there are too many requests. The operator slows down by itself.",
)
AWS_UNAVAILABLE = wait(
    "AWSUnavailable",
    "AWS did not answer, or answered with a failure of its own. The call is made again.",
)
OUTCOME_UNKNOWN = wait(
    "OutcomeUnknown",
    "AWS's answer to a change was lost. The operator looks what became of it before it goes on.",
)
AWS_BUSY = wait(
    "AWSBusy",
    "AWS is still at work on an earlier change of the object, or does not show it yet.",
)
PERMISSION_DENIED = stall(
    "PermissionDenied",
    "AWS refuses the operator's identity a call.",
    "Grant the action to the identity; deploy/iam has the policy. It is tried again by itself, "
    "and at once when the annotation awsbatch.dev/reconcile-at gets a new value.",
)
INVALID_REQUEST = stall(
    "InvalidRequest",
    "AWS refuses the request and says why.",
    "Correct the spec, or what it names in AWS.",
)
ACCOUNT_LIMIT_REACHED = stall(
    "AccountLimitReached",
    "The account has as many environments or queues in the region as AWS allows. No call was made.",
    "Delete one that is not needed any more, and this object goes on by itself; teams can share "
    "one queue, divided by a SchedulingPolicy. Or delete this object and create it again in "
    "another region or account. Where AWS allows the account more, tell the operator how many by "
    "--max-environments or --max-queues.",
    30.0,
)
NO_LONGER_OFFERED = stall(
    "NoLongerOffered",
    "AWS makes nothing new with what the spec asks for any more. No call was made.",
    "Change the field that the message names.",
)
AWS_ERROR = stall(
    "AWSError",
    "AWS answered with an error that the operator does not know.",
    "Read AWS's message. It is tried again by itself.",
    60.0,
)

# --- progress of infrastructure ---

STARTING = wait("Initializing", "The operator has seen the object and makes its first step.")
CREATING = wait("Creating", "AWS is making the object.")
UPDATING = wait("Updating", "AWS is changing the object.")
DELETING = wait("Deleting", "AWS is removing the object.")
READY = note("Ready", "AWS is as the spec says.")
DISABLED = note("Disabled", "AWS is as the spec says, which is disabled: nothing runs.")
REPLACEMENT_NEEDED = stall(
    "ReplacementNeeded",
    "AWS cannot change these fields of what exists, and nothing new may or can take its place.",
    "Undo the change, or delete this object and create it again.",
)
ENVIRONMENT_INVALID = stall(
    "EnvironmentInvalid",
    "AWS calls the compute environment INVALID: it cannot start or stop instances.",
    "Mend what AWS names; the message says whether it then becomes VALID by itself.",
    60.0,
)
REMAKING = wait(
    "Remaking",
    "An INVALID compute environment that no queue uses is removed from AWS, to be made anew.",
)
REMADE = note(
    "Remade", "An INVALID compute environment was deleted in AWS, to be created anew as specified."
)
LEFT_AS_IT_IS = note(
    "LeftAsItIs",
    "A field left the spec, and AWS keeps what it was set to: it cannot be taken back in place.",
    "Set the field again, or delete this object and create it again.",
    warning=True,
)
OLD_NAME = note(
    "OldName",
    "A field goes by a name that is kept for old manifests only; it means the same.",
    "Write the field by its new name.",
    warning=True,
)
ON_SPOT = note(
    "Spot",
    "A block runs on Spot Instances, so its duration is not guaranteed: EC2 may take them back.",
    "Take Spot out of the block's fallback, and raise maxPricePerHour to the On-Demand price.",
)
QUEUE_INVALID = stall(
    "QueueInvalid",
    "AWS calls the job queue INVALID.",
    "Mend what AWS names, often its compute environments.",
    60.0,
)
POLICY_NOT_REMOVABLE = stall(
    "PolicyNotRemovable",
    "AWS can replace the scheduling policy of a queue, but never add or remove one.",
    "Delete this object and create it again: with the policy that the queue has; or with another "
    "or none, if spec.deletionPolicy was Delete, so that the queue goes too.",
)

EXECUTION_ROLE_MISSING = stall(
    "ExecutionRoleMissing",
    "The job definition has secrets or credentials that ECS is to fetch, and no role to do it as.",
    "Set executionRoleArn beside them, to a role that may read them.",
)

# --- deletion ---

SETTLING = wait(
    "Settling",
    "AWS shows nothing of the object, but a call of a moment ago may still come to light.",
)
WAITS_FOR_DELETIONS = wait(
    "WaitsForDeletions",
    "What still has or uses the AWS object is being deleted, too, or may be about to be.",
    "This object goes on by itself; the others' own conditions say what they wait for.",
)
STILL_IN_USE = stall(
    "StillInUse",
    "Something else still uses the AWS object, and AWS does not delete it before that ends.",
    "Delete or change what uses it; this object goes on by itself.",
    10.0,
)
WAITS_FOR_JOBS = wait(
    "WaitsForJobs",
    "AWS lists no job in the queue, but BatchJobs were submitted to it so lately that it may have "
    "them.",
    "This object goes on by itself within a minute, or waits for them as its drain policy says.",
)
JOBS_ACTIVE = stall(
    "JobsActive",
    "The queue still has jobs, and its drain policy is to wait for them.",
    "Wait, end the jobs, or set spec.drain.policy to Terminate.",
    15.0,
)

# --- what was done: events ---

CREATED = note("Created", "The AWS object was made.")
UPDATED = note("Updated", "The AWS object was changed to what the spec says.")
DRIFT_REPAIRED = note("DriftRepaired", "AWS had been changed elsewhere and was changed back.")
DELETED = note("Deleted", "AWS has confirmed that the object is gone.")
RETAINED = note("Retained", "The AWS object was left as it is, as deletionPolicy says.")
NOT_OURS = note(
    "NotOurs",
    "The Kubernetes object is gone, and the AWS object of its name, which is not its own, stays.",
    warning=True,
)
REOWNED = note("Reowned", "The AWS object of an earlier object of the same name was taken over.")
REGISTERED = note("Registered", "A revision of the job definition was registered.")
DEREGISTERED = note("Deregistered", "An old revision of ours was deregistered.")


def reasons() -> tuple[Reason, ...]:
    """The whole catalogue, in the order of its modules."""
    modules = (ownership_reasons, job_reasons, replacing_reasons, capacity_reasons, image_reasons)
    everything = (*globals().values(), *(each for one in modules for each in vars(one).values()))
    return tuple(value for value in everything if isinstance(value, Reason))
