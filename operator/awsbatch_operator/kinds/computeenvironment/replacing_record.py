"""What of a replacement must be known after a crash, besides the names in AWS (pure).

The names stand in the annotation `awsbatch.dev/resolved`. Here stand the moments that AWS does not
tell: since when an environment takes no new jobs, because a job that started just before may come
to light later than that, and because `drainTimeoutSeconds` counts from then; since when a successor
is not wanted that AWS does not show, because the result of a call that makes it may come to light
later than that; and for which generation of the object the successor was made. What is lost of it
is made up for by waiting once more. When such a call went out does not stand here: it would be
written again at each repeat of a call that AWS refuses.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import REPLACING, Resource, Shape


@dataclass(frozen=True, slots=True)
class Policy:
    """`spec.replacement`. `drain_seconds` 0: running jobs are waited for as long as they take."""

    refuse: bool = False
    swap: bool = False
    drain_seconds: float = 0.0


def policy_of(spec: Shape) -> Policy:
    """As the spec says; of a spec that is not sound, which a deletion comes across, the default."""
    body = spec.get("replacement")
    if not isinstance(body, Mapping):
        return Policy()
    seconds = body.get("drainTimeoutSeconds")
    return Policy(
        refuse=body.get("policy") == "Refuse",
        swap=body.get("foreignQueues") == "Swap",
        drain_seconds=float(seconds) if isinstance(seconds, int) and seconds > 0 else 0.0,
    )


@dataclass(frozen=True, slots=True)
class Leaving:
    """An environment on its way out: no new job since then; when its deletion was asked for."""

    since: Instant
    deleted: Instant | None = None


@dataclass(frozen=True, slots=True)
class Replacing:
    """`generation` is that of the object for which the successor is made.

    `unwanted`: since when no call makes the successor any more, and AWS does not show it.
    """

    generation: int = -1
    unwanted: Instant | None = None
    leaving: Mapping[str, Leaving] = field(default_factory=dict)

    def making(self, generation: int) -> "Replacing":
        """A call that makes the successor is about to go out."""
        return replace(self, generation=generation, unwanted=None)

    def giving_up(self, now: Instant) -> "Replacing":
        """The successor is not made any more; the first moment at which that was seen counts."""
        return replace(self, unwanted=self.unwanted or now)

    def left(self, name: str, now: Instant) -> "Replacing":
        """The environment of that name takes no new jobs from now on."""
        return replace(self, leaving={**self.leaving, name: Leaving(now)})

    def deleting(self, name: str, now: Instant) -> "Replacing":
        """The deletion of that environment is about to be asked for."""
        return replace(
            self, leaving={**self.leaving, name: replace(self.leaving[name], deleted=now)}
        )

    def without(self, *names: str) -> "Replacing":
        """Nothing of these names is left."""
        kept = {name: each for name, each in self.leaving.items() if name not in names}
        return replace(self, leaving=kept)

    def record(self) -> Mapping[str, str]:
        """The annotation."""
        body: dict[str, object] = {"generation": self.generation}
        if self.unwanted is not None:
            body["unwanted"] = self.unwanted.rfc3339()
        if self.leaving:
            body["leaving"] = {
                name: {
                    "since": each.since.rfc3339(),
                    **({"deleted": each.deleted.rfc3339()} if each.deleted else {}),
                }
                for name, each in sorted(self.leaving.items())
            }
        return {REPLACING: json.dumps(body, separators=(",", ":"))}


def replacing_in(resource: Resource) -> Replacing:
    """What was recorded; nothing, too, if somebody has edited it into something else."""
    try:
        body = json.loads(resource.annotations.get(REPLACING, "{}"))
        leaving = {
            str(name): Leaving(Instant.parse(each["since"]), _moment(each.get("deleted")))
            for name, each in body.get("leaving", {}).items()
        }
        return Replacing(int(body.get("generation", -1)), _moment(body.get("unwanted")), leaving)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Replacing()


def _moment(text: str | None) -> Instant | None:
    return None if text is None else Instant.parse(text)
