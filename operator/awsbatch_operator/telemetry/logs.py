"""Structured logs: JSON for machines, lines for a person at a terminal.

The object on whose behalf a line is written stands in the line (kind, namespace, name), because it
is bound to the context of the task that works for it. What other libraries log comes out the same
way. Nothing leaves without having its secrets masked, and no line is longer than masking allows.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import nullcontext, suppress
from contextvars import ContextVar, Token
from enum import Enum
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import Processor, WrappedLogger

from awsbatch_operator.telemetry.secrets import CUT, TEXT_LIMIT, masked_values

# Characters of a long traceback that are kept at either end; together less than TEXT_LIMIT.
_TRACE_START, _TRACE_END = 2000, 6000


class LogStyle(Enum):
    """How lines look."""

    JSON = "json"
    HUMAN = "human"
    AUTO = "auto"  # human on a terminal, else JSON


_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about")


class about:  # noqa: N801 - reads as a word after `with`
    """Every line logged inside, whoever logs it, names this object. Costs next to nothing."""

    __slots__ = ("_object", "_token")

    def __init__(self, *, kind: str, namespace: str, name: str) -> None:
        self._object = {"kind": kind, "namespace": namespace, "name": name}

    def __enter__(self) -> None:
        self._token: Token[Mapping[str, str]] = _ABOUT.set(self._object)

    def __exit__(self, *_: object) -> None:
        _ABOUT.reset(self._token)


def whom() -> tuple[str, ...]:
    """The object that lines are about here: kind, namespace and name; () if there is none."""
    return tuple(_ABOUT.get({}).values())


def configure(
    *,
    style: LogStyle = LogStyle.AUTO,
    level: str = "INFO",
    stream: TextIO | None = None,
    quiet: Mapping[str, str] | None = None,
) -> None:
    """Set up logging for the process; once, at its start.

    `quiet` gives other libraries' loggers a level of their own. ValueError if a level is unknown.
    """
    stream = stream or sys.stderr
    human = style is LogStyle.HUMAN or (style is LogStyle.AUTO and stream.isatty())
    shared = _shared_processors()
    rendering = _rendering(human=human, colors=human and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                *shared,
                structlog.stdlib.PositionalArgumentsFormatter(),
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, its_level in (quiet or {}).items():
        logging.getLogger(name).setLevel(its_level)
    structlog.configure(
        processors=[*shared, _as_one_argument],
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        logger_factory=_Writers(handler, rendering),
        cache_logger_on_first_use=False,  # loggers made before this call obey it, too
    )


class _Writers:
    """Makes the loggers of our own modules, which write to the handler's stream themselves.

    A line that goes through `logging` costs twice as much: it looks for its caller, and is made a
    record that is taken apart again. A job has four lines.
    """

    def __init__(
        self, handler: "logging.StreamHandler[TextIO]", steps: Sequence[Processor]
    ) -> None:
        self._handler = handler
        self._steps = steps

    def __call__(self, name: str = "") -> "_Writer":
        return _Writer(name, self._handler, self._steps)


class _Writer:
    """Writes lines of one module. Never raises: what the line is about must go on."""

    __slots__ = ("_handler", "_steps", "name")

    def __init__(
        self, name: str, handler: "logging.StreamHandler[TextIO]", steps: Sequence[Processor]
    ) -> None:
        self.name = name
        self._handler = handler
        self._steps = steps

    def _write(self, event: MutableMapping[str, Any]) -> None:
        made: Any = event
        try:
            for step in self._steps:
                made = step(self, "", made)
            line = f"{made}{self._handler.terminator}"
            with self._handler.lock or nullcontext():  # shared with what other libraries log
                self._handler.stream.write(line)
                self._handler.flush()
        except Exception:  # noqa: BLE001 - a full disk, a closed pipe, half of a character
            with suppress(Exception):  # what tells of it may be closed as well
                self._handler.handleError(logging.makeLogRecord({"msg": event.get("event")}))

    debug = info = warning = error = critical = _write


def _as_one_argument(
    _: WrappedLogger, __: str, event: MutableMapping[str, Any]
) -> tuple[tuple[MutableMapping[str, Any]], dict[str, Any]]:
    """The event as it is; the writer renders it, where trouble with that can be caught."""
    return (event,), {}


def _shared_processors() -> list[Processor]:
    return [
        name_the_object,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def name_the_object(
    _: WrappedLogger, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Put the object that the line is about into it, unless the line names another."""
    for name, value in _ABOUT.get({}).items():
        event.setdefault(name, value)
    return event


def _rendering(*, human: bool, colors: bool) -> Sequence[Processor]:
    if human:
        plain = structlog.dev.plain_traceback
        console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
        return [structlog.processors.format_exc_info, _shorten, _mask, console]
    return [
        structlog.processors.format_exc_info,
        _shorten,
        _mask,
        structlog.processors.EventRenamer("message"),
        structlog.processors.JSONRenderer(serializer=_as_json, default=str),
    ]


def _as_json(line: object, *, default: Callable[[object], str]) -> str:
    """By orjson, or by Python's own for what that refuses, such as a number beyond 64 bits."""
    try:
        return orjson.dumps(line, default=default).decode()
    except TypeError:
        return json.dumps(line, default=default)


def _shorten(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """A long traceback loses its middle: what happened stands at its end.

    Both cuts are at line breaks, where no secret is in two. An end that is all one line goes.
    """
    trace = event.get("exception")
    if isinstance(trace, str) and len(trace) > TEXT_LIMIT:
        first, _, _ = trace[:_TRACE_START].rpartition("\n")
        _, _, last = trace[-_TRACE_END:].partition("\n")
        event["exception"] = f"{first}\n{CUT}\n{last}"
    return event


def _mask(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    return masked_values(event)
