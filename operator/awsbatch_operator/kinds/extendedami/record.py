"""The record of builds: the annotation `awsbatch.dev/build`, with a version.

It is written before each call that AWS cannot repeat safely, in one guarded write. What stands in
it says which instance, which image and which snapshots are wanted now; whatever else carries the
object's uid is left over from a call that came late, or from a process that died, and goes.

Total over what we write: what is read back is what was written. Anything else is a RecordError.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

from awsbatch_operator.api.encoding import canonical, decoded
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import BUILD, RECONCILE_AT, RecordError, Resource
from awsbatch_operator.api.names import short_hash

VERSION = 1
NONCE_DIGITS = 16
_PARSED = 512
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_REMEDY = (
    "Restore it, or remove it: images of this object are then found by their tags, and what was "
    "under way begins anew."
)


class Stage(StrEnum):
    """How far an attempt has come; the picture is in plan.py."""

    BUILD = "Build"  # the builder is launched, or is to be
    IMAGE = "Image"  # the builder has finished: the image is made of it
    VERIFY = "Verify"  # an instance of the image is launched, or is to be
    DONE = "Done"  # the image has its verdict and is used
    FAILED = "Failed"  # the attempt has failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A launch that was written down before its call. `offer` counts types times subnets."""

    token: str
    offer: int
    time: Instant


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One attempt to make an image.

    `build` is the hash in its name, `content` that of spec and base, which is another one only
    where an image is made anew for its age. `first` is the attempt with which the budget began, and
    `mark` what it was asked for with. `quiet` is when the builder was first seen stopped without a
    word on its console; `clean`: nothing that was launched or half made is left in AWS.
    """

    uid: str
    build: str
    content: str
    base: str
    source: str  # of the base, as the spec has it
    attempt: int
    first: int
    mark: str
    stage: Stage
    started: Instant  # of the attempt
    since: Instant  # of the stage
    launch: Launch | None = None  # the newest, of a builder or of a verifier
    rounds: int = 0  # how often all offers were tried in vain
    pause: Instant | None = None  # until then nothing is launched
    image: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    quiet: Instant | None = None
    regions: tuple[str, ...] = ()  # further ones that images were ever copied to
    published: str = ""  # the parameter that was written last
    tried: bool = False  # a cluster may have been made to try an image in
    rolled_out: str = (
        ""  # the image in use of which all was seen done; kept with driftPolicy Report
    )
    clean: bool = False

    @property
    def nonce(self) -> str:
        """What the builder's words on the console begin with; another one for each attempt."""
        return self._secret("builder")

    @property
    def verify_nonce(self) -> str:
        """The same of the verifier's."""
        return self._secret("verifier")

    def _secret(self, purpose: str) -> str:
        when = self.started.rfc3339_micro()
        return short_hash(
            self.uid, self.build, str(self.attempt), when, purpose, digits=NONCE_DIGITS
        )

    @property
    def under_way(self) -> bool:
        """Whether an image is being made."""
        return self.stage in {Stage.BUILD, Stage.IMAGE, Stage.VERIFY}

    def annotation(self) -> dict[str, str]:
        """The annotation to record."""
        return {BUILD: canonical(_body(self)).decode()}

    def at(self, stage: Stage, now: Instant, **changes: Any) -> "Build":
        """The same in another stage."""
        moved = replace(self, stage=stage, since=now, quiet=None, rounds=0, pause=None)
        return replace(moved, **changes)


def mark_of(resource: Resource) -> str:
    """What a new budget of attempts is asked for with: an edit, or a new value of the annotation.

    That of the generation is in it, so that whoever mends `builder` need not wait.
    """
    asked = resource.annotations.get(RECONCILE_AT, "")
    return short_hash(str(resource.generation), asked)


def recorded(resource: Resource) -> Build | None:
    """The object's own record; None if it has none. RecordError if it is damaged.

    A record with another object's uid came along with a copied manifest and says nothing here.
    """
    text = resource.annotations.get(BUILD)
    if text is None:
        return None
    read = parsed(text)
    return read if read.uid == resource.uid else None


