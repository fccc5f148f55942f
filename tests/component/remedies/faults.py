"""A row of the table of faults and remedies: what is broken, what is said, and what is done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import ENVIRONMENT

from awsbatch_operator.api.metadata import ObjectKey

Deed = Callable[[Installation], Awaitable[Any]]
MINUTES = 1800.0  # AWS looks at environments every minute, the operator at what it was denied later


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`broken` leads to the condition of the object, whose message says all of `says`.

    `remedy` does what one of its sentences asks for; then `healed` holds: by default, all of
    `ready` are.
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

    async def happens_and_heals(self) -> Installation:
        """The whole story, with what it says on the way; the installation at its end."""
        there = Installation(**self.settings)
        async with there.running():
            await self.broken(there)
            message = await there.until(self.of, self.condition, self.reason, within=MINUTES)
            for words in self.says:
                assert words in message, message
            for words in self.without:
                assert words not in message, message
            await self.remedy(there)
            if self.gone:
                await there.until_gone(*self.gone, within=MINUTES)
            else:
                await there.until_ready(*(self.ready or (self.of,)), within=MINUTES)
        return there


def table(*rows: Fault) -> Any:
    """The rows as parameters of a test."""
    return pytest.mark.parametrize("fault", rows, ids=[row.id for row in rows])


def apply(key: ObjectKey, spec: dict[str, Any], *more: tuple[ObjectKey, dict[str, Any]]) -> Deed:
    """kubectl apply."""

    async def do(there: Installation) -> None:
        for each, wanted in ((key, spec), *more):
            there.apply(each, wanted)

    return do


def one_after_another(*deeds: Deed) -> Deed:
    """One deed, then the next."""

    async def do(there: Installation) -> None:
        for deed in deeds:
            await deed(there)

    return do


def ready(*keys: ObjectKey) -> Deed:
    """Wait until they are."""

    async def do(there: Installation) -> None:
        await there.until_ready(*keys, within=MINUTES)

    return do


def remove(*keys: ObjectKey) -> Deed:
    """kubectl delete --wait=false."""

    async def do(there: Installation) -> None:
        for key in keys:
            there.kube.remove(key)

    return do


def gone(*keys: ObjectKey) -> Deed:
    """Wait until they are."""

    async def do(there: Installation) -> None:
        await there.until_gone(*keys, within=MINUTES)

    return do


def made_again(key: ObjectKey, spec: dict[str, Any]) -> Deed:
    """Delete the object, and create it again when it is gone."""
    return one_after_another(remove(key), gone(key), apply(key, spec))


def queue(*environments: str, **changes: Any) -> dict[str, Any]:
    """A JobQueue over these."""
    return manifests.queue(*environments, **changes)
