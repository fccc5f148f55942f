"""The admin interface under `/_simulator/`: calls, settings, faults, images, clock and so on.

Documented with examples in docs/simulator.md. Every request carries `Authorization: Bearer TOKEN`.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from pydantic import ValidationError

from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.batch import forgetting
from awsbatch_simulator.context import Place
from awsbatch_simulator.ec2 import incidents, publishing
from awsbatch_simulator.faults import Fault, FaultSpec
from awsbatch_simulator.host import boots, life
from awsbatch_simulator.hosting import UserDataMode
from awsbatch_simulator.region import Region
from awsbatch_simulator.settings import JobRunner
from awsbatch_simulator.wire import WireAnswer, WireRequest

PREFIX = "/_simulator/"
LONGEST_STEP = 400 * 86_400  # seconds; beyond, it is a mistake


@dataclass(frozen=True, slots=True)
class BadRequest(Exception):  # noqa: N818 - it becomes an answer with its status
    """An admin request that is refused."""

    status: int
    message: str


class Admin:
    """Answers admin requests over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._world = simulator.world
        self._routes: Mapping[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "calls"): self._get_calls,
            ("DELETE", "calls"): self._delete_calls,
            ("GET", "permissions"): self._get_permissions,
            ("DELETE", "permissions"): self._delete_permissions,
            ("GET", "settings"): self._get_settings,
            ("PUT", "settings"): self._put_settings,
            ("GET", "faults"): self._get_faults,
            ("POST", "faults"): self._post_fault,
            ("DELETE", "faults"): self._delete_faults,
            ("GET", "clock"): self._get_clock,
            ("POST", "clock"): self._post_clock,
            ("GET", "state"): self._get_state,
            ("POST", "instances"): self._post_instances,
            ("POST", "images"): self._post_images,
            ("POST", "jobs"): self._post_jobs,
        }

    def answer(self, wire: WireRequest) -> WireAnswer:
        """One admin request; every answer is a JSON object."""
        try:
            self._authorize(wire)
            with self._world.lock:
                result = self._routed(wire)
        except BadRequest as refused:
            return _json(refused.status, {"message": refused.message})
        self._world.wake()
        return _json(200, result)

    def _authorize(self, wire: WireRequest) -> None:
        scheme, _, token = wire.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(token.encode(), self._simulator.admin_token.encode())
        if scheme.lower() != "bearer" or not right:
            raise BadRequest(
                401, "Send 'Authorization: Bearer TOKEN' with this sandbox's adminToken"
            )

    def _routed(self, wire: WireRequest) -> Any:
        name, _, item = wire.path.removeprefix(PREFIX).partition("/")
        if (wire.method, name) == ("DELETE", "faults") and item:
            return self._delete_fault(item)
        if (wire.method, name) == ("GET", "hosts") and item:
            return self._get_host(item)
        route = None if item else self._routes.get((wire.method, name))
        if route is None:
            known = ", ".join(f"{method} {PREFIX}{path}" for method, path in self._routes)
            raise BadRequest(404, f"There is no {wire.method} {wire.path}; there are {known}")
        return route(_body(wire))

    def _get_calls(self, _body: Any) -> Any:
        return self._simulator.dispatcher.calls.report()

    def _delete_calls(self, _body: Any) -> Any:
        self._simulator.dispatcher.calls.clear()
        return {}

    def _get_permissions(self, _body: Any) -> Any:
        return self._simulator.dispatcher.authorizer.report()

    def _delete_permissions(self, _body: Any) -> Any:
        self._simulator.dispatcher.authorizer.clear()
        return {}

    def _get_settings(self, _body: Any) -> Any:
        return self._world.settings.model_dump(mode="json", by_alias=True)

    def _put_settings(self, body: Any) -> Any:
        before = self._world.settings
        try:
            after = before.patched(body)
        except ValidationError as error:
            raise BadRequest(400, _reasons(error)) from None
        if after.job_runner is JobRunner.PROCESS and before.job_runner is not JobRunner.PROCESS:
            # Running commands on this machine is for whoever starts the simulator to allow, not
            # for whoever has got hold of its token.
            raise BadRequest(
                409,
                "jobRunner: 'process' runs jobs' commands on the simulator's machine, so it can "
                "only be chosen when the simulator starts, with --job-runner process",
            )
        modes = UserDataMode
        interprets = before.hosts.user_data is modes.INTERPRET
        if interprets and after.hosts.user_data is not modes.INTERPRET:
            raise BadRequest(
                409,
                "hosts.userData: executing user data runs it on the simulator's machine, so it can "
                "only be chosen when the simulator starts, with --user-data",
            )
        self._world.change(after)
        return self._get_settings(None)

    def _get_faults(self, _body: Any) -> Any:
        return {"faults": [_view(fault) for fault in self._world.faults]}

    def _post_fault(self, body: Any) -> Any:
        try:
            return _view(self._world.faults.add(FaultSpec.model_validate(body)))
        except ValidationError as error:
            raise BadRequest(400, _reasons(error)) from None

    def _delete_faults(self, _body: Any) -> Any:
        return {"removed": self._world.faults.clear()}

    def _delete_fault(self, fault_id: str) -> Any:
        if not self._world.faults.remove(fault_id):
            raise BadRequest(404, f"There is no fault {fault_id!r}")
        return {"removed": 1}

    def _get_host(self, instance_id: str) -> Any:
        """An instance from inside, from its boot until it is terminated."""
        for region in self._world.regions():
            if (host := region.hosts.hosts.get(instance_id)) is not None:
                return host.shown() | {"console": life.console(region, instance_id)}
        raise BadRequest(404, f"No host {instance_id!r} has booted, or it has been terminated")

    def _get_clock(self, _body: Any) -> Any:
        clock = self._world.clock
        return {
            "now": clock.now(),
            "nextTimer": clock.next_due(),
            "speed": clock.speed,
            "stepped": clock.stepped,
        }

    def _post_clock(self, body: Any) -> Any:
        seconds = body.get("advanceSeconds")
        if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_STEP:
            raise BadRequest(400, f"advanceSeconds must be a number from 0 to {LONGEST_STEP}")
        return {"ran": self._world.advance(seconds)} | self._get_clock(None)

    def _get_state(self, _body: Any) -> Any:
        return {
            "failedTimers": self._world.clock.failed_timers,
            "userData": boots.report(self._world.settings.hosts)
            | {"executed": self._world.boots.executed},
            "regions": [self._region(region) for region in self._world.regions()],
        }

    def _post_instances(self, body: Any) -> Any:
        try:
            order = incidents.Order.model_validate(body)
        except ValidationError as error:
            raise BadRequest(400, _reasons(error)) from None
        return {"struck": incidents.carry_out(self._world.regions(), order)}

    def _post_images(self, body: Any) -> Any:
        try:
            order = publishing.Order.model_validate(body)
            return publishing.carry_out(self._world, order, region=self._simulator.place.region)
        except ValidationError as error:
            raise BadRequest(400, _reasons(error)) from None
        except LookupError as error:
            raise BadRequest(404, str(error)) from None

    def _post_jobs(self, body: Any) -> Any:
        try:
            order = forgetting.Order.model_validate(body)
        except ValidationError as error:
            raise BadRequest(400, _reasons(error)) from None
        return {"forgotten": forgetting.carry_out(self._world.regions(), order)}

    def _region(self, region: Region) -> dict[str, Any]:
        place = region.place
        told = {name: report(place) for name, report in self._world.reports.items()}
        return {"account": place.account, "region": place.region} | _sizes(region) | told


