"""Many namespaces of the real API server at once, each the place of one row of a table.

What is seen of them comes from one watch a kind, so that a hundred objects that are waited for cost
no more than one. Rows share the AWS account of the site: names that several of them use there, and
those of AWSAccounts, are other ones in each place.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests.support.api_server import MERGE, ApiServer, Body
from tests.support.cluster import Cluster, is_ready, is_true, message
from tests.support.deadline import POLL_SECONDS
from tests.support.installation import ACCOUNT, NAMESPACE
from tests.support.reading import messages_of, reads_badly
from tests.support.recording import Recording
from tests.support.site import Site
from tests.support.whole_life import account
from tests.support.whole_life import named as manifest

from awsbatch_operator.api.conditions import condition
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.assembly import KINDS
from awsbatch_operator.kube import paths

NUDGE_SECONDS = 2.5
SECONDS = 120.0  # the deadline of a wait: a hundred stories go on at the same time
# What described.py and answer_forms.py name.
OF_THE_FORMS = [
    *("arn:aws:secretsmanager:*", "fs-*", "fsap-*", "parameter/*", "consumable-resource/*"),
    *("secret/*", "serviceaccount/*", "persistentvolumeclaim/*"),
    *("arn:aws:batch:*:*:compute-environment/*", "arn:aws:batch:*:*:scheduling-policy/*"),
]
_SHARED = re.compile(rf"(?<![\w-])(?:{NAMESPACE}(?!\w)|(?:research|ours|other|shared)(?![\w-]))")


class Sight:
    """The newest version of every object of ours in the cluster."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._taken = 0
        self._newest: dict[ObjectKey, Body] = {}
        self.badly_said: set[tuple[str, str]] = set()  # (namespace, what), of all that is shown

    def look(self, key: ObjectKey) -> Body | None:
        """The object; None if it is gone."""
        for change in self._recording.since(self._taken):
            self._taken += 1
            body = dict(change.body)
            if change.event == "DELETED":
                self._newest.pop(_key(change.kind, body), None)
            else:
                self.take(change.kind, body)
        return self._newest.get(key)

    def take(self, kind: str, body: Body) -> None:
        """A version, from whoever has it first."""
        before = self._newest.get(_key(kind, body))
        if before is None or _version(before) < _version(body):
            self._newest[_key(kind, body)] = body
            place = body["metadata"].get("namespace", "")
            self.badly_said |= {
                (place, bad) for text in messages_of(body) if (bad := reads_badly(text))
            }


def _key(kind: str, body: Body) -> ObjectKey:
    return ObjectKey(kind, body["metadata"].get("namespace", ""), body["metadata"]["name"])


def _version(body: Body) -> int:
    return int(body["metadata"]["resourceVersion"])


