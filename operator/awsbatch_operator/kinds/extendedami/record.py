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
from awsbatch_operator.kinds.extendedami.record_parts import (
    Copying,
    Failure,
    Launch,
    copying_of,
    count_of,
    failure_of,
    launch_of,
    moment_of,
    text_of,
)

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
    copies: Mapping[str, Copying] = field(default_factory=dict)  # the newest, by region
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
        body["launch"] = build.launch.body()
    for name, moment in (("pause", build.pause), ("quiet", build.quiet)):
        body |= {} if moment is None else {name: moment.rfc3339_micro()}
    if build.failure is not None:
        body["failure"] = build.failure.body()
    known = {
        "rounds": build.rounds,
        "image": build.image,
        "measured": dict(build.measured),
        "regions": list(build.regions),
        "copies": {region: each.body() for region, each in build.copies.items()},
        "published": build.published,
        "tried": build.tried,
        "rolledOut": build.rolled_out,
        "clean": build.clean,
    }
    return body | {name: value for name, value in known.items() if value}


def _build(body: Mapping[str, Any]) -> Build:
    launch, failure = body.get("launch"), body.get("failure")
    measured = body.get("measured", {})
    if not isinstance(measured, Mapping):
        raise TypeError("measured is no object")
    return Build(
        uid=text_of(body["uid"]),
        build=text_of(body["build"]),
        content=text_of(body["content"]),
        base=text_of(body["base"]),
        source=text_of(body["source"]),
        attempt=count_of(body["attempt"]),
        first=count_of(body["first"]),
        mark=text_of(body["mark"]),
        stage=Stage(body["stage"]),
        started=Instant.parse(body["started"]),
        since=Instant.parse(body["since"]),
        launch=None if launch is None else launch_of(launch),
        rounds=count_of(body.get("rounds", 0)),
        pause=moment_of(body.get("pause")),
        image=text_of(body.get("image", "")),
        measured=measured,
        failure=None if failure is None else failure_of(failure),
        quiet=moment_of(body.get("quiet")),
        regions=tuple(text_of(each) for each in body.get("regions", [])),
        copies={text_of(name): copying_of(each) for name, each in body.get("copies", {}).items()},
        published=text_of(body.get("published", "")),
        tried=body.get("tried", False) is True,
        rolled_out=text_of(body.get("rolledOut", "")),
        clean=body.get("clean", False) is True,
    )
