"""From a request on the wire to an answer on the wire: the one way in, with and without sockets.

A call has two halves, so that a transport can wait between them without holding the lock: `admit`
(who calls what; is it allowed, valid, within the limits; which faults strike) and `perform`.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

from awsbatch_simulator.bridge.moto import MotoBridge, serves
from awsbatch_simulator.calls import DROPPED_AFTER, DROPPED_BEFORE, OK, CallKind, CallLog
from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.faults import Call, Effect, Fault
from awsbatch_simulator.iam.authorizer import Authorizer
from awsbatch_simulator.identity import AccessKeys, Scope, bad_signature, scope_of
from awsbatch_simulator.ports import Handler
from awsbatch_simulator.protocol.codec import Codec
from awsbatch_simulator.protocol.models import Operation
from awsbatch_simulator.protocol.refusals import Refusals, refusals, worded
from awsbatch_simulator.throttle import Throttle
from awsbatch_simulator.wire import ConnectionDropped, WireAnswer, WireRequest
from awsbatch_simulator.world import World

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Admitted:
    """A call that may be performed, after `delay_seconds` (real) if they are not 0."""

    wire: WireRequest
    operation: Operation
    caller: Caller
    parameters: dict[str, Any]
    handler: Handler | None  # None: moto does it
    faults: list[Fault] = field(default_factory=list)

    @property
    def delay_seconds(self) -> float:
        """How long a fault delays it."""
        return sum(one.spec.seconds for one in self.faults if one.spec.effect is Effect.DELAY)

    @property
    def bridged(self) -> bool:
        """Whether moto does it, which takes a while and does not need the world's lock."""
        return self.handler is None


