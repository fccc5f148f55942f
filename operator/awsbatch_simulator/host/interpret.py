"""What user data would do, read and not run: for machines that have no namespaces to run it in.

Of scripts only the usual forms are understood: lines NAME=VALUE of here-documents and of `echo` in
those that name the agent's file; a shutdown at a time that stands there as a number; a start of ecs
or docker that waits; a further agent, started on one line. The console says that nothing was run.
Where there is no script at all, this is all that there is to know.
"""

import posixpath
import re
from collections.abc import Iterator

from awsbatch_simulator.host import baking
from awsbatch_simulator.host.execution import Order
from awsbatch_simulator.host.outcome import BAKED_CONFIG, CONFIG, Call, Outcome, not_queued
from awsbatch_simulator.host.plan import Step

NOTICE = "Interpreted, not executed: this machine has no namespaces, or the settings say so"
NOT_BUILT = (
    "The user data ends by switching its host off, as builders of machine images do; it was not "
    "executed, so the host stays as it is and runs on"
)
STUCK = "The boot hangs: a script waits for what never comes"
_HERE = re.compile(r"<<-?\s*(['\"]?)(\w+)\1[^\n]*\n(.*?)\n\t*\2$", re.DOTALL | re.MULTILINE)
_ECHO = re.compile(
    r"^\s*(?:echo|printf)\s+(?:-e\s+)?(['\"]?)([A-Z_]+=.*?)(?:\\n)?\1\s*>>?\s*(\S+)", re.MULTILINE
)
_SETTING = re.compile(r"^[A-Z][A-Z_]*=")
_BLOCKING = re.compile(
    r"^\s*(?:sudo\s+)?systemctl\s+(?!.*--no-block)(?:start|restart|enable --now)\s+"
    r"(?:.*\s)?(?:ecs|docker)(?:\.service)?\s*(?!.*&\s*$)(?:$|[;|])",
    re.MULTILINE,
)
_SHUTDOWN = re.compile(r"^\s*(?:sudo\s+)?(?:\S*/)?shutdown\s+([^$`;&|\n]+)$", re.MULTILINE)
_AGENT = re.compile(r"^docker run [^\n'\"$`\\]*amazon-ecs-agent\S*", re.MULTILINE)
# A script that switches its host off in the end has done something before, and that was not done
# here. What is indented depends on something.
_AT_ONCE = re.compile(
    r"^(?:sudo\s+)?(?:\S*/)?(?:poweroff|halt|shutdown\s+(?:-\w+\s+)*(?:now|\+?0)"
    r"|systemctl\s+(?:-\S+\s+)*(?:poweroff|halt))\s*(?:$|[;&|])",
    re.MULTILINE,
)
_LOOP = re.compile(r"^for \w+ in ([\d ]+); do", re.MULTILINE)
_END = re.compile(r"^end=(\d+)", re.MULTILINE)
_AFTER = re.compile(r"\$\(\(\$\(date \+%s\) \+ (\d+)\)\)")


def interpret(order: Order) -> Outcome:
    """The outcome of a boot, as far as it can be read without running anything."""
    files = {path: baking.text_of(order.baked, path) for path in (CONFIG, BAKED_CONFIG)}
    calls: list[Call] = []
    lines = [f"cloud-init: {NOTICE}"] * order.runs
    stuck = ""
    for step in order.plan.steps:
        match step["do"]:
            case "say":
                lines.append(f"cloud-init: {step['text']}")
            case "record":
                calls.append(tuple(step["call"]))
                lines.append(f"cloud-init: {' '.join(step['call'])}: not done, only recorded")
            case "write":
                path = posixpath.normpath(f"/{step['path'].lstrip('/')}")
                before = files.get(path, "") if step["append"] else ""
                files[path] = before + step["content"]
            case "run":
                stuck = _read(step, files, calls, order.now)
        if stuck:
            lines.append(f"cloud-init: {stuck}")
            break
    return Outcome(
        console="\n".join(lines) + "\n",
        config=files.get(CONFIG, ""),
        baked_config=files.get(BAKED_CONFIG, ""),
        calls=tuple(calls),
        stuck=stuck,
        executed=not order.runs,
        not_queued=not_queued(order.baked),
        reads_clock=any(word.startswith("--on-calendar=") for call in calls for word in call),
    )


def _read(step: Step, files: dict[str, str], calls: list[Call], now: float) -> str:
    """One script; why it hangs, or nothing."""
    text = step["content"]
    if CONFIG in text:
        found = list(_settings(text))
        if found:
            files[CONFIG] = files.get(CONFIG, "") + "".join(f"{line}\n" for line in found)
    if _AT_ONCE.search(text):
        return NOT_BUILT
    calls += [("shutdown", *found[1].split()) for found in _SHUTDOWN.finditer(text)]
    calls += [tuple(found[0].split()) for found in _AGENT.finditer(text)]
    if "/var/log/ecs/" in text and "/dev/console" in text:
        command = "tail /var/log/ecs/ecs-agent.log >/dev/console"
        calls += [
            ("systemd-run", f"--on-active={after}s", "/bin/sh", "-c", command)
            for found in _LOOP.finditer(text)
            for after in found[1].split()
        ]
    if "systemd-run" in text and "poweroff" in text:
        at = [float(found[1]) for found in _END.finditer(text)]
        at += [now + float(found[1]) for found in _AFTER.finditer(text)]
        calls += [("systemd-run", f"--on-calendar=@{int(when)}", "poweroff") for when in at]
    return STUCK if _BLOCKING.search(text) else ""


def _settings(text: str) -> Iterator[str]:
    for found in _HERE.finditer(text):
        yield from (line for line in found[3].split("\n") if _SETTING.match(line))
    for found in _ECHO.finditer(text):
        if found[3].strip("'\"") == CONFIG:
            yield found[2]
