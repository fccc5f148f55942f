"""Identity policies that moto's IAM keeps."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from awsbatch_simulator.bridge.moto import MotoBridge
from awsbatch_simulator.context import Place


class MotoPolicies:
    """The Documents port over moto. As long as nobody has used IAM there are none."""

    def __init__(self, bridge: MotoBridge) -> None:
        self._bridge = bridge

    @property
    def changes(self) -> int:
        """Grows with every call of IAM that may have changed a policy."""
        return self._bridge.iam_changes

    def of(self, place: Place, kind: str, name: str) -> Iterator[Mapping[str, Any]]:
        """The policies of a user or a role, inline and attached ones, those of its groups too."""
        if not self._bridge.touched("iam", place):
            return
        backend = self._bridge.backend("iam", place)
        owners: list[Any] = []
        if kind == "role":
            owners = [each for each in backend.get_roles() if each.name == name]
        elif name in backend.users:
            user = backend.users[name]
            owners = [user, *(each for each in backend.groups.values() if user in each.users)]
        for owner in owners:
            for document in owner.policies.values():
                yield _parsed(document)
            for policy in owner.managed_policies.values():
                yield from (_parsed(each.document) for each in policy.versions if each.is_default)


def _parsed(document: Any) -> Mapping[str, Any]:
    """Moto keeps texts, and parsed ones of some inline policies."""
    found: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    return found
