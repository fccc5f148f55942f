"""How Kopf is set up: as an informer, and nothing else.

Only low-level `on.event` handlers, so Kopf never writes to an object. What Kopf would keep and
compute for its other kinds of handlers is replaced by nothing: a third of the processor time that
20,000 objects take at the start, and 18 MB.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

import kopf
from kopf._core.reactor.inventory import ResourceMemories, ResourceMemory

from awsbatch_operator.api.metadata import GROUP, VERSION, Shape

Deliver = Callable[[str | None, Shape], None]
Login = Callable[[], Awaitable[kopf.AiohttpSession]]

# Kopf takes its own finalizer off objects when it has no handler that needs one. So its name must
# be one that nobody uses: least of all ours.
UNUSED_FINALIZER = f"{GROUP}/kopf-unused"
WATCHER = "watcher for "  # how the names begin that Kopf gives the tasks which watch one kind
LOGIN_RETRIES = 3
# Of the metadata: for its messages, and to see whether a finalizer is to be added or removed.
_KEPT_BY_KOPF = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "finalizers",
    "deletionTimestamp",
)
LOGIN_RETRY_SECONDS = 2.0


def registry(kinds: Collection[str], deliver: Deliver, login: Login) -> kopf.OperatorRegistry:
    """A registry of our own; the global one would let two watches in a process mix."""
    made = kopf.OperatorRegistry()

    async def forward(event: kopf.RawEvent, **_: Any) -> None:
        deliver(event["type"], handed_over(cast("dict[str, Any]", event["object"])))

    async def log_in(**_: Any) -> kopf.AiohttpSession:
        return await login()

    for kind in kinds:
        kopf.on.event(group=GROUP, version=VERSION, kind=kind, id=f"forward-{kind}", registry=made)(
            forward
        )
    kopf.on.login(id="log-in", retries=LOGIN_RETRIES, backoff=LOGIN_RETRY_SECONDS, registry=made)(
        log_in
    )
    return made


def handed_over(raw: dict[str, Any]) -> Shape:
    """The body of an event, of which Kopf keeps what it still needs.

    Kopf wraps a body in objects that refer to each other, which only the garbage collector frees,
    and with them all that they hold. The collector looked through 50 objects for each event, most
    of them managed fields, and held up the event loop meanwhile.
    """
    body = dict(raw)
    metadata = body["metadata"]
    raw["metadata"] = {name: metadata[name] for name in _KEPT_BY_KOPF if name in metadata}
    for name in raw.keys() - {"kind", "apiVersion", "metadata"}:
        del raw[name]
    return body


def settings() -> kopf.OperatorSettings:
    """Kopf's settings. The figures behind them were measured with 20,000 objects."""
    made = kopf.OperatorSettings()
    made.watching.chunk_size = 250
    # Lists that the API server streams would cost it a quarter. But a streamed list that breaks off
    # is taken by Kopf for a whole one, and the rest of the objects would never come.
    made.watching.initial_streaming = False
    made.watching.server_timeout = 290
    made.queueing.idle_timeout = 0.05  # the default, 5 s, keeps a task per object for that long
    made.queueing.worker_limit = None  # a limit divides the start-up rate by the idle timeout
    made.networking.request_timeout = 30
    made.networking.connect_timeout = 5
    made.networking.error_backoffs = (1, 1, 2, 3, 5)
    made.scanning.disabled = True  # no rights on CRDs and namespaces of the whole cluster
    made.posting.enabled = False  # events come from our own recorder
    made.peering.standalone = True  # leadership is a Lease
    made.process.ultimate_exiting_timeout = None  # SIGKILL is not Kopf's to send: see Stream
    made.persistence.finalizer = UNUSED_FINALIZER
    made.persistence.diffbase_storage = NoDiffBase()
    made.persistence.progress_storage = NoProgress()
    return made


def quieten() -> None:
    """Let Kopf's own loggers tell of errors only: we say ourselves what the watch does.

    Its reactor logs, each with a traceback, the very errors that it ends with and that we tell.
    """
    logging.getLogger("kopf").setLevel(logging.ERROR)
    for module in ("orchestration", "running"):
        logging.getLogger(f"kopf._core.reactor.{module}").setLevel(logging.CRITICAL)


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps no copy of what was handled: nothing here compares with it."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence()

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress: on.event handlers have none."""

    def fetch(self, **_: Any) -> None:
        return None

    def store(self, **_: Any) -> None:
        return None

    def purge(self, **_: Any) -> None:
        return None

    def touch(self, **_: Any) -> None:
        return None

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


class NoMemories(ResourceMemories):
    """Remembers no object. Kopf itself would never forget one whose deletion it has missed."""

    async def recall(self, *_: Any, **__: Any) -> ResourceMemory:
        return ResourceMemory()
