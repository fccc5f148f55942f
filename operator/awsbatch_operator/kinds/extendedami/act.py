"""From an action to one AWS call, and what this process remembers of its calls.

None of what is remembered is needed for safety, and all of it may be lost at any moment: a launch
is then sent again by its token, and an image looked up by its name.
"""

from dataclasses import dataclass, field, replace

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import LeadershipStart, LeaseLostError, NoTokenError, Permit, Scope
from awsbatch_operator.api.tokens import OF_TEMPLATES, with_passing_token
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.kinds.extendedami.observed import Refusal, Refused
from awsbatch_operator.kinds.extendedami.pointing import field_meant
from awsbatch_operator.kinds.extendedami.requests import ImageCall

# What Ec2Port sends, so that its feed and what it keeps hear of it.
_BY_EC2 = frozenset(
    {
        *("RunInstances", "TerminateInstances"),
        *("CreateLaunchTemplate", "DeleteLaunchTemplate"),
    }
)
_RUN, _IMAGE = "RunInstances", "CreateImage"
_MAKES = ("Run", "Create", "Copy", "Put")
# EC2 answers this where a type is not offered in a zone.
_NOT_THERE = ("Unsupported", "InvalidParameterCombination.NotSupported")

_OF_THE_REQUEST = frozenset({ErrorKind.INVALID, ErrorKind.NOT_FOUND, ErrorKind.CONFLICT})


@dataclass(slots=True)
class Remembered:
    """Of one object, by its uid."""

    uid: str
    sent: Instant | None = None  # when a call that makes something may last have been on the wire
    refused: dict[str, Refusal] = field(default_factory=dict)
    answered: dict[str, str] = field(default_factory=dict)
    rehearsed: set[str] = field(default_factory=set)  # tokens whose launch EC2 would allow
    tried: set[str] = field(default_factory=set)  # the same of calls that follow the launch
    unsent: set[str] = field(default_factory=set)  # tokens whose launch was written down alone
    name_taken: bool = False
    image_answered: str = ""
    template_refused: str = ""  # the name of a launch template that EC2 has refused as taken