def _sizes(region: Region) -> dict[str, Any]:
    """How many things each store of a region holds."""
    stores = {one.name: getattr(region, one.name) for one in fields(region)}
    return {
        name: {
            part.name: len(value)
            for part in fields(store)
            if not part.name.startswith("_")
            and isinstance(value := getattr(store, part.name), dict | list | set)
        }
        for name, store in stores.items()
        if is_dataclass(store) and not isinstance(store, Place)
    }


def _view(fault: Fault) -> dict[str, Any]:
    """A fault with what it has done so far."""
    counts = {"id": fault.id, "seen": fault.seen, "struck": fault.struck, "spent": fault.spent}
    return counts | fault.spec.model_dump(mode="json", by_alias=True)


def _body(wire: WireRequest) -> dict[str, Any]:
    try:
        parsed = json.loads(wire.body or b"{}")
    except ValueError as error:
        raise BadRequest(400, f"The body is not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise BadRequest(400, "The body must be a JSON object")
    return parsed


def _reasons(error: ValidationError) -> str:
    """Each problem as `path: what is wrong`."""
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc']) or 'body'}: {one['msg']}"
        for one in error.errors(include_url=False)
    )


def _json(status: int, content: Any) -> WireAnswer:
    body = json.dumps(content, indent=2).encode() + b"\n"
    return WireAnswer(status, {"Content-Type": "application/json"}, body)
