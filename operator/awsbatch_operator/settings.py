"""What an installation may set: read from the command line once, checked before anything runs."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from awsbatch_operator.aws.interruption_queue import Queue, queue_of
from awsbatch_operator.aws.price_list import PriceOverrides
from awsbatch_operator.schema.forms import REGION
from awsbatch_operator.schema.rules import Rule, form

_CLUSTER_ID = form(
    "cluster-id",
    r"^[A-Za-z0-9][A-Za-z0-9.-]{0,62}$",
    "is no name for a cluster",
    "Names have up to 63 letters, digits, '-' and '.', and begin with a letter or a digit, such as "
    "lab-1.",
)


def _of(rule: Rule) -> AfterValidator:
    """The text has that form, or is empty, which means that it is not set."""

    def checked(text: str) -> str:
        if text and not re.search(rule.pattern, text):
            raise ValueError(f"{text!r}: {rule.message}")
        return text

    return AfterValidator(checked)


def _prices(texts: tuple[str, ...]) -> tuple[str, ...]:
    PriceOverrides.parse(texts)
    return texts


def _queue(text: str) -> str:
    queue_of(text, "unknown")  # the region may be set elsewhere
    return text


ClusterId = Annotated[str, Field(min_length=1), _of(_CLUSTER_ID)]
Region = Annotated[str, _of(REGION)]
VARIABLE = "AWSBATCH_FLAG_"  # before a flag's name; envFrom puts it before the keys of a ConfigMap
LEAST_THREADS = 3  # besides one for each queue that is listened to
Seconds = Annotated[float, Field(gt=0, le=3600)]


class Settings(BaseModel):
    """All settings. Every field is a flag of `run`; its description is the flag's help."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cluster_id: ClusterId = Field(
        description="Name of this cluster in AWS tags. Keep it when the cluster is rebuilt from "
        "Git, and never give it to two clusters: whoever has it owns what carries it. Up to 63 "
        "characters; of more than 57, the policy in deploy/iam is too long to be a managed one."
    )
    namespaces: tuple[str, ...] = Field(
        default=(), description="Watch these namespaces only (comma-separated); default: all."
    )
    exclude_namespaces: tuple[str, ...] = Field(
        default=(),
        description="Watch all namespaces but these (comma-separated), which other installations "
        "serve (docs/installations.md); default: none is left out.",
    )
    identity: str = Field(
        default="", description="Name of this replica in the lease; default: the pod's name."
    )
    lease_namespace: str = Field(default="", description="Where the lease is; default: our own.")
    lease_name: str = Field(default="aws-batch-operator", description="Name of the lease.")
    lease_seconds: int = Field(
        default=30, gt=0, le=3600, description="How long a lease lasts unrenewed; whole seconds."
    )
    aws_connect_timeout: Seconds = Field(default=3, description="Seconds to connect to AWS.")
    aws_read_timeout: Seconds = Field(default=10, description="Seconds to wait for AWS's answer.")
    aws_threads: int = Field(default=32, ge=1, le=256, description="AWS calls in flight at most.")
    region: Region = Field(
        default="", description="Region of objects that name none; default: the environment's."
    )
    allowed_role_arns: tuple[str, ...] | None = Field(
        default=None,
        description="Roles and instance profiles that objects without an AWSAccount may name "
        "(comma-separated, * matches any text); default: what IAM lets the operator pass.",
    )
    allowed_external_arns: tuple[str, ...] | None = Field(
        default=None,
        description="AWS objects that objects without an AWSAccount may name, by ARN or by id "
        "(comma-separated, * matches any text); default: all.",
    )
    allowed_regions: tuple[Region, ...] | None = Field(
        default=None,
        description="Regions of objects without an AWSAccount, besides --region "
        "(comma-separated); default: all.",
    )
    allow_adoption: bool = Field(
        default=False,
        description="Whether objects without an AWSAccount may take over what exists in AWS "
        "(spec.adoptionPolicy); default: false.",
    )
    prices: Annotated[tuple[str, ...], AfterValidator(_prices)] = Field(
        default=(),
        description="Your own prices of EC2 instances in US dollars an hour, instead of AWS's "
        "(comma-separated): TYPE=PRICE for on-demand, Spot:TYPE=PRICE for spot; REGION/TYPE or "
        "ZONE/TYPE for one place alone.",
    )
    interruption_queue: Annotated[str, AfterValidator(_queue)] = Field(
        default="",
        description="SQS queue, by URL or ARN, into which EventBridge puts what EC2 announces of "
        "instances (docs/interruption.md); default: none, EC2 is polled for it.",
    )
    event_queue: Annotated[str, AfterValidator(_queue)] = Field(
        default="",
        description="SQS queue, by URL or ARN, into which EventBridge puts what AWS Batch says of "
        "jobs (docs/job-events.md); default: none, jobs are polled.",
    )
    settling_seconds: Seconds = Field(
        default=60,
        description="How long AWS's job listing is given to show a submission of unknown outcome.",
    )
    definition_grace: float = Field(
        default=2,
        ge=0,
        le=600,
        description="Seconds after its creation before a job is submitted whose definition is "
        "given by name: one `kubectl apply` may change that definition, too.",
    )
    max_environments: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="Compute environments that AWS allows an account in a region; 50 is AWS's own "
        "quota, and none is asked for beyond it.",
    )
    max_queues: int = Field(
        default=50,
        ge=1,
        le=10_000,
        description="Job queues that AWS allows an account in a region, likewise.",
    )
    resync_seconds: Seconds = Field(
        default=600, description="Every so often all objects are listed and compared."
    )
    poll_scale: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="Multiplies the intervals between polls of AWS, for a fast simulator.",
    )
    workers: int = Field(default=64, ge=1, le=1024, description="Objects worked on at a time.")
    listen_host: str = Field(default="::", description="Address of HTTP; :: is all, of IPv4, too.")
    listen_port: int = Field(
        default=8080, ge=0, le=65535, description="Port of /livez, /readyz and /metrics."
    )
    drain_seconds: Seconds = Field(
        default=13,
        description="On SIGTERM, how long calls in flight may take. A pod's "
        "terminationGracePeriodSeconds has to be two seconds longer, to tell events and to release "
        "the lease.",
    )
    status_log_lines: bool = Field(
        default=True, description="Whether a job's last log lines may stand in its status."
    )
    log_format: Literal["auto", "json", "human"] = Field(
        default="auto", description="auto, json or human."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level logged: debug, info, warning or error."
    )

    @property
    def installation(self) -> str:
        """Who this installation is among several in a cluster: all replicas share its Lease."""
        return f"{self.lease_namespace}/{self.lease_name}"

    @property
    def own_regions(self) -> tuple[str, ...] | None:
        """Regions that objects without an AWSAccount may be in; None: any."""
        if self.allowed_regions is None:
            return None
        return tuple(region for region in (self.region, *self.allowed_regions) if region)

    @property
    def most(self) -> Mapping[str, int]:
        """AWS's quotas in a region, by our kind."""
        return {"ComputeEnvironment": self.max_environments, "JobQueue": self.max_queues}

    @property
    def queue(self) -> Queue | None:
        """The interruption queue."""
        return queue_of(self.interruption_queue, self.region)

    @property
    def job_events(self) -> Queue | None:
        """The event queue."""
        return queue_of(self.event_queue, self.region)

    @property
    def listens(self) -> bool:
        """Whether there is a queue to listen to."""
        return bool(self.interruption_queue or self.event_queue)

    @property
    def aws_call_seconds(self) -> float:
        """The longest that one AWS call may take on the wire."""
        return self.aws_connect_timeout + self.aws_read_timeout

    @model_validator(mode="after")
    def _lease_outlasts_calls(self) -> Self:
        if self.lease_seconds < 2 * self.aws_call_seconds:
            raise ValueError(
                f"The lease of {self.lease_seconds} s is shorter than twice the AWS timeouts "
                f"({self.aws_call_seconds:g} s): a call could outlive it while another replica "
                "leads. Raise --lease-seconds or lower the timeouts."
            )
        return self

    @model_validator(mode="after")
    def _namespaces_are_said_once(self) -> Self:
        if self.namespaces and self.exclude_namespaces:
            raise ValueError("Give one of --namespaces and --exclude-namespaces, not both.")
        return self

    @model_validator(mode="after")
    def _queues_leave_threads(self) -> Self:
        # Reading them says, too, if one of them does not say where it is.
        queues = [each for each in (self.queue, self.job_events) if each is not None]
        if queues and self.aws_threads < LEAST_THREADS + len(queues):
            raise ValueError(
                f"One AWS call always waits for each queue (--interruption-queue, --event-queue): "
                f"raise --aws-threads to {LEAST_THREADS + len(queues)} at least."
            )
        if len({(each.account_id, each.region, each.name) for each in queues}) < len(queues):
            raise ValueError(
                "--interruption-queue and --event-queue name the same queue. Each deletes what is "
                "not for it: give each a queue of its own."
            )
        return self
