"""The reasons of jobs; what the catalogue says of reasons holds for them."""

from awsbatch_operator.api.findings import SLOWLY, note, stall, wait

JOB_SUBMITTED = note("Submitted", "The job was handed to AWS Batch.")
SUBMISSION_SETTLING = wait(
    "SubmissionSettling",
    "Whether a submission reached AWS is not known yet. It is looked up before anything is sent.",
)
SUBMISSION_UNKNOWN = stall(
    "SubmissionUnknown",
    "Nobody can tell any more whether a submission reached AWS; it is never sent again.",
    "Look for the job's outputs; then delete this object, or change it to start a new run.",
)
MULTI_NODE_NOT_SUPPORTED = stall(
    "MultiNodeNotSupported",
    "The job has several nodes, and its queue holds an environment where AWS runs no such jobs.",
    "Set jobQueueRef to a queue whose environments are all MANAGED, of type EC2; or take the named "
    "environment out of computeEnvironmentOrder of the queue.",
)
REQUEST_TOO_LONG = stall(
    "RequestTooLong",
    "AWS Batch takes no SubmitJob request of more than 30 KiB, and ECS no overrides of more than "
    "8,192 characters.",
    "Put what is long into a file in S3, and give the job its name.",
)
JOB_NOT_FOUND = stall(
    "JobNotFound",
    "AWS no longer knows the job, and its end was never seen.",
    "Look for the job's outputs; to run it again, delete this object and create it again.",
)
JOB_TWICE = note(
    "SubmittedTwice",
    "AWS has had more than one job of the object: it listed a submission too late to be seen.",
    "Check the outputs if both have run.",
    warning=True,
)
CHANGE_NOT_RUN = note(
    "ChangeNotRun",
    "The spec was changed after the job was submitted, and the change does not run.",
    "To run the changed job, set rerunPolicy to OnChange, or create another BatchJob.",
    warning=True,
)
JOB_BLOCKED = note(
    "Blocked",
    "AWS says why the job waits in RUNNABLE. Nothing is ended because of it: some of these reasons "
    "pass by themselves.",
    warning=True,
)
WAITING_FOR_JOB = wait(
    "WaitingForJob",
    "AWS has no job that this one could wait for there: the BatchJob that it depends on has not "
    "been submitted, or may run again.",
    "This object goes on by itself; the other one's conditions say what it waits for.",
    SLOWLY,
)
FAILED_DEPENDENCY = stall(
    "FailedDependency",
    "A BatchJob that this one depends on has failed, so this one is not submitted.",
    "Mend the other job and run it again; this one goes on by itself.",
)
DEPENDENCY_CYCLE = stall(
    "DependencyCycle",
    "BatchJobs depend on each other in a circle, so each of them waits for itself.",
    "Take one of them out of spec.dependsOn of another; all of them then go on by themselves.",
)
DEPENDENCY_MISMATCH = stall(
    "DependencyMismatch",
    "A job of an array cannot wait for the job with its index: there is none.",
    "Make both arrays equally large, or remove type so that all of the other job is waited for.",
)
QUEUE_FULL = wait(
    "QueueFull",
    "As many BatchJobs as spec.maxInFlight of the JobQueue allows are submitted and not finished.",
    "This object goes on by itself, oldest first, when one of them has ended.",
    SLOWLY,
)
TTL_IGNORED = note(
    "TTLIgnored",
    "A finished job is not deleted after ttlSecondsAfterFinished, because Argo CD or Flux would "
    "create it again, and it would run again.",
    "Delete it from Git; or, if the tool does not create it again, set the annotation "
    'awsbatch.dev/ttl-with-gitops: "true".',
    warning=True,
)
HOST_INTERRUPTED = note(
    "HostInterrupted",
    "EC2 takes back the instance on which the job runs; what it has done so far is lost unless it "
    "keeps it elsewhere.",
    "Set retryStrategy.attempts, so that a lost host costs an attempt only.",
    warning=True,
)
LOGS_UNREADABLE = note(
    "LogsUnreadable", "The job has ended, and its last log lines could not be read for its status."
)
RETRY_NOT_POSSIBLE = stall(
    "RetryNotPossible",
    "A new run of the failed indexes is asked for, and cannot be made.",
    "Remove retryFailedIndexes, and create another BatchJob for what is missing.",
)
JOB_SUSPENDED = note("Suspended", "The job is held by spec.suspend: AWS has nothing of it.")
DEADLINE_EXCEEDED = note(
    "DeadlineExceeded",
    "The job was ended, because all its runs together had as long as activeDeadlineSeconds allows.",
    "If it needs longer, create another BatchJob with a larger activeDeadlineSeconds.",
    warning=True,
)
JOB_STOPPING = wait("Stopping", "The job is being terminated.")
JOB_SUBMITTING = wait("Submitting", "The job is about to be submitted.")
JOB_PENDING = wait("Pending", "AWS: the job waits for the jobs it depends on.")
JOB_RUNNABLE = wait("Runnable", "AWS: the job waits for room in its queue's environments.")
JOB_STARTING = wait("Starting", "AWS: the job has its place; its container is being started.")
JOB_RUNNING = wait("Running", "AWS: the job's container runs.")
JOB_SUCCEEDED = note("Succeeded", "The job came to its end with success.")