class Dispatcher:
    """Knows the world, the keys and the protocols; both transports use it."""

    def __init__(
        self,
        world: World,
        keys: AccessKeys,
        bridge: MotoBridge,
        codec: Codec,
        authorizer: Authorizer,
    ) -> None:
        self.calls = CallLog()
        self.authorizer = authorizer
        self._world = world
        self._keys = keys
        self._bridge = bridge
        self._codec = codec
        self._models = codec.models
        self._throttle = Throttle()

    def admit(self, wire: WireRequest) -> Admitted | WireAnswer:
        """Check a request; the answer is already there if it is refused.

        Raises ConnectionDropped when a fault closes the connection before anything is done.
        """
        with self._world.lock:
            request_id = self._world.uuid()
            scope = scope_of(wire.headers.get("authorization", ""))
            if scope is None:
                return self._unsigned(wire, request_id)
            service = self._models.service_of(scope.service)
            try:
                return self._admit(wire, scope, service, request_id)
            except AwsFailure as failure:
                protocol = self._models.protocol_of(service)
                said = worded(service, failure, request_id)
                return self._codec.refusal(protocol, said, request_id)

    def perform(self, admitted: Admitted) -> WireAnswer:
        """Do what was admitted. Raises ConnectionDropped when the answer is to be lost."""
        if admitted.handler is None:
            answer, outcome = self._bridged(admitted)
        else:
            with self._world.lock:
                answer, outcome = self._handled(admitted, admitted.handler)
        dropped = any(one.spec.effect is Effect.DROP_AFTER for one in admitted.faults)
        if dropped and outcome == OK:  # what was refused, or only tried, is no commit
            outcome = DROPPED_AFTER
        with self._world.lock:
            self._count(admitted.operation, admitted.caller, outcome)
        if dropped:
            raise ConnectionDropped
        return answer

    def _admit(self, wire: WireRequest, scope: Scope, service: str, request_id: str) -> Admitted:
        identified = self._models.identify(service, wire)
        operation = identified.operation
        codes = refusals(service, operation.protocol)
        key = self._keys.authenticate(
            scope,
            wire.headers.get("x-amz-security-token"),
            now=self._world.real_time(),
            refusals=codes,
        )
        caller = Caller(Place(key.account, scope.region), key.principal, request_id)
        try:
            parameters = self._codec.parse(identified, wire)
            self._validate(operation, parameters, codes)
            self._limit(operation, caller, parameters, codes)
            faults = self._strike(operation, caller, parameters, codes)
            self.authorizer.check(operation, caller, parameters, codes)
            handler = self._handler(operation)
        except AwsFailure as failure:
            self._count(operation, caller, failure.code)
            raise
        except ConnectionDropped:
            self._count(operation, caller, DROPPED_BEFORE)
            raise
        return Admitted(wire, operation, caller, parameters, handler, faults)

    def _validate(self, operation: Operation, parameters: dict[str, Any], codes: Refusals) -> None:
        report = self._models.invalid(operation, parameters)
        if report is None:
            return
        failure = codes.invalidity(report)
        if operation.protocol == "ec2" and report.startswith("Missing required parameter"):
            failure = AwsFailure("MissingParameter", report)
        raise failure

    def _limit(
        self, operation: Operation, caller: Caller, parameters: dict[str, Any], codes: Refusals
    ) -> None:
        if not self._throttle.admits(
            self._world.settings.limits,
            place=caller.place,
            call=(operation.service, operation.name),
            parameters=parameters,
            now=self._world.real_time(),
        ):
            raise codes.throttling()

    def _strike(
        self, operation: Operation, caller: Caller, parameters: dict[str, Any], codes: Refusals
    ) -> list[Fault]:
        """The faults that go with the call; those that end it here are raised."""
        call = Call(operation.service, operation.name, caller.principal, parameters)
        faults = self._world.faults.strike(call)
        for fault in faults:
            match fault.spec.effect:
                case Effect.ERROR:
                    raise AwsFailure(fault.spec.code, fault.spec.message, fault.spec.status)
                case Effect.THROTTLE:
                    raise codes.throttling()
                case Effect.DENY:
                    action = f"{operation.model.service_model.signing_name}:{operation.name}"
                    raise codes.denial(caller.principal, action)
                case Effect.DROP_BEFORE:
                    raise ConnectionDropped
                case _:
                    pass
        return faults

    def _handler(self, operation: Operation) -> Handler | None:
        service = self._world.services.get(operation.service)
        handler = service.handlers.get(operation.name) if service is not None else None
        if handler is None and not serves(operation):
            raise not_implemented(operation.service, operation.name)
        return handler

    def _handled(self, admitted: Admitted, handler: Handler) -> tuple[WireAnswer, str]:
        operation, request_id = admitted.operation, admitted.caller.request_id
        try:
            result = handler(admitted.caller, admitted.parameters)
            return self._codec.answer(operation, result, request_id), OK
        except AwsFailure as failure:
            said = worded(operation.service, failure, request_id)
            return self._codec.refusal(operation.protocol, said, request_id), failure.code
        except Exception as error:  # noqa: BLE001 - a bug of ours must not end the server
            return self._broken(operation, request_id, error)

    def _bridged(self, admitted: Admitted) -> tuple[WireAnswer, str]:
        operation, request_id = admitted.operation, admitted.caller.request_id
        try:
            answer = self._bridge.perform(
                operation, admitted.wire, admitted.parameters, admitted.caller.place
            )
        except AwsFailure as failure:
            return self._codec.refusal(operation.protocol, failure, request_id), failure.code
        except Exception as error:  # noqa: BLE001 - a bug of moto's must not end the server
            return self._broken(operation, request_id, error)
        return answer, self._codec.outcome(operation, answer)

    def _broken(
        self, operation: Operation, request_id: str, error: Exception
    ) -> tuple[WireAnswer, str]:
        """An error of the simulator's own: said as AWS would say it, with the cause in the log."""
        logger.error("%s %s failed", operation.service, operation.name, exc_info=error)
        message = f"The simulator failed in {operation.name}: {type(error).__name__}: {error}"
        failure = AwsFailure("InternalFailure", message, 500)
        return self._codec.refusal(operation.protocol, failure, request_id), failure.code

    def _count(self, operation: Operation, caller: Caller, outcome: str) -> None:
        self.calls.record(
            CallKind(
                service=operation.service,
                operation=operation.name,
                outcome=outcome,
                account=caller.place.account,
                region=caller.place.region,
                principal=caller.principal,
            )
        )

    def _unsigned(self, wire: WireRequest, request_id: str) -> WireAnswer:
        """A request without (readable) signature: only its form says which protocol it speaks."""
        content = wire.headers.get("content-type", "")
        if "x-amz-target" in wire.headers:
            protocol = "json"
        else:
            protocol = "query" if "x-www-form-urlencoded" in content else "rest-json"
        codes = refusals("", protocol)
        failure = codes.missing_signature()
        if wire.headers.get("authorization"):
            failure = bad_signature()
        return self._codec.refusal(protocol, failure, request_id)
