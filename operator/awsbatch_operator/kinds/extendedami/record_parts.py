"""Parts of the record of builds (record.py), each with how it is written and read.

What cannot be read raises KeyError, TypeError or ValueError, which the record makes a RecordError.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.instant import Instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch that was written down before its call. `offer` counts types times subnets."""

    token: str
    offer: int
    time: Instant

    def body(self) -> dict[str, Any]:
        """As it stands in the annotation."""
        return {"token": self.token, "offer": self.offer, "time": self.time.rfc3339_micro()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copying:
    """A copy that was asked for in a region, written down before its call.

    `attempt` counts from 1 and goes up when EC2 is known to have nothing of the one before;
    `request` is the digest of what was asked for.
    """

    attempt: int
    request: str
    time: Instant

    def body(self) -> dict[str, Any]:
        """As it stands in the annotation."""
        return {
            "attempt": self.attempt,
            "request": self.request,
            "time": self.time.rfc3339_micro(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt has failed. `again` None: no further attempt is made by itself.

    `taken`: another image has the name; the next attempt is made once it is free.
    """

    step: str
    message: str
    time: Instant
    exit_code: int | None = None
    again: Instant | None = None
    instance: str = ""  # that failed
    kept: bool = False  # and is left running for a person, for a while
    taken: bool = False

    def body(self) -> dict[str, Any]:
        """As it stands in the annotation."""
        body: dict[str, Any] = {
            "step": self.step,
            "message": self.message,
            "time": self.time.rfc3339_micro(),
        }
        if self.exit_code is not None:
            body["exitCode"] = self.exit_code
        if self.again is not None:
            body["again"] = self.again.rfc3339_micro()
        if self.instance:
            body["instance"] = self.instance
        marks = {"kept": self.kept, "taken": self.taken}
        return body | {name: True for name, holds in marks.items() if holds}


def launch_of(body: Mapping[str, Any]) -> Launch:
    """From the annotation."""
    return Launch(
        token=text_of(body["token"]),
        offer=count_of(body["offer"]),
        time=Instant.parse(body["time"]),
    )


def copying_of(body: Mapping[str, Any]) -> Copying:
    """From the annotation."""
    return Copying(
        attempt=count_of(body["attempt"]),
        request=text_of(body["request"]),
        time=Instant.parse(body["time"]),
    )


def failure_of(body: Mapping[str, Any]) -> Failure:
    """From the annotation."""
    code = body.get("exitCode")
    return Failure(
        step=text_of(body["step"]),
        message=text_of(body["message"]),
        time=Instant.parse(body["time"]),
        exit_code=None if code is None else int(code),
        again=moment_of(body.get("again")),
        instance=text_of(body.get("instance", "")),
        kept=body.get("kept", False) is True,
        taken=body.get("taken", False) is True,
    )


def moment_of(value: Any) -> Instant | None:
    """A moment that may be left out; ValueError or TypeError for anything else."""
    return None if value is None else Instant.parse(text_of(value))


def text_of(value: Any) -> str:
    """A text; TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def count_of(value: Any) -> int:
    """A count from 0; ValueError for anything else."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