class Memories:
    """What is remembered of all objects. For one event loop."""

    def __init__(self, leadership: LeadershipStart) -> None:
        self._leadership = leadership
        self._kept: dict[ObjectKey, Remembered] = {}

    def of(self, key: ObjectKey, uid: str) -> Remembered:
        """The object's."""
        kept = self._kept.get(key)
        if kept is None or kept.uid != uid:
            kept = self._kept[key] = Remembered(uid)
        return kept

    def since(self, kept: Remembered) -> Instant | None:
        """The last moment at which a call may have gone out whose time no record tells."""
        moments = [each for each in (self._leadership.at, kept.sent) if each is not None]
        return max(moments, default=None)

    def forget(self, key: ObjectKey) -> None:
        """The object is gone."""
        self._kept.pop(key, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Sends the calls. Raises AwsError, LeaseLostError and NoTokenError."""

    ec2: Ec2Port
    ecs: EcsPort
    images: ImagePort
    memories: Memories
    clock: Clock

    def permit(self, action: ImageCall, scope: Scope, holder: ObjectKey) -> Permit:
        scope = _there(scope, action)
        if action.operation in _BY_EC2:
            return self.ec2.permit(scope, action.operation, holder)
        # Several images and snapshots of one object go at a time, or are tagged, each with a token
        # of its own.
        request = action.request
        what = request.get("ImageId") or request.get("SnapshotId") or request.get("Resources") or ""
        return self.images.permit(scope, action.call, (holder, str(what)))

    async def act(self, action: ImageCall, scope: Scope, kept: Remembered) -> None:
        """Send it; what this process saw of it is remembered."""
        try:
            await self._send(action, _there(scope, action), kept)
        except AwsError as error:
            raise _pointing(error, action.request) from error

    async def _send(self, action: ImageCall, scope: Scope, kept: Remembered) -> None:
        match action.operation:
            case _ if action.trial:
                await self._try(action, scope, kept)
            case "RunInstances":
                await self._launch(action.request, scope, kept)
            case "CreateImage":
                await self._image(action, scope, kept)
            case "CreateLaunchTemplate":
                self._sends(action.operation, kept)
                await self._template(action.request, scope, kept)
            case "CopyImage":
                self._sends(action.operation, kept)
                request = {**action.request, "ClientToken": action.token}
                await self.images.send(scope, action.call, request)
            case operation if operation in _BY_EC2:
                self._sends(operation, kept)
                await self.ec2.change(scope, operation, action.request)
            case "DeregisterContainerInstance":
                await self.ecs.change(scope, action.operation, action.request)
            case _:
                self._sends(action.operation, kept)
                await self.images.send(scope, action.call, action.request)
                if action.request.get("ImageId") == kept.image_answered:
                    kept.image_answered = ""  # it is gone: nobody waits for it

    async def _template(self, request: Shape, scope: Scope, kept: Remembered) -> None:
        """A name that is taken is no error: the next look tells whose the template is."""
        request = with_passing_token(request, self.clock.now(), OF_TEMPLATES)
        kept.template_refused = ""
        try:
            await self.ec2.change(scope, "CreateLaunchTemplate", request)
        except AwsError as error:
            if error.kind is not ErrorKind.ALREADY_EXISTS:
                raise
            kept.template_refused = str(request["LaunchTemplateName"])

    def _sends(self, operation: str, kept: Remembered) -> None:
        """What ends something brings nothing to light that would have to be waited for."""
        if operation.startswith(_MAKES):
            kept.sent = self.clock.now()

    async def _launch(self, request: Shape, scope: Scope, kept: Remembered) -> None:
        """RunInstances, tried first (DryRun), so that what is denied is told before anything is."""
        token = str(request["ClientToken"])
        kept.refused.pop(token, None)
        kept.unsent.add(token)
        kept.image_answered = ""  # of an attempt before
        kept.tried.clear()
        if token not in kept.rehearsed:
            await self.ec2.dry_run(scope, _RUN, request)
            kept.rehearsed.add(token)
        kept.sent = self.clock.now()
        kept.unsent.discard(token)
        try:
            answer = await self.ec2.change(scope, _RUN, request)
        except (LeaseLostError, NoTokenError):
            kept.unsent.add(token)
            raise
        except AwsError as error:
            kept.sent = self.clock.now()
            if not error.outcome_unknown:
                kept.refused[token] = Refusal(_why(error), error.message)
            raise
        except BaseException:
            kept.sent = self.clock.now()
            raise
        ids = [str(each["InstanceId"]) for each in answer.get("Instances", ())]
        kept.answered[token] = ids[0] if ids else ""

    async def _try(self, action: ImageCall, scope: Scope, kept: Remembered) -> None:
        """Only a missing right is an answer: whether the rest fits, the call itself will tell."""
        request = {name: value for name, value in action.request.items() if name != "DryRun"}
        try:
            await self.ec2.dry_run(scope, action.operation, request)
        except AwsError as error:
            if error.outcome_unknown or error.kind not in _OF_THE_REQUEST:
                raise
        kept.tried.add(action.trial)

    async def _image(self, action: ImageCall, scope: Scope, kept: Remembered) -> None:
        kept.sent = self.clock.now()
        try:
            answer = await self.images.send(scope, action.call, action.request)
        except AwsError as error:
            kept.sent = self.clock.now()
            kept.name_taken = error.kind is ErrorKind.ALREADY_EXISTS
            raise
        kept.name_taken, kept.image_answered = False, str(answer.get("ImageId", ""))


def _pointing(error: AwsError, request: Shape) -> AwsError:
    """The same, with the field of the spec that AWS means, where its words tell."""
    refused = error.kind in {ErrorKind.INVALID, ErrorKind.NOT_FOUND}
    if not refused or error.outcome_unknown or error.obstacle is not None:
        return error
    field = field_meant(error.operation, error.code, error.message, request)
    return error.saying(f"{error.message.rstrip(' .')} ({field})") if field else error


def _there(scope: Scope, action: ImageCall) -> Scope:
    """Where the call goes: a copy is made and removed in the region that it is in."""
    return replace(scope, region=action.region) if action.region else scope


def _why(error: AwsError) -> Refused:
    if error.kind is ErrorKind.CAPACITY or error.code in _NOT_THERE:
        return Refused.CAPACITY
    return Refused.TOKEN if error.code.startswith("Idempotent") else Refused.OTHER
