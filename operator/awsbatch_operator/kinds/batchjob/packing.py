"""Many short tasks in each job of an array: the command that runs them, and what it reports (pure).

AWS Batch places about as many jobs a second as ECS lets it, so an array of tasks that take a second
each spends its time on being placed. With `packing` each job of the array runs several tasks, one
after another, through the image's `/bin/sh`. A task sees the index and the size of the array that
it would have seen as a job of its own.

The script goes on after a task that failed. It writes a line for each of them, and one when it has
come to its end; both carry a nonce, so that no output of a task is taken for them by accident. A
job that was ended from outside (its host was lost, its time was up) has written no last line, and
then nobody knows which of its tasks were done: all of them count as failed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

SHELL = "/bin/sh"
TASKS_PER_JOB = 1000
TASKS_MOST = 10_000  # AWS: jobs in an array, which is what the tasks would be
MARK = "awsbatch-packing"
_REFERENCE = re.compile(r"Ref::([A-Za-z0-9_-]+)")

# The shell waits in `wait`, which a trap interrupts: so a SIGTERM (AWS ends the job, or its Spot
# Instance) reaches the task at once. As the first process of a container a shell without a trap
# would not even notice it. `exec` lets the signal reach the program and not a shell around it.
SCRIPT = """\
nonce=$1
tasks=$2
each=$3
shift 3
index=$((${AWS_BATCH_JOB_ARRAY_INDEX:-0} * each))
end=$((index + each))
if [ "${end}" -gt "${tasks}" ]; then end=${tasks}; fi
failed=
ended=
task=
trap 'ended=1; if [ -n "${task}" ]; then kill -TERM "${task}"; fi' TERM
while [ "${index}" -lt "${end}" ] && [ -z "${ended}" ]; do
  (AWS_BATCH_JOB_ARRAY_INDEX=${index}; AWS_BATCH_JOB_ARRAY_SIZE=${tasks}
    export AWS_BATCH_JOB_ARRAY_INDEX AWS_BATCH_JOB_ARRAY_SIZE; exec "$@") &
  task=$!
  wait "${task}"
  code=$?
  while kill -0 "${task}" 2>/dev/null; do
    wait "${task}"
    code=$?
  done
  task=
  if [ "${code}" -ne 0 ]; then
    failed=${failed},${index}
    printf '\\nMARK %s FAILED %s with exit code %s\\n' "${nonce}" "${index}" "${code}"
  fi
  index=$((index + 1))
done
if [ -n "${ended}" ]; then exit 143; fi
printf '\\nMARK %s DONE %s\\n' "${nonce}" "${failed#,}"
[ -z "${failed}" ]
""".replace("MARK", MARK)


@dataclass(frozen=True, slots=True)
class Packing:
    """`tasks` in all, `each` in one job of the array; the last job may have fewer."""

    tasks: int
    each: int

    @property
    def jobs(self) -> int:
        """Jobs in the array; 1 means a single job, because AWS's arrays have at least two."""
        return -(-self.tasks // self.each)

    def indexes(self, job: int) -> range:
        """The tasks of the job with that index."""
        return range(job * self.each, min((job + 1) * self.each, self.tasks))

    def done_by(self, jobs: int) -> int:
        """Tasks of so many jobs: exact for none and for all, else at most."""
        return min(jobs * self.each, self.tasks)

    def recorded(self) -> str:
        """As the record of a submission has it."""
        return f"{self.tasks}/{self.each}"

    @classmethod
    def parsed(cls, text: str) -> "Packing | None":
        """What `recorded` has made; None for "". ValueError on what it would not have written."""
        if not text:
            return None
        tasks, _, each = text.partition("/")
        found = cls(int(tasks), int(each))
        if not (1 <= found.tasks <= TASKS_MOST and 1 <= found.each <= TASKS_MOST):
            raise ValueError(f"{text[:32]!r} is no packing")
        return found


@dataclass(frozen=True, slots=True)
class Report:
    """What the script of one job has written. `whole`: it came to its end."""

    failed: tuple[int, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of a packed array.

    `whole` are the failed jobs that have not said which of their tasks did, so that all of them
    count, and `unread` those whose output nobody has read; `trouble` says why, "" if there were too
    many of them. `told` are the tasks of the job whose end is told.
    """

    packing: Packing
    whole: int = 0
    unread: int = 0
    trouble: str = ""
    told: range = range(0)


def nonce_of(uid: str, run: int) -> str:
    """The same for each attempt at a run, because the request has to be."""
    return sha256(f"packing/{uid}/{run}".encode()).hexdigest()[:12]


def wrapped(command: Sequence[str], *, packing: Packing, nonce: str) -> list[str]:
    """The command of each job of the array.

    The task's own words are arguments of the script and never part of its text, so no quoting can
    go wrong. `command` is not empty.
    """
    return [SHELL, "-c", SCRIPT, MARK, nonce, str(packing.tasks), str(packing.each), *command]


def substituted(command: Iterable[str], parameters: Mapping[str, str]) -> list[str]:
    """The command with its placeholders filled in; unknown ones stay, as with AWS.

    AWS fills in those of a definition's command (user guide, "Job definition parameters"), and does
    not say that it does so in an override.
    """
    return [
        _REFERENCE.sub(lambda found: parameters.get(found[1], found[0]), word) for word in command
    ]


def report(lines: Iterable[str], *, nonce: str) -> Report:
    """Read the newest lines of a job's output. What is damaged says nothing."""
    start = f"{MARK} {nonce} DONE "
    for line in lines:
        _, found, listed = f"{line.rstrip()} ".partition(start)
        if not found:
            continue
        words = listed.strip()
        indexes = words.split(",") if words else []
        if all(index.isascii() and index.isdecimal() for index in indexes):
            return Report(tuple(int(index) for index in indexes), whole=True)
    return Report((), whole=False)


def failed_tasks(packing: Packing, reports: Mapping[int, Report]) -> tuple[int, ...]:
    """Indexes of the tasks that failed, of the jobs that did, by the jobs' own indexes.

    A job that failed and says that none of its tasks has (a container that could not be removed,
    say) has to be believed as a whole.
    """
    failed: set[int] = set()
    for job, each in reports.items():
        own = packing.indexes(job)
        named = {index for index in each.failed if index in own}
        failed |= named if each.whole and named else set(own)
    return tuple(sorted(failed))
