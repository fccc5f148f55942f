"""From a call of a plan to AWS, and what its answer means for the plans to come.

Between the record and the call: what was written down and certainly not sent is told to the next
plan as refused (memory.py), so nothing waits for it. A call that may have been sent counts as
unknown from the moment before it leaves until EC2's answer says otherwise.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import LeaseLostError, NoTokenError, Permit, Scope
from awsbatch_operator.api.tags import CONTENT, Owner
from awsbatch_operator.api.tokens import OF_TEMPLATES, with_passing_token
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.capacity.faults import RESERVATION_GONE, classify, reservation_gone
from awsbatch_operator.capacity.launches import Answered, Intent, Refused, Throttled
from awsbatch_operator.capacity.memory import Memories, Remembered
from awsbatch_operator.capacity.observed import (
    Answer,
    fleet_answer,
    held_after,
    pauses_after,
    refused_answer,
)
from awsbatch_operator.capacity.requests import Call, Service
from awsbatch_operator.capacity.views import Expected

# What is over already is as wanted: by operation, the kinds of error that say so.
_DONE_BEFORE: Mapping[str, frozenset[ErrorKind]] = {
    "DeleteLaunchTemplate": frozenset({ErrorKind.NOT_FOUND}),
    "CancelCapacityReservation": frozenset({ErrorKind.NOT_FOUND}),
    "DeregisterContainerInstance": frozenset({ErrorKind.NOT_FOUND}),
    "UpdateContainerInstancesState": frozenset({ErrorKind.NOT_FOUND}),
}
# Of EC2 having been too busy, or not having been reached.
_SAID_NOTHING = frozenset({ErrorKind.THROTTLED, ErrorKind.TRANSIENT})
_BUYING = frozenset(
    {"CreateCapacityReservation", "CreateFleet", "CreateLaunchTemplate", "RunInstances"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conductor:
    """Sends calls. Raises AwsError, NoTokenError and LeaseLostError.

    What EC2 answers to a launch is no error here, be it a refusal: the next plan deals with it.
    """

    ec2: Ec2Port
    ecs: EcsPort
    memories: Memories
    clock: Clock
    on_launch: Callable[[str, str], None] | None = None  # market and result

    def drafted(self, calls: Iterable[object], owner: Owner) -> None:
        """A plan of this process has these calls: launches that are recorded now are its own."""
        kept, now = self._kept(owner), self.clock.now()
        mine = [call for call in calls if isinstance(call, Call)]
        kept.buying = {call.pool for call in mine if call.operation in _BUYING}
        for call in mine:
            if call.intent is not None:
                kept.draft(call.intent, now)

    def _kept(self, owner: Owner) -> Remembered:
        return self.memories.of(owner.key, owner.uid, {}, self.clock.now())

    def permit(self, call: Call, scope: Scope, holder: ObjectKey) -> Permit:
        """A rate token for the call."""
        match call.service:
            case Service.EC2:
                return self.ec2.permit(scope, call.operation, holder)
            case Service.ECS:
                return self.ecs.permit(scope, call.operation, holder)
        assert_never(call.service)

    async def send(self, call: Call, scope: Scope, owner: Owner) -> None:
        """One call on the wire."""
        kept = self._kept(owner)
        if call.intent is not None:
            await self._launch(call, call.intent, scope, kept)
        elif call.operation == "CreateCapacityReservation":
            await self._reserve(call, scope, kept)
        elif call.operation == "CreateLaunchTemplate":
            await self._make_template(call, scope)
        elif call.operation == "TerminateInstances":
            await self._terminate(call, scope, kept)
        else:
            try:
                await self._change(call, scope)
            except AwsError as error:
                if error.kind not in _DONE_BEFORE.get(call.operation, ()):
                    raise

    async def _change(self, call: Call, scope: Scope) -> Shape:
        if call.service is Service.ECS:
            return await self.ecs.change(scope, call.operation, call.request)
        return await self.ec2.change(scope, call.operation, call.request)

    async def _launch(self, call: Call, intent: Intent, scope: Scope, kept: Remembered) -> None:
        kept.answers[intent.token] = Answer(at=self.clock.now())  # from here on it is unknown
        try:
            body = await self.ec2.change(scope, call.operation, call.request)
        except (NoTokenError, LeaseLostError):
            kept.answers[intent.token] = Answer(at=self.clock.now(), outcome=Refused())
            raise
        except AwsError as error:
            if error.kind is ErrorKind.TRANSIENT and not error.outcome_unknown:  # it never left
                kept.answers[intent.token] = Answer(at=self.clock.now(), outcome=Throttled())
                raise
            answer = self._refusal(intent, error)
        else:
            answer = fleet_answer(intent, body, self.clock.now())
            if isinstance(answer.outcome, Answered):
                listed = _launched(call, intent, body, answer.at)
                kept.expected = (*kept.expected, *listed)
        kept.answers[intent.token] = answer
        if self.on_launch is not None:
            self.on_launch(intent.market.value, _result(intent, answer))
        kept.pauses = pauses_after(kept.pauses, intent, answer)
        kept.held = held_after(kept.held, intent, answer)

    def _refusal(self, intent: Intent, error: AwsError) -> Answer:
        code = "" if error.outcome_unknown else error.code or error.kind.value
        return refused_answer(intent, code, error.message, self.clock.now())

    async def _reserve(self, call: Call, scope: Scope, kept: Remembered) -> None:
        """The same token makes it once, so an unknown outcome needs nothing but another call.

        It is made again until EC2 shows the reservation. What is refused then, or never left, says
        nothing about the call before. When it was sent is known to a deletion, which waits until
        EC2 would show it.
        """
        before = kept.answers.get(call.token)
        if before is None or before.outcome is None:
            kept.answers[call.token] = before = Answer(at=self.clock.now())
        try:
            body = await self.ec2.change(scope, call.operation, call.request)
        except AwsError as error:
            made = isinstance(before.outcome, Answered)
            if error.outcome_unknown or error.kind in _SAID_NOTHING or made:
                raise
            fault = classify(error.code or error.kind.value, error.message)
            now = self.clock.now()
            kept.answers[call.token] = Answer(at=now, outcome=Refused(), faults=((None, fault),))
        else:
            kept.answers[call.token] = _reserved(body, self.clock.now())

    async def _make_template(self, call: Call, scope: Scope) -> None:
        """One of that name that carries our tags is the same: the name is made of the content."""
        request = with_passing_token(call.request, self.clock.now(), OF_TEMPLATES)
        try:
            await self.ec2.change(scope, call.operation, request)
        except AwsError as error:
            if error.kind is not ErrorKind.ALREADY_EXISTS:
                raise
            ours = await self.ec2.launch_templates(scope, fresh=True)
            name = call.request["LaunchTemplateName"]
            if all(each["LaunchTemplateName"] != name for each in ours):
                raise error.saying(_taken(name, error.message)) from error

    async def _terminate(self, call: Call, scope: Scope, kept: Remembered) -> None:
        """EC2 refuses the whole call for one id that it does not know (yet): that one waits.

        It is not expected any more then. Should EC2 show it after all, it is ended by its tags. So
        it is with one that is protected: it is asked for by itself from then on.
        """
        ids = call.request["InstanceIds"]
        try:
            await self.ec2.change(scope, call.operation, call.request)
        except AwsError as error:
            named = {each for each in ids if each in error.message}
            if error.kind is ErrorKind.NOT_FOUND:
                kept.expected = tuple(each for each in kept.expected if each.id not in named)
            elif error.code == "OperationNotPermitted":
                kept.protected |= dict.fromkeys(named or ids, self.clock.now())
            else:
                raise
        else:
            for each in ids:
                kept.protected.pop(each, None)
            kept.expected = tuple(
                replace(each, state="shutting-down") if each.id in ids else each
                for each in kept.expected
            )

    def told(self, call: Call, note: Finding | None, owner: Owner) -> Finding | None:
        """What to tell of a call that was answered: of a launch, what came of it."""
        kept = self._kept(owner)
        if call.intent is None:
            answer = kept.answers.get(call.token) if call.token else None
            refused = answer is not None and bool(answer.faults)
            refused |= any(each in kept.protected for each in call.request.get("InstanceIds", ()))
            return None if refused else note
        answer = kept.answers.get(call.intent.token)
        if answer is None or not isinstance(answer.outcome, Answered):
            return None
        made = [each for each in kept.expected if each.intent == call.intent.token]
        if not made:
            return None
        return Finding(capacity_reasons.INSTANCES_LAUNCHED, _launch_words(call.intent, made))


def _taken(name: str, said: str) -> str:
    """What a person can do: the name is made of the object, which has mostly lost its tags."""
    return (
        f"{said.rstrip(' .')}. The launch template {name} does not carry the tag "
        "awsbatch.dev/cluster of this cluster, so it is left alone, and no instance is launched "
        "from it: delete it if nothing uses it, and it is made anew; or set its tags again."
    )


def _result(intent: Intent, answer: Answer) -> str:
    """What came of a launch, in a word of the metric."""
    match answer.outcome:
        case Answered(instances=()):
            return "none"
        case Answered(instances=found):
            return "all" if len(found) >= intent.count else "some"
        case Refused():
            return "refused"
        case Throttled():
            return "throttled"
        case _:
            return "unknown"


def _launched(call: Call, intent: Intent, body: Shape, at: Instant) -> Iterable[Expected]:
    """The instances that an answer names: of CreateFleet in groups, of RunInstances one by one."""
    tags = {
        str(tag["Key"]): str(tag["Value"])
        for each in call.request["TagSpecifications"]
        if each["ResourceType"] == "instance"
        for tag in each["Tags"]
    }
    zones = {offer.subnet: offer.zone for offer in intent.offers}
    for group in body.get("Instances") or ():
        overrides = group.get("LaunchTemplateAndOverrides", {}).get("Overrides", {})
        ids = [group["InstanceId"]] if "InstanceId" in group else group.get("InstanceIds", ())
        subnet = str(overrides.get("SubnetId") or group.get("SubnetId") or "")
        for each in ids:
            yield Expected(
                id=str(each),
                pool=intent.pool,
                instance_type=str(group.get("InstanceType") or overrides.get("InstanceType") or ""),
                zone=zones.get(subnet, intent.offers[0].zone),
                market=intent.market,
                launched=at,
                intent=intent.token,
                content=tags.get(CONTENT, ""),
                end=intent.end,
            )


def _reserved(body: Shape, now: Instant) -> Answer:
    """What the answer of CreateCapacityReservation says.

    The same token gives the same reservation for as long as EC2 remembers it, be it gone by now.
    """
    state = str(body.get("CapacityReservation", {}).get("State", ""))
    if state not in RESERVATION_GONE:
        return Answer(at=now, outcome=Answered(()))
    return Answer(at=now, outcome=Refused(), faults=((None, reservation_gone(state)),))


def _launch_words(intent: Intent, made: Sequence[Expected]) -> str:
    types: dict[str, int] = {}
    for each in made:
        types[each.instance_type] = types.get(each.instance_type, 0) + 1
    what = ", ".join(f"{count} x {name}" for name, count in sorted(types.items()))
    some = "" if len(made) >= intent.count else f"; {intent.count} were asked for"
    return f"Launched {what} for pool {intent.pool}{some}."
