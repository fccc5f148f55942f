"""Argo CD's judgement of an object: its own rule for deletions, and a health script in Lua.

Scripts run here as they do in Argo CD, which opens the base and table libraries of Lua 5.1, and by
default neither string nor math nor io (argoproj/argo-cd, util/lua/lua.go). Its os has only the time
of day, and require finds only that: a script of ours needs neither, so both are gone, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
        runtime = lua51.LuaRuntime(register_eval=False, register_builtins=False)
        runtime.execute(_WITHOUT_METHODS)
        names = runtime.globals()
        for name in (*_REMOVED, *_BRIDGE):
            names[name] = None
        names["obj"] = _in_lua(runtime, body)
        answer = runtime.execute(self._text)
        return Health(str(answer["status"]), str(answer["message"] or ""))


def script_of(kind: str) -> Script:
    """The script that is delivered for a kind."""
    return Script((SCRIPTS / "awsbatch.dev" / kind / "health.lua").read_text(encoding="utf-8"))


def _in_lua(runtime: Any, value: Any) -> Any:
    """The value as Lua has it; null is nothing there, and lists begin with 1."""
    if isinstance(value, Mapping):
        return runtime.table_from({key: _in_lua(runtime, each) for key, each in value.items()})
    if isinstance(value, list | tuple):
        return runtime.table_from([_in_lua(runtime, each) for each in value])
    return value
