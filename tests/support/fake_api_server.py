"""An API server for one kind that says exactly what a test lets it say: lists, and watch events.

Of any other kind it has no objects, and nothing ever happens to them.

For what a real one does rarely and never on request: 410, errors in the middle of a watch.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from awsbatch_operator.api.metadata import API_VERSION, GROUP, VERSION
from awsbatch_operator.kube import paths

Body = dict[str, Any]
VERBS = ["get", "list", "watch", "patch"]


def widget(name: str, version: int, **spec: object) -> Body:
    metadata = {
        "name": name,
        "namespace": "team",
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    return {"apiVersion": API_VERSION, "kind": "Widget", "metadata": metadata, "spec": spec}


def event(kind: str, body: Body) -> Body:
    return {"type": kind, "object": body}


def error(code: int) -> Body:
    return event("ERROR", {"kind": "Status", "code": code, "message": f"it is {code}"})


def bookmark(version: int) -> Body:
    body = {"apiVersion": API_VERSION, "kind": "Widget"}
    return event("BOOKMARK", {**body, "metadata": {"resourceVersion": str(version)}})


class FakeApiServer:
    """`lists` and `watches` are answered in turn: the last list for ever; a watch after the last
    stays open and silent. `since` are the versions that watches were asked to begin after.
    """

    def __init__(self, *, lists: list[list[Body]], watches: list[list[Body]]) -> None:
        self._lists = lists
        self._watches = watches
        self.since: list[str] = []
        self.listed = 0
        self.kinds = [{"name": "widgets", "singularName": "widget", "kind": "Widget"}]
        self._closing = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        ours = request.path.endswith("/widgets")
        if "watch" in request.query:
            return await (self._watch(request) if ours else self._silent(request))
        if ours:
            self.listed += 1
            items = self._lists.pop(0) if len(self._lists) > 1 else self._lists[0]
            return web.json_response(_list(items))
        document = self._documents().get(request.path)
        return web.json_response(_list([]) if document is None else document)

    def close(self) -> None:
        self._closing.set()

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self.since.append(request.query["resourceVersion"])
        if not self._watches:
            return await self._silent(request)
        response = web.StreamResponse()
        await response.prepare(request)
        for line in self._watches.pop(0):
            await response.write(json.dumps(line).encode() + b"\n")
        return response

    async def _silent(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await self._closing.wait()
        return response

    def _documents(self) -> dict[str, Body]:
        version = {"groupVersion": API_VERSION, "version": VERSION}
        group = {"name": GROUP, "versions": [version], "preferredVersion": version}
        namespaces = {"name": "namespaces", "singularName": "namespace", "kind": "Namespace"}
        return {
            "/api": {"versions": ["v1"]},
            "/api/v1": _resources(namespaces, namespaced=False),
            "/apis": {"groups": [group]},
            paths.GROUP_VERSION: _resources(*self.kinds, namespaced=True),
        }


def _list(items: list[Body]) -> Body:
    return {"kind": "WidgetList", "items": items, "metadata": {"resourceVersion": "1"}}


def _resources(*kinds: Body, namespaced: bool) -> Body:
    return {"resources": [{**kind, "namespaced": namespaced, "verbs": VERBS} for kind in kinds]}


@asynccontextmanager
async def serving(server: FakeApiServer, directory: Path) -> AsyncIterator[Path]:
    """Serve on a free port; gives a kubeconfig."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await server.answer(request)
        except ConnectionResetError:  # whoever asked has gone meanwhile, as a watch does that ends
            return web.Response()

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = TestServer(application)
    await runner.start_server()
    try:
        yield write_kubeconfig(directory / "kubeconfig", str(runner.make_url("")).rstrip("/"))
    finally:
        server.close()
        await runner.close()


def write_kubeconfig(path: Path, server: str) -> Path:
    content = {
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path
