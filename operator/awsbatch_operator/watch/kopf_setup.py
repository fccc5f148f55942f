"""How Kopf is set up: as an informer with a login, and nothing else.

Kopf lists, watches, goes on where a connection broke, begins anew where a version has expired, and
logs in again where the API server does not know us any more. What it does with each event after
that (a task for each object, loggers, patches, the search for handlers) is for operators whose
handlers write to the object; it took twice the time of reading the event. See docs/decisions.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import kopf
from kopf._cogs.clients import watching
from kopf._cogs.clients.auth import vault_var
from kopf._cogs.structs.credentials import Vault
from kopf._cogs.structs.ephemera import AnyMemo
from kopf._cogs.structs.references import NamespaceName, Resource
from kopf._core.engines.activities import authenticator

from awsbatch_operator.api.metadata import GROUP, VERSION, Shape
from awsbatch_operator.kube.paths import CLUSTER_SCOPED, plural

Login = Callable[[], Awaitable[kopf.AiohttpSession]]

ERROR_BACKOFFS = (1, 1, 2, 3, 5)  # seconds before a request that has failed is sent again
LOGIN_RETRIES = 2
LOGIN_RETRY_SECONDS = 2.0


def logged_in(login: Login, settings: kopf.OperatorSettings) -> asyncio.Task[Any]:
    """A task that calls `login` whenever Kopf needs an identity. It ends only by failing.

    Then its error is Kopf's ActivityError; the first cause of that is what `login` has raised last.

    The requests of the task that calls this, and of those that it makes from now on, are sent so.
    """
    registry = kopf.OperatorRegistry()  # the global one would let two watches in a process mix

    async def log_in(retry: int, **_: Any) -> kopf.AiohttpSession:
        try:
            return await login()
        except Exception as error:
            if retry < LOGIN_RETRIES:
                raise kopf.TemporaryError("not yet", delay=LOGIN_RETRY_SECONDS) from error
            raise kopf.PermanentError("given up") from error

    kopf.on.login(id="log-in", registry=registry)(log_in)
    vault = Vault()
    vault_var.set(vault)
    return asyncio.ensure_future(
        authenticator(
            registry=registry, settings=settings, indices={}, vault=vault, memo=AnyMemo(kopf.Memo())
        )
    )


async def events(
    kind: str, namespace: str | None, settings: kopf.OperatorSettings
) -> AsyncIterator[tuple[str | None, Shape] | None]:
    """Everything that happens to the objects of a kind; None once all that there were have come.

    The type is None for what a list has found, then "ADDED", "MODIFIED" or "DELETED". It ends only
    by an error of Kopf's.
    """
    resource = Resource(GROUP, VERSION, plural(kind), kind, namespaced=kind not in CLUSTER_SCOPED)
    place = None if namespace is None else NamespaceName(namespace)
    stream = watching.infinite_watch(settings=settings, resource=resource, namespace=place)
    async for event in stream:
        if isinstance(event, watching.Bookmark):
            yield None
        elif event["type"] != "BOOKMARK":  # the API server's: it tells a version, of no object
            yield event["type"], event["object"]


def settings() -> kopf.OperatorSettings:
    """Kopf's settings. The figures behind them were measured with 20,000 objects."""
    made = kopf.OperatorSettings()
    made.watching.chunk_size = 250
    # Lists that the API server streams would cost it a quarter. But a streamed list that breaks off
    # is taken by Kopf for a whole one, and the rest of the objects would never come.
    made.watching.initial_streaming = False
    made.watching.server_timeout = 290
    made.networking.request_timeout = 30
    made.networking.connect_timeout = 5
    made.networking.error_backoffs = ERROR_BACKOFFS
    return made


def quieten() -> None:
    """Silence Kopf's own loggers: we say ourselves what the watch does, and why it has broken.

    Kopf tells of each request that it repeats, as an error and with the whole answer: six times for
    each kind where a right is missing, and where an API server has begun to serve a kind just now.
    """
    logging.getLogger("kopf").setLevel(logging.CRITICAL)
