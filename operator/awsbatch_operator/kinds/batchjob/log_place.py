"""Where the output of a job goes, as its log driver says (pure).

The driver and its options are those of the job in AWS, which are the definition's: SubmitJob has no
override for them. Sources: user guide, "Use the awslogs log driver" and LogConfiguration; Docker's
documentation of the other drivers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob.observed import Observed
from awsbatch_operator.telemetry.secrets import masked

AWSLOGS = "awslogs"
DEFAULT_GROUP = "/aws/batch/job"
_OPTION_LIMIT = 256  # characters of a driver's option that are shown
_DRIVER_LIMIT = 64
_REGION_LIMIT = 64
_GROUP_LIMIT = 1024  # of a group and a stream; CloudWatch Logs has 512

# Of each other driver the option that says where it writes, and where that is without it. No other
# option is shown: some hold tokens.
_DRIVERS: Mapping[str, tuple[str, str]] = {
    "awsfirelens": ("Name", "the log router of the task"),
    "fluentd": ("fluentd-address", "the instance that the job ran on, port 24224"),
    "gelf": ("gelf-address", "a server of which the definition says nothing"),
    "journald": ("tag", "the journal of the instance that the job ran on"),
    "json-file": ("", "a file on the instance that the job ran on"),
    "logentries": ("", "Logentries"),
    "splunk": ("splunk-url", "a server of which the definition says nothing"),
    "syslog": ("syslog-address", "the syslog of the instance that the job ran on"),
}


@dataclass(frozen=True, slots=True)
class LogPlace:
    """CloudWatch Logs' group and stream, or what another driver says.

    `stream` is "" while the container has not run. `region` is "" where it is the job's own.
    `destination` is in words, and of other drivers only.
    """

    driver: str = AWSLOGS
    group: str = ""
    stream: str = ""
    region: str = ""
    destination: str = ""

    @property
    def readable(self) -> bool:
        """Whether there are lines in CloudWatch Logs to be read."""
        return self.driver == AWSLOGS and bool(self.stream)

    def shown(self) -> dict[str, Any]:
        """The place as the status has it; empty if nothing was written anywhere."""
        if self.driver != AWSLOGS:
            return {"driver": self.driver, "destination": self.destination}
        if not self.stream:
            return {}
        place = {"group": self.group[:_GROUP_LIMIT], "stream": self.stream[:_GROUP_LIMIT]}
        return place | ({"region": self.region[:_REGION_LIMIT]} if self.region else {})


def log_place(observed: Observed, region: str = "") -> LogPlace:
    """Where the newest attempt has written; `region` is the job's own."""
    container = observed.container
    configuration = container.get("logConfiguration") or {}
    driver = str(configuration.get("logDriver") or AWSLOGS)[:_DRIVER_LIMIT]
    options = configuration.get("options") or {}
    if driver != AWSLOGS:
        return LogPlace(driver, destination=_destination(driver, options))
    other = str(options.get("awslogs-region") or "")
    return LogPlace(
        group=str(options.get("awslogs-group") or DEFAULT_GROUP),
        stream=str(container.get("logStreamName") or ""),
        region="" if other == region else other,
    )


def _destination(driver: str, options: Shape) -> str:
    """The driver's main option, without what may be a credential."""
    option, otherwise = _DRIVERS.get(driver, ("", "a place that only this driver knows"))
    value = str(options.get(option) or "") if option else ""
    if not value:
        return otherwise
    return f"{option}: {masked(value.partition('?')[0], limit=_OPTION_LIMIT)}"
