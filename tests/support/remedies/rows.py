"""A row of the table of faults and remedies: what is broken, what is said, and what is done."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from tests.support import manifests
from tests.support.manifests import ENVIRONMENT

from awsbatch_operator.api.metadata import ObjectKey

MINUTES = 1800.0  # AWS looks at environments every minute, the operator at what it was denied later


class There(Protocol):
    """Where a row happens: an operator at work, what a user does and sees of it, and AWS."""

    def named(self, text: str) -> str:
        """What a name of a row is there, where other rows use the same one at the same time."""

    def apply(self, key: ObjectKey, spec: Mapping[str, Any]) -> None:
        """kubectl apply --server-side."""

    def remove(self, key: ObjectKey) -> None:
        """kubectl delete --wait=false."""

    def status(self, key: ObjectKey) -> dict[str, Any]:
        """What the object's status shows."""

    async def run_until(self, condition: Callable[[], bool], *, within: float = ...) -> float:
        """Let time pass until the condition holds."""

    async def until(self, key: ObjectKey, name: str, reason: str = ..., within: float = ...) -> str:
        """Wait for the condition; its message."""

    async def until_ready(self, *keys: ObjectKey, within: float = ...) -> float:
        """Wait until they are."""

    async def until_gone(self, *keys: ObjectKey, within: float = ...) -> float:
        """Wait until they are."""

    def aws(self, service: str = ...) -> Any:
        """A boto3 client of somebody else in the same account."""

    def fault(self, **spec: Any) -> None:
        """Let something go wrong from now on."""

    def mend(self) -> None:
        """Take the faults away."""


Deed = Callable[[There], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`broken` leads to the condition of the object, whose message says all of `says`.

    `remedy` does what one of its sentences asks for; then all of `ready` are, by default the object
    itself, or all of `gone` are. `settings` are those of the operator that differ from the usual.
    """

    id: str
    broken: Deed
    reason: str
    says: tuple[str, ...]
    remedy: Deed
    of: ObjectKey = ENVIRONMENT
    condition: str = "Stalled"
    ready: tuple[ObjectKey, ...] = ()
    gone: tuple[ObjectKey, ...] = ()
    without: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    async def happens(self, there: There) -> str:
        """It breaks and says so; the message."""
        await self.broken(there)
        message = await there.until(self.of, self.condition, self.reason, within=MINUTES)
        for words in self.says:
            assert there.named(words) in message, f"{self.id}: {words!r} is not in {message!r}"
        for words in self.without:
            assert there.named(words) not in message, f"{self.id}: {words!r} is in {message!r}"
        return message

    async def heals(self, there: There) -> None:
        """What the remedy leads to."""
        if self.gone:
            await there.until_gone(*self.gone, within=MINUTES)
        else:
            await there.until_ready(*(self.ready or (self.of,)), within=MINUTES)


def table(rows: tuple[Fault, ...]) -> Any:
    """The rows as parameters of a test."""
    return pytest.mark.parametrize("fault", rows, ids=[row.id for row in rows])


def apply(key: ObjectKey, spec: dict[str, Any], *more: tuple[ObjectKey, dict[str, Any]]) -> Deed:
    """kubectl apply."""

    async def do(there: There) -> None:
        for each, wanted in ((key, spec), *more):
            there.apply(each, wanted)

    return do


def one_after_another(*deeds: Deed) -> Deed:
    """One deed, then the next."""

    async def do(there: There) -> None:
        for deed in deeds:
            await deed(there)

    return do


def ready(*keys: ObjectKey) -> Deed:
    """Wait until they are."""

    async def do(there: There) -> None:
        await there.until_ready(*keys, within=MINUTES)

    return do


def remove(*keys: ObjectKey) -> Deed:
    """kubectl delete --wait=false."""

    async def do(there: There) -> None:
        for key in keys:
            there.remove(key)

    return do


def gone(*keys: ObjectKey) -> Deed:
    """Wait until they are."""

    async def do(there: There) -> None:
        await there.until_gone(*keys, within=MINUTES)

    return do


def made_again(key: ObjectKey, spec: dict[str, Any]) -> Deed:
    """Delete the object, and create it again when it is gone."""
    return one_after_another(remove(key), gone(key), apply(key, spec))


def queue(*environments: str, **changes: Any) -> dict[str, Any]:
    """A JobQueue over these."""
    return manifests.queue(*environments, **changes)