class Place:
    """A namespace, what a user does and sees in it, and AWS as somebody else in the account.

    With the number of an AWS account, all that is applied refers to an AWSAccount of that.
    """

    def __init__(self, site: Site, sight: Sight, cluster: Cluster, number: str = "") -> None:
        self._site, self._sight, self._cluster = site, sight, cluster
        self._number = number
        self._faults: list[str] = []
        if number:
            here, named_by_arn = cluster.namespace, {"allowedExternalArns": OF_THE_FORMS}
            cluster.apply(account(here, number, here, **named_by_arn))

    @property
    def number(self) -> str:
        """Of the AWS account."""
        return self._number or ACCOUNT

    def named(self, text: str) -> str:
        """The text with the names that other places use, too, replaced by this place's own."""
        here = self._cluster.namespace
        return _SHARED.sub(lambda m: here if m[0] == NAMESPACE else f"{m[0]}-{here}", text)

    def _own(self, key: ObjectKey) -> ObjectKey:
        return self._cluster.key(key.kind, self.named(key.name))

    # --- what a user does and sees ---------------------------------------------------------------

    def apply(self, key: ObjectKey, spec: Mapping[str, Any]) -> None:
        wanted = json.loads(self.named(json.dumps(spec)).replace(ACCOUNT, self.number))
        if self._number:
            wanted |= {"accountRef": {"name": self._cluster.namespace}}
        (made,) = self._cluster.apply(manifest(key.kind, self._own(key).name, wanted))
        self._sight.take(key.kind, made)

    def remove(self, key: ObjectKey) -> None:
        self._cluster.delete(key.kind, self._own(key).name)

    def nudge(self, key: ObjectKey) -> None:
        self._cluster.nudge(key.kind, self._own(key).name)

    def see(self, key: ObjectKey) -> Body | None:
        return self._sight.look(self._own(key))

    def status(self, key: ObjectKey) -> dict[str, Any]:
        return dict((self.see(key) or {}).get("status", {}))

    def said(self, key: ObjectKey, name: str) -> str:
        """What a condition says; "" if there is none of that name."""
        return message(self.see(key) or {}, name)

    def events(self, key: ObjectKey) -> list[str]:
        """The reasons of the events about the object."""
        told = self._cluster.events(key.kind, self._own(key).name)
        return [str(each["reason"]) for each in told]

    def metric(self, name: str, **labels: str) -> float:
        """The operator's, over the whole cluster."""
        return self._site.metric(name, **labels)

    def is_true(self, key: ObjectKey, name: str, reason: str = "") -> bool:
        body = self.see(key)
        if body is None or not is_true(name)(body):
            return False
        return reason in {"", (condition(body["status"], name) or {})["reason"]}

    async def until(self, key: ObjectKey, name: str, reason: str = "", within: float = 0) -> str:
        """Wait for the condition; its message."""
        what = f"{key} is {name} {reason}"
        await self._wait(lambda: self.is_true(key, name, reason), what, key)
        return self.said(key, name)

    async def until_ready(self, *keys: ObjectKey, within: float = 0) -> float:
        def all_are() -> bool:
            return all(is_ready(body) if (body := self.see(key)) else False for key in keys)

        return await self._wait(all_are, "they are Ready", *keys)

    async def until_gone(self, *keys: ObjectKey, within: float = 0) -> float:
        return await self._wait(
            lambda: all(self.see(key) is None for key in keys), "they are gone", *keys
        )

    async def run_until(self, condition: Callable[[], bool], *, within: float = 0) -> float:
        return await self._wait(condition, "what a row waits for")

    async def _wait(self, condition: Callable[[], bool], what: str, *about: ObjectKey) -> float:
        """Here the time is the real one: whatever a row allows, nothing may take that long.

        What does not come within NUDGE_SECONDS is asked for as users do, once: the operator leaves
        some things be for a quarter of a minute, and each such look costs calls of AWS's limits.
        tests/component holds that they come by themselves.
        """
        began = time.monotonic()
        nudged = False
        while not condition():
            now = time.monotonic()
            if not nudged and now - began > NUDGE_SECONDS:
                nudged = True
                for key in about[:1]:
                    if self.see(key):
                        self.nudge(key)
            if now - began > SECONDS:
                raise AssertionError(f"not within {SECONDS} s: {what}\n{self._shown(about)}")
            await asyncio.sleep(POLL_SECONDS)
        return time.monotonic() - began

    def _shown(self, keys: Iterable[ObjectKey]) -> str:
        """What the true conditions of objects say that are not Ready."""
        return "\n".join(
            f"{key}: {each['type']} {each['reason']} {each['message']}"
            for key in keys
            for each in self.status(key).get("conditions", ())
            if each["status"] == "True" and each["type"] != "Ready"
        )

    # --- AWS, past the operator ---

    def aws(self, service: str = "batch") -> Any:
        return self._site.client(service, account=self._number)

    def fault(self, **spec: Any) -> None:
        effect = spec.pop("effect")
        self._faults.append(self._site.fault(effect, **spec))

    def mend(self) -> None:
        while self._faults:
            self._site.mend(self._faults.pop())


class Places:
    """Makes places on a site."""

    def __init__(self, site: Site, api: ApiServer, sight: Sight) -> None:
        self._site, self._api, self.sight = site, api, sight

    def new(self, name: str, *, account_number: str = "") -> Place:
        """A place in a namespace of that name, which stays: emptying it is what takes time."""
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        status, answer = self._api.ask("POST", "/api/v1/namespaces", body)
        assert status == 201, answer
        return Place(self._site, self.sight, Cluster(self._api, name), account_number)


@contextmanager
def places(site: Site) -> Iterator[Places]:
    """Places on the site, while what happens in the whole cluster is seen."""
    with ApiServer(site.control_plane) as api, Recording(site.control_plane, "") as recording:
        yield Places(site, api, Sight(recording))


def clear(site: Site) -> None:
    """Let all of our objects go, finalizers or not. No operator may be left that would."""
    without = {"metadata": {"finalizers": None}}
    with ApiServer(site.control_plane) as api:
        for kind in KINDS:
            for body in api.ask("GET", paths.of_kind(kind))[1]["items"]:
                path = paths.of_object(_key(kind, body))
                api.ask("DELETE", path)
                api.ask("PATCH", path, without, content_type=MERGE)
