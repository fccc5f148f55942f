"""What the `script` runner makes a job do: a part of the settings."""

from fnmatch import fnmatchcase

from pydantic import Field

from awsbatch_simulator.model import Model


class JobScript(Model):
    """How a job behaves: how long it runs, what it prints, how it ends."""

    job_name: str = "*"  # globs; a script is followed when all of its globs match
    job_definition: str = "*"  # the definition's name, without revision
    job_queue: str = "*"
    container: str = "*"  # of a job that has several
    parameters: dict[str, str] = Field(default_factory=dict)  # globs by parameter name
    attempts: tuple[int, ...] = ()  # only these attempts (1 is the first); empty: all
    indexes: tuple[int, ...] = ()  # only these children of arrays, or these nodes; empty: all
    starting_seconds: float | None = Field(default=None, ge=0)  # image pull; None: as in delays
    duration_seconds: float = Field(default=5.0, ge=0)  # simulated seconds in RUNNING
    exit_code: int | None = Field(default=0, ge=0, le=255)  # None: the container never started
    # The container's, e.g. out of memory. None: AWS's usual text; "": AWS says nothing of it.
    reason: str | None = Field(default=None, max_length=255)
    status_reason: str | None = None  # the job's; None: AWS's usual text
    output: tuple[str, ...] = ("done",)  # lines, spread over the duration

    def matches(
        self,
        *,
        name: str,
        definition: str,
        queue: str,
        parameters: dict[str, str],
        attempt: int,
        index: int | None = None,
        container: str = "default",
    ) -> bool:
        """Whether this script is meant for that attempt of that job."""
        return (
            fnmatchcase(name, self.job_name)
            and fnmatchcase(definition, self.job_definition)
            and fnmatchcase(queue, self.job_queue)
            and fnmatchcase(container, self.container)
            and (not self.attempts or attempt in self.attempts)
            and (not self.indexes or index in self.indexes)
            and all(
                fnmatchcase(parameters.get(key, ""), pattern)
                for key, pattern in self.parameters.items()
            )
        )