@lru_cache(maxsize=_PARSED)
def parsed(text: str) -> Build:
    """Read an annotation; RecordError if it says nothing that we would have written."""
    try:
        body: dict[str, Any] = decoded(text)
        if body["v"] != VERSION:
            raise ValueError(f"its version is {body['v']!r}, and this operator reads {VERSION}")
        return _build(body)
    except _DAMAGED as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else f"{error}"[:200]
        raise RecordError(f"The annotation {BUILD} cannot be read: {why}", _REMEDY) from error


def _body(build: Build) -> dict[str, Any]:
    body: dict[str, Any] = {
        "v": VERSION,
        "uid": build.uid,
        "build": build.build,
        "content": build.content,
        "base": build.base,
        "source": build.source,
        "attempt": build.attempt,
        "first": build.first,
        "mark": build.mark,
        "stage": build.stage.value,
        "started": build.started.rfc3339_micro(),
        "since": build.since.rfc3339_micro(),
    }
    if build.launch is not None:
        body["launch"] = {
            "token": build.launch.token,
            "offer": build.launch.offer,
            "time": build.launch.time.rfc3339_micro(),
        }
    for name, moment in (("pause", build.pause), ("quiet", build.quiet)):
        body |= {} if moment is None else {name: moment.rfc3339_micro()}
    if build.failure is not None:
        body["failure"] = _failure_body(build.failure)
    known = {
        "rounds": build.rounds,
        "image": build.image,
        "measured": dict(build.measured),
        "regions": list(build.regions),
        "published": build.published,
        "tried": build.tried,
        "rolledOut": build.rolled_out,
        "clean": build.clean,
    }
    return body | {name: value for name, value in known.items() if value}


def _failure_body(failure: Failure) -> dict[str, Any]:
    body: dict[str, Any] = {
        "step": failure.step,
        "message": failure.message,
        "time": failure.time.rfc3339_micro(),
    }
    if failure.exit_code is not None:
        body["exitCode"] = failure.exit_code
    if failure.again is not None:
        body["again"] = failure.again.rfc3339_micro()
    if failure.instance:
        body["instance"] = failure.instance
    marks = {"kept": failure.kept, "taken": failure.taken}
    return body | {name: True for name, holds in marks.items() if holds}


def _build(body: Mapping[str, Any]) -> Build:
    launch, failure = body.get("launch"), body.get("failure")
    measured = body.get("measured", {})
    if not isinstance(measured, Mapping):
        raise TypeError("measured is no object")
    return Build(
        uid=_text(body["uid"]),
        build=_text(body["build"]),
        content=_text(body["content"]),
        base=_text(body["base"]),
        source=_text(body["source"]),
        attempt=_count(body["attempt"]),
        first=_count(body["first"]),
        mark=_text(body["mark"]),
        stage=Stage(body["stage"]),
        started=Instant.parse(body["started"]),
        since=Instant.parse(body["since"]),
        launch=None if launch is None else _launch(launch),
        rounds=_count(body.get("rounds", 0)),
        pause=_moment(body.get("pause")),
        image=_text(body.get("image", "")),
        measured=measured,
        failure=None if failure is None else _failure(failure),
        quiet=_moment(body.get("quiet")),
        regions=tuple(_text(each) for each in body.get("regions", [])),
        published=_text(body.get("published", "")),
        tried=body.get("tried", False) is True,
        rolled_out=_text(body.get("rolledOut", "")),
        clean=body.get("clean", False) is True,
    )


def _launch(body: Mapping[str, Any]) -> Launch:
    return Launch(
        token=_text(body["token"]),
        offer=_count(body["offer"]),
        time=Instant.parse(body["time"]),
    )


def _failure(body: Mapping[str, Any]) -> Failure:
    code = body.get("exitCode")
    return Failure(
        step=_text(body["step"]),
        message=_text(body["message"]),
        time=Instant.parse(body["time"]),
        exit_code=None if code is None else int(code),
        again=_moment(body.get("again")),
        instance=_text(body.get("instance", "")),
        kept=body.get("kept", False) is True,
        taken=body.get("taken", False) is True,
    )


def _moment(value: Any) -> Instant | None:
    return None if value is None else Instant.parse(_text(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
