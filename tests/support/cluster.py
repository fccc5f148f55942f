"""What a user does and sees in a namespace of the real API server, without kubectl's start-up."""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from tests.support.api_server import APPLY, MERGE, ApiServer, Body
from tests.support.deadline import wait_until

from awsbatch_operator.api.conditions import condition
from awsbatch_operator.api.metadata import RECONCILE_AT, ObjectKey
from awsbatch_operator.assembly import CLUSTER_SCOPED, KINDS
from awsbatch_operator.kube import paths

SECONDS = 40.0  # the deadline of a wait; nothing here takes that long unless it is broken
Look = Callable[[Body], object]


def is_true(*names: str) -> Look:
    """Whether one of these conditions is True and was found for the newest generation."""

    def look(body: Body) -> bool:
        generation = body["metadata"]["generation"]
        found = (condition(body.get("status", {}), name) for name in names)
        return any(
            each and each["status"] == "True" and each["observedGeneration"] == generation
            for each in found
        )

    return look


is_ready, is_stalled = is_true("Ready"), is_true("Stalled")
is_complete, is_over = is_true("Complete"), is_true("Complete", "Failed")


def shows(reason: str) -> Look:
    """Whether a condition that is True carries that reason."""

    def look(body: Body) -> bool:
        listed = body.get("status", {}).get("conditions", ())
        return any(each["status"] == "True" and each["reason"] == reason for each in listed)

    return look


def message(body: Body, name: str) -> str:
    """What a condition says; "" if there is none of that name."""
    found = condition(body.get("status", {}), name)
    return "" if found is None else str(found["message"])


@dataclass
class Cluster:
    """A namespace, through the eyes of somebody who may do everything in it."""

    api: ApiServer
    namespace: str
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, kind: str, name: str) -> ObjectKey:
        """The object of that name in this namespace."""
        return ObjectKey(kind, "" if kind in CLUSTER_SCOPED else self.namespace, name)

    def apply(self, *bodies: Mapping[str, Any]) -> list[Body]:
        """kubectl apply --server-side, into this namespace; what the API server has then."""
        answers = []
        for body in bodies:
            key = self.key(body["kind"], body["metadata"]["name"])
            metadata = {**body["metadata"], "namespace": key.namespace or None}
            query = "fieldManager=kubectl&force=true&fieldValidation=Strict"
            path = f"{paths.of_object(key)}?{query}"
            answers.append(self._ask("PATCH", path, {**body, "metadata": metadata}))
        return answers

    def edit(self, kind: str, name: str, change: Body, *, missing_ok: bool = False) -> Body:
        """kubectl patch --type=merge."""
        path = paths.of_object(self.key(kind, name))
        return self._ask("PATCH", path, change, content=MERGE, missing_ok=missing_ok)

    def annotate(self, kind: str, name: str, annotations: Mapping[str, str | None]) -> None:
        """kubectl annotate; None takes an annotation away."""
        self.edit(kind, name, {"metadata": {"annotations": dict(annotations)}})

    def nudge(self, kind: str, name: str) -> None:
        """Ask the operator to look again now, unless the object is gone."""
        wanted = {"metadata": {"annotations": {RECONCILE_AT: secrets.token_hex(8)}}}
        self.edit(kind, name, wanted, missing_ok=True)

    def delete(self, kind: str, name: str) -> None:
        """kubectl delete --wait=false."""
        self._ask("DELETE", paths.of_object(self.key(kind, name)), missing_ok=True)

    def get(self, kind: str, name: str) -> Body | None:
        """The object; None if it is gone."""
        return self._ask("GET", paths.of_object(self.key(kind, name)), missing_ok=True) or None

    def all(self, kinds: Iterable[str] = KINDS) -> list[Body]:
        """All our objects in this namespace."""
        found = []
        for kind in kinds:
            if kind not in CLUSTER_SCOPED:
                items = self._ask("GET", paths.of_kind(kind, self.namespace))["items"]
                found += [{"kind": kind, **item} for item in items]
        return found

    def summary(self) -> list[str]:
        """A line for each of our objects here: what its true conditions say."""
        return [
            f"{body['kind']} {body['metadata']['name']}: {each['type']} {each['message']}"
            for body in self.all()
            for each in body.get("status", {}).get("conditions", ())
            if each["status"] == "True"
        ]

    def events(self, kind: str, name: str) -> list[Body]:
        """The events about an object, in the order in which they were made."""
        listed = self._ask("GET", paths.of_events(self.namespace))["items"]
        about = [each for each in listed if each["regarding"]["name"] == name]
        about = [each for each in about if each["regarding"]["kind"] == kind]
        return sorted(about, key=lambda each: str(each["eventTime"]))

    def wait(
        self, kind: str, name: str, look: Look, what: str, *, seconds: float = SECONDS
    ) -> Body:
        """The object once it looks so; AssertionError, with the object, when time is up."""
        seen: list[Body | None] = [None]

        def looks_so() -> Body | None:
            seen[0] = self.get(kind, name)
            return seen[0] if seen[0] is not None and look(seen[0]) else None

        try:
            found = wait_until(looks_so, f"{kind} {name} {what}", seconds=seconds)
        except AssertionError as error:
            around = "\n".join(self.summary())
            raise AssertionError(f"{error}; it is\n{_shown(seen[0])}\n{around}") from None
        assert found is not None
        return found

    def wait_gone(self, *keys: tuple[str, str], seconds: float = SECONDS) -> None:
        """Return once these (kind, name) are gone; without any, once nothing of ours is left."""
        left: list[Body] = []

        def gone() -> bool:
            left[:] = [body for each in keys if (body := self.get(*each))] if keys else self.all()
            return not left

        try:
            wait_until(gone, "all objects are gone", seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; left are\n{_shown(left)}") from None

    def _ask(
        self,
        method: str,
        path: str,
        body: Body | None = None,
        *,
        content: str = APPLY,
        missing_ok: bool = False,
    ) -> Body:
        with self._lock:
            status, answer = self.api.ask(method, path, body, content_type=content)
        if status == 404 and missing_ok:
            return {}
        assert status < 300, f"{method} {path}: {answer.get('message')}"
        return answer


def _shown(body: Any) -> str:
    for each in body if isinstance(body, list) else [body or {}]:
        each.get("metadata", {}).pop("managedFields", None)
    return yaml.safe_dump(body)
