"""`status.capacity` of an UNMANAGED ComputeEnvironment."""

from typing import Any

from pydantic import Field

from awsbatch_operator.kinds.computeenvironment.capacity_spec import POOLS
from awsbatch_operator.schema.fields import LIST_ATOMIC, Count, Fields, Line, Paragraph, Short, Time

_PAUSED = 60  # offers of one pool


def _list(description: str, size: int) -> Any:
    return Field(
        None, description=description, max_length=size, json_schema_extra=dict(LIST_ATOMIC)
    )


class PausedOffer(Fields):
    """Something that cannot be bought at present, and is not asked for until then."""

    offer: Short = Field(description="Market, instance type and zone.")
    until: Time = Field(description="When it is tried again.")
    failures: Count | None = Field(None, description="How often it was refused in a row.")
    reason: Line | None = Field(None, description="What AWS said.")


class BlockStatus(Fields):
    """The block of a pool with market SpotBlock."""

    request: Count = Field(description="Which of the requests it fulfils.")
    decision: Line | None = Field(None, description="By which way it was got, and why.")
    end_time: Time | None = Field(None, description="When it ends.")
    cost: Short | None = Field(None, description="US dollars that all of it costs.")


class PoolStatus(Fields):
    """The instances of a pool."""

    name: Short = Field(description="Name of the pool.")
    wanted: Count | None = Field(None, description="Instances that waiting and running jobs need.")
    launched: Count | None = Field(None, description="Instances that EC2 runs.")
    joined: Count | None = Field(None, description="Of these, those in the ECS cluster.")
    serving: Count | None = Field(None, description="Of these, those that run jobs.")
    idle: Count | None = Field(None, description="Of these, those that run none.")
    draining: Count | None = Field(None, description="Instances that get no new jobs, and go.")
    hourly_cost: Short | None = Field(None, description="US dollars an hour; none if unknown.")
    block: BlockStatus | None = Field(None, description="Its block, with market SpotBlock.")
    paused: list[PausedOffer] | None = _list("What cannot be bought at present.", _PAUSED)


class PoolUserData(Fields):
    """What the instances of a pool get at their start."""

    pool: Short = Field(description="Name of the pool.")
    hash: Short = Field(description="Changes with the content.")
    bytes: Count = Field(description="Size; EC2 takes 16384.")


class CapacityStatus(Fields):
    """What was launched for waiting jobs."""

    wanted: Paragraph | None = Field(
        None, description="What is wanted for which jobs, and why, in one line."
    )
    pools: list[PoolStatus] | None = _list("The instances by pool.", POOLS)
    user_data: list[PoolUserData] | None = _list("User data by pool.", POOLS)
