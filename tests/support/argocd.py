"""Argo CD's judgement of an object, and its actions: its own rule for deletions, scripts in Lua.

Scripts run here as they do in Argo CD, which opens the base and table libraries of Lua 5.1, and by
default neither string nor math nor io (argoproj/argo-cd, util/lua/lua.go). Its os has only the time
of day, and require finds only that: a health script of ours needs neither, so both are gone there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from lupa import lua51

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "argocd"
SCRIPTS = FOLDER / "resource_customizations"
# util/health in Argo CD's gitops-engine. A script that answers anything else is an error there.
STATUSES = frozenset({"Healthy", "Progressing", "Suspended", "Degraded", "Missing", "Unknown"})
_REMOVED = ("string", "math", "io", "os", "debug", "coroutine", "package", "require", "module")
_BRIDGE = ("python", "dofile", "loadfile")  # the engine's own way out of Lua, and to files
_WITHOUT_METHODS = "getmetatable('').__index = nil"  # text:find(...) is the string library, too


@dataclass(frozen=True, slots=True)
class Health:
    """What Argo CD shows of an object."""

    status: str
    message: str


class Script:
    """A health script. Each judgement has an interpreter of its own, as in Argo CD."""

    def __init__(self, text: str) -> None:
        self._text = text

    def judge(self, body: Mapping[str, Any]) -> Health:
        """The health of an object; lua51.LuaError if the script fails."""
        if "deletionTimestamp" in body["metadata"]:  # gitops-engine, pkg/health: before any script
            return Health("Progressing", "Pending deletion")
        answer = _runtime(body).execute(self._text)
        return Health(str(answer["status"]), str(answer["message"] or ""))


class Actions:
    """The actions that are delivered for a kind, at a moment."""

    def __init__(self, kind: str, *, now: datetime) -> None:
        self._folder = SCRIPTS / "awsbatch.dev" / kind / "actions"
        self._now = now

    def names(self) -> set[str]:
        """Those that have a script."""
        return {path.parent.name for path in self._folder.glob("*/action.lua")}

    def discover(self, body: Mapping[str, Any]) -> dict[str, bool]:
        """By name: whether a user can choose it for this object."""
        found = self._run(self._folder / "discovery.lua", body)
        return {name: not each["disabled"] for name, each in found.items()}

    def run(self, name: str, body: Mapping[str, Any]) -> Any:
        """The object that Argo CD then patches; or a list of what to do to which objects."""
        return self._run(self._folder / name / "action.lua", body)

    def _run(self, path: Path, body: Mapping[str, Any]) -> Any:
        runtime = _runtime(body)
        clock = runtime.table_from({"date": lambda form: self._now.strftime(form.lstrip("!"))})
        runtime.globals()["require"] = {"os": clock}.__getitem__
        return _of_lua(runtime.execute(path.read_text(encoding="utf-8")))


def _runtime(body: Mapping[str, Any]) -> Any:
    runtime = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    runtime.execute(_WITHOUT_METHODS)
    names = runtime.globals()
    for name in (*_REMOVED, *_BRIDGE):
        names[name] = None
    names["obj"] = _in_lua(runtime, body)
    return runtime


def script_of(kind: str) -> Script:
    """The script that is delivered for a kind."""
    return Script((SCRIPTS / "awsbatch.dev" / kind / "health.lua").read_text(encoding="utf-8"))


def _of_lua(value: Any) -> Any:
    """The value as JSON has it: a table whose keys count from 1 is a list."""
    if lua51.lua_type(value) != "table":
        return value
    items = {key: _of_lua(each) for key, each in value.items()}
    if items and set(items) == set(range(1, len(items) + 1)):
        return [items[number] for number in sorted(items)]
    return items


def _in_lua(runtime: Any, value: Any) -> Any:
    """The value as Lua has it; null is nothing there, and lists begin with 1."""
    if isinstance(value, Mapping):
        return runtime.table_from({key: _in_lua(runtime, each) for key, each in value.items()})
    if isinstance(value, list | tuple):
        return runtime.table_from([_in_lua(runtime, each) for each in value])
    return value
