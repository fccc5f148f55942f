"""Capacity of UNMANAGED environments, told while it goes on: from zero and back, and a block.

Applies examples/unmanaged and examples/spot-block as a user would. AWS's transitions are in fast
motion, and so that nobody has to wait for minutes, an idle instance goes after seconds.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from awsbatch_sandbox.account import Account, Instance
from awsbatch_sandbox.capacity_view import View, look_at
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.paths import EXAMPLES
from awsbatch_sandbox.stage import Seen, Stage
from awsbatch_sandbox.timeline import Moment, drawn

UNMANAGED = EXAMPLES / "unmanaged"
SPOT_BLOCK = EXAMPLES / "spot-block"
IDLE_SECONDS = 5
SPOT_PRICE = 0.028  # US dollars an hour, of an r5.large: below what examples/spot-block pays
PART_SECONDS = 180.0  # each part takes about 20 s when all goes well
DELETE_SECONDS = 120
OVER = frozenset({"shutting-down", "terminated"})
AT_WORK = frozenset({"STARTING", "RUNNING"})

Lines = Iterator[tuple[str, str]]


def capacity(stage: Stage) -> None:
    """Tell it."""
    account = Account(stage.sandbox.aws)
    prices = {"spotPrices": {"r5.large:*": SPOT_PRICE}}
    stage.sandbox.aws.admin("PUT", "/_simulator/settings", {"market": prices})
    hurried = _hurried(stage, UNMANAGED)
    _from_zero(stage, account, hurried)
    _delete(stage, hurried)
    _block(stage, account)
    _delete(stage, SPOT_BLOCK)
    account.nothing_is_left(stage.say, stage.sandbox.wait)


def _heading(stage: Stage, text: str) -> None:
    stage.say(f"\n{text}\n{'─' * len(text)}")


def _hurried(stage: Stage, example: Path) -> Path:
    """A kustomization over the example by which idle instances go after seconds."""
    made = stage.sandbox.layout.root.resolve() / "hurried"
    made.mkdir()
    patch = [
        {"op": "add", "path": f"/spec/capacity/pools/{number}/idleSeconds", "value": IDLE_SECONDS}
        for number, _ in enumerate(_pools(example))
    ]
    content = {
        "resources": [os.path.relpath(example, made)],
        "patches": [{"target": {"kind": "ComputeEnvironment"}, "patch": json.dumps(patch)}],
    }
    (made / "kustomization.yaml").write_text(json.dumps(content), encoding="utf-8")
    return made


def _pools(example: Path) -> list[dict[str, Any]]:
    environment = yaml.safe_load((example / "environment.yaml").read_text(encoding="utf-8"))
    return list(environment["spec"]["capacity"]["pools"])


@dataclass(slots=True)
class FromZero:
    """What happens to a job that waits for an instance, and to the instance."""

    stage: Stage
    account: Account
    boots: dict[str, Any]
    host: dict[str, Any] | None = None  # the instance from inside, when it had booted
    moments: list[Moment] = field(default_factory=lambda: [Moment(0, "applied")])
    last_lines: tuple[str, ...] = ()

    def look(self) -> Seen:
        """One look."""
        view = look_at(self.stage, self.account)
        if view.job.failed:
            raise SandboxError(f"The job failed: {view.job.stage}. {view.said()}")
        self.last_lines = view.job.last_lines
        over = bool(view.instances) and all(each.state == "terminated" for each in view.instances)
        empty = all(not row["launched"] for row in view.pools)
        return Seen([*self._before(view), *self._instance(view)], over and empty, view.said())

    def tell(self, key: str, seconds: float, text: str) -> None:
        """Print it, and keep it for the picture at the end."""
        self.stage.say(f"{seconds:6.1f} s  {text}")
        if not key.startswith("wanted"):
            self.moments.append(Moment(seconds, text))

    def _before(self, view: View) -> Lines:
        if view.ready:
            yield "ready", "the environment is VALID, without instances"
        if view.job_status == "RUNNABLE":
            yield "waits", "the job waits in RUNNABLE: nothing is there to run it"
        if view.ready and "no job waits" not in view.wanted:
            yield f"wanted {view.wanted}", f"    status.capacity.wanted: {view.wanted}"

    def _instance(self, view: View) -> Lines:
        for one in view.instances:
            yield (
                f"launched {one.id}",
                f"launched {one.id}: {one.type}, {one.market}, {one.zone}",
            )
            if one.state == "running":
                yield "runs", "EC2 runs it"
            yield from self._inside(one)
        if view.members:
            yield "joined", "it has joined the environment's ECS cluster"
        if view.job_status in AT_WORK or view.job.complete:
            yield "started", "Batch has placed the job on it"
        if view.job.complete:
            yield "complete", "the job has run: SUCCEEDED"
        if any(row["idle"] for row in view.pools) and view.job.complete:
            yield "idle", f"the instance is idle; after {IDLE_SECONDS} s (idleSeconds) it goes"
        if any(each["status"] == "DRAINING" for each in view.members):
            yield "draining", "ECS gives it no new tasks: DRAINING"
        if view.instances and all(each.state in OVER for each in view.instances):
            yield "ends", "EC2 ends it"
        if view.instances and all(each.state == "terminated" for each in view.instances):
            yield "gone", "it is gone: back at zero"

    def _inside(self, instance: Instance) -> Lines:
        if self.host is None and instance.state == "running":
            host = self.account.host(instance.id)
            self.host = host if host is not None and host["bootEnded"] else None
        if self.host is not None:
            how = "really run" if self.host["executed"] else "been read, but not been executed here"
            yield "booted", f"it has booted: its user data has {how}"


def _from_zero(stage: Stage, account: Account, manifests: Path) -> None:
    _heading(stage, "An UNMANAGED environment, from zero instances and back to zero")
    stage.say(f"examples/unmanaged, with idleSeconds {IDLE_SECONDS} instead of minutes.")
    stage.show("apply", f"--kustomize={manifests}")
    stage.say("")
    story = FromZero(stage, account, account.boots())
    stage.follow(
        story.look,
        seconds=PART_SECONDS,
        what="The instance has not come and gone",
        tell=story.tell,
    )
    _show_boot(stage, account, story)
    stage.say("\nWhat the job printed on it (status.logs.lastLines):")
    stage.say("\n".join(f"  {line}" for line in story.last_lines))
    stage.show("events", "--for=computeenvironment/own-instances")
    stage.say("\nThe timeline:\n")
    stage.say("\n".join(drawn(story.moments)))


def _show_boot(stage: Stage, account: Account, story: FromZero) -> None:
    """The proof that the generated user data was really executed: what it has left."""
    host = story.host
    if host is None:
        raise SandboxError("The instance came and went, but nobody saw it boot.")
    executed = account.boots()["executed"] - story.boots["executed"]
    if host["executed"]:
        stage.say(f"\nIts generated user data was executed ({executed} boot) and has left in it")
    else:
        stage.say(f"\nIts generated user data was only read ({story.boots['why']}). It says in")
    stage.say("/etc/ecs/ecs.config, which the ECS agent starts with:\n")
    stage.say("\n".join(f"  {line}" for line in host["ecsConfig"].strip().splitlines()))
    if "ECS_CLUSTER=" not in host["ecsConfig"] or host["failedScripts"]:
        raise SandboxError(f"That is not what it was to do. Its console:\n{host['console']}")


def _block(stage: Stage, account: Account) -> None:
    _heading(stage, "Four r5.large for four hours at $0.03 each: a block, by its ladder")
    stage.say(
        "examples/spot-block. AWS sells no spot blocks any more, so `fallback` says by which ways\n"
        "the instances may be got. In this simulated AWS an r5.large costs $0.1506 an hour\n"
        f"On-Demand, and ${SPOT_PRICE} as a Spot Instance."
    )
    stage.show("apply", f"--kustomize={SPOT_BLOCK}")
    stage.say("")
    last: list[View] = []
    [pool] = _pools(SPOT_BLOCK)
    count = pool["spotBlock"]["instanceCount"]

    def look() -> Seen:
        view = look_at(stage, account)
        last[:] = [view]
        over = len(view.members) == count and view.job_status == "RUNNING"
        return Seen(list(_block_lines(view)), over, view.said())

    stage.follow(
        look,
        seconds=PART_SECONDS,
        what="The block has not come",
        tell=lambda _, seconds, text: stage.say(f"{seconds:6.1f} s  {text}"),
    )
    _show_decision(stage, last[0])


def _block_lines(view: View) -> Lines:
    if view.ready:
        yield "ready", f"the environment is VALID; its block: {_decision(view)}"
    if view.job_status == "RUNNABLE":
        yield "waits", "a job waits for it in RUNNABLE: the block begins"
    if view.instances:
        yield "launched", f"launched {len(view.instances)} x {view.instances[0].type}"
    if len(view.members) == len(view.instances) > 0:
        yield "joined", f"all {len(view.members)} have joined the environment's ECS cluster"
    if view.job_status == "RUNNING":
        yield "runs", "the job runs"


def _decision(view: View) -> str:
    blocks = [row["block"] for row in view.pools if "block" in row]
    return str(blocks[0].get("decision", "")) if blocks else ""


def _show_decision(stage: Stage, view: View) -> None:
    [block] = [row["block"] for row in view.pools if "block" in row]
    stage.say("\nThe decision (status.capacity.pools[0].block):\n")
    way, _, tried = block["decision"].partition(" (")
    stage.say(f"  by      {way}")
    for each in tried.removesuffix(")").split(") ("):
        stage.say(f"  not     {each}")
    stage.say(f"  cost    ${block['cost']} for all of it, ${view.pools[0]['hourlyCost']} an hour")
    stage.say(
        f"  until   {block['endTime']}; each instance carries this end and keeps it by itself"
    )
    stage.say(f"  request {block['request']}, which is fulfilled once, ever")
    told = view.condition("DurationNotGuaranteed")
    if told is None:
        raise SandboxError(f"Nothing says that EC2 may take the instances back. {view.said()}")
    stage.say(f"\nAnd so that nobody relies on it, the condition {told['type']}:\n")
    stage.say(f"  {told['message']}")


def _delete(stage: Stage, manifests: Path) -> None:
    stage.show("delete", f"--kustomize={manifests}", f"--timeout={DELETE_SECONDS}s")
