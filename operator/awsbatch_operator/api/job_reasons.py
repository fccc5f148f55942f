"""The reasons of jobs; what the catalogue says of reasons holds for them."""

from awsbatch_operator.api.findings import note, stall, wait

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
    "The spec was changed just when the job was submitted, and the change does not run.",
    "To run the changed job, create another BatchJob.",
    warning=True,
)
JOB_BLOCKED = note(
    "Blocked",
    "AWS says why the job waits in RUNNABLE. Nothing is ended because of it: some of these reasons "
    "pass by themselves.",
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
JOB_STOPPING = wait("Stopping", "The job is being terminated.")
JOB_SUBMITTING = wait("Submitting", "The job is about to be submitted.")
JOB_PENDING = wait("Pending", "AWS: the job waits for the jobs it depends on.")
JOB_RUNNABLE = wait("Runnable", "AWS: the job waits for room in its queue's environments.")
JOB_STARTING = wait("Starting", "AWS: the job has its place; its container is being started.")
JOB_RUNNING = wait("Running", "AWS: the job's container runs.")
JOB_SUCCEEDED = note("Succeeded", "The job came to its end with success.")
