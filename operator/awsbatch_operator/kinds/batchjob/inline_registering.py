"""What AWS has of the definitions that stand in jobs, and the calls that register and end them.

Many jobs share one definition, and their turns run side by side. So it is registered by one of them
while the others wait, and no job is submitted with it while it is being deregistered. Both are
decided just before the call, without a pause in between: a submission goes out only while the
revision is known to be there, and a deregistration only while no job is recorded with it, which a
job that is about to be submitted is by then.

All of it is in memory and may be lost: whoever comes next looks into AWS, and finds by the name.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.plans import Step
from awsbatch_operator.api.scope import LeadershipStart, LeaseLostError, NoTokenError, Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds import outcomes
from awsbatch_operator.kinds.batchjob.actions import Action, Deregister, Register, Submit
from awsbatch_operator.kinds.batchjob.inline import Inline, Place, is_ours, place_of, revision_of
from awsbatch_operator.kinds.batchjob.inline_users import DefinitionUsers
from awsbatch_operator.kinds.registrations import Registrations, Revision
from awsbatch_operator.schema.canonical import differences

REMEMBERED = 4096  # definitions
BUSY_SECONDS = 0.2  # between looks at a call that another job's turn has under way
UNSURE_SECONDS = 5.0  # between looks for what a call without an answer may have registered
REFUSED_SECONDS = 60.0  # for which a refusal of AWS holds for all jobs of the same content


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a job may be submitted with a definition: with `arn`, or why not yet in `waits`.

    Neither: it is to be registered first.
    """

    arn: str = ""
    waits: Finding | None = None


@dataclass(slots=True)
class _Known:
    """`revisions` are ours and ACTIVE, the newest first; None: not looked at yet.

    `confirmed`: by AWS itself, not only by what the feed read last. `serving` is the one that has
    the content. `calls` counts what is under way. `inherited`: jobs were recorded with it when this
    process first heard of it, so a process before may have registered it.
    """

    inherited: bool

    revisions: tuple[Revision, ...] | None = None
    confirmed: bool = False
    serving: str = ""
    calls: int = 0
    refused: tuple[float, Finding] | None = None


class InlineDefinitions:
    """For one event loop."""

    def __init__(
        self,
        *,
        batch: BatchPort,
        clock: Clock,
        leadership: LeadershipStart,
        cluster_id: str,
        users: DefinitionUsers,
    ) -> None:
        self._batch, self._clock = batch, clock
        self.cluster_id, self.users = cluster_id, users
        self._registrations = Registrations(clock, leadership)
        self._known: OrderedDict[Place, _Known] = OrderedDict()

    async def learn(self, scope: Scope, inline: Inline, *, fresh: bool) -> None:
        """Know what AWS has of it before a job may be submitted. Raises AwsError, NoTokenError."""
        place = Place(scope.account_id, scope.region, inline.name)
        known = self._of(place)
        if known.calls or (known.serving and (known.confirmed or not fresh)):
            return
        if not known.confirmed:
            await self._look(scope, place, fresh=fresh)
        # A look for what was let go may have found them, which does not ask for their content.
        same = (each for each in known.revisions or () if _has(each, inline))
        known.serving = next((each.arn for each in same), "")

    async def learn_all(
        self, scope: Scope, places: Iterable[Place], key: ObjectKey, *, fresh: bool
    ) -> None:
        """The same of those that nobody needs besides this job."""
        for place in places:
            here = (place.account_id, place.region) == (scope.account_id, scope.region)
            if here and not self.is_gone(place) and not self.users.need(place, key):
                await self._look(scope, place, fresh=fresh)

    def standing(self, place: Place) -> Standing:
        """Whether a job may be submitted with it now."""
        known = self._of(place)
        if known.calls:
            return Standing(waits=_BUSY)
        if known.serving:
            return Standing(known.serving)
        if known.revisions is None:
            return Standing(waits=_BUSY)
        if known.refused and self._clock.monotonic() - known.refused[0] < REFUSED_SECONDS:
            return Standing(waits=known.refused[1])
        if self.is_in_doubt(place):
            return Standing(waits=_UNSURE)
        return Standing()

    def revisions(self, place: Place) -> tuple[Revision, ...] | None:
        """Those of ours that AWS has; None: nobody has looked."""
        return self._of(place).revisions

    def is_gone(self, place: Place) -> bool:
        """Whether AWS is known to have nothing of it."""
        known = self._known.get(place)
        empty = known is not None and known.confirmed and not known.revisions and not known.calls
        return empty and not self.is_in_doubt(place)

    def is_in_doubt(self, place: Place) -> bool:
        """Whether a revision may exist that AWS does not list yet.

        One that an earlier leader has registered, too, if any job is recorded with it: the record
        comes before the call.
        """
        scope = Scope(place.account_id, place.region)
        if self._registrations.in_doubt(scope, place.name):
            return True
        inherited = self._of(place).inherited
        return inherited and self._registrations.doubt_left(scope, place.name) > 0

    async def register(self, action: Register, scope: Scope) -> None:
        """RegisterJobDefinition, unless another turn has done it or is about to.

        Raises AwsError, LeaseLostError and NoTokenError.
        """
        request = action.request
        name = str(request["jobDefinitionName"])
        known = self._of(Place(scope.account_id, scope.region, name))
        if known.calls:
            raise NoTokenError(BUSY_SECONDS)
        if known.serving:
            return
        known.calls += 1
        try:
            answer = await self._batch.change(scope, action.operation, request)
        except (LeaseLostError, NoTokenError):
            raise
        except BaseException as error:
            self._not_registered(known, scope, name, error)
            raise
        finally:
            known.calls -= 1
        made = revision_of({**request, **answer})
        self._registrations.answered(scope, name, made)
        known.revisions = (made, *(known.revisions or ()))
        known.serving, known.confirmed, known.refused = made.arn, True, None

    def _not_registered(self, known: _Known, scope: Scope, name: str, error: BaseException) -> None:
        if not isinstance(error, AwsError) or error.outcome_unknown:
            self._registrations.unanswered(scope, name)
            known.revisions, known.confirmed = None, False
            return
        self._registrations.refused(scope, name)
        if not outcomes.backs_off(error):
            known.refused = self._clock.monotonic(), outcomes.finding(error)

    async def deregister(self, action: Deregister, scope: Scope) -> None:
        """DeregisterJobDefinition, unless a job has been recorded with it since that was planned.

        Raises AwsError, LeaseLostError and NoTokenError.
        """
        place = place_of(action.arn)
        assert place is not None  # noqa: S101 - nothing else is planned
        known = self._of(place)
        if known.calls or self.users.need(place, action.key):
            raise NoTokenError(BUSY_SECONDS)
        known.calls += 1
        try:
            await self._batch.change(scope, action.operation, {"jobDefinition": action.arn})
        except (LeaseLostError, NoTokenError):
            raise
        except BaseException:
            known.revisions, known.confirmed, known.serving = None, False, ""
            raise
        finally:
            known.calls -= 1
        self._registrations.retired(scope, action.arn)
        left = (each for each in known.revisions or () if each.arn != action.arn)
        self._found(known, tuple(left), confirmed=known.confirmed)

    def pinned(self, action: Submit) -> Submit:
        """The submission with the very revision that AWS has. NoTokenError: not now."""
        definition = str(action.request["jobDefinition"])
        place = place_of(definition)
        if place is None or not definition.endswith(f"/{place.name}"):
            return action
        known = self._of(place)
        if known.calls or not known.serving:
            raise NoTokenError(BUSY_SECONDS)
        return replace(action, request={**action.request, "jobDefinition": known.serving})

    def told(self, step: Step[Action]) -> Finding | None:
        """What is said of a step that AWS took; of a submission, which revision runs."""
        note, action = step.note, step.action
        if note is None or not isinstance(action, Submit):
            return note
        place = place_of(str(action.request["jobDefinition"]))
        if place is None:
            return note
        which = self._of(place).serving.rpartition("/")[2]
        words = f"Submitted as {action.submission.job_name} with the definition in its spec"
        return replace(note, message=f"{words}, registered as {which}.")

    async def explained(self, action: Submit, scope: Scope, error: AwsError) -> AwsError:
        """What AWS's refusal of a submission comes of: somebody may have deregistered it.

        A listing that lags is no proof of that; nor are words that say nothing of the definition.
        """
        arn = str(action.request["jobDefinition"])
        place = place_of(arn)
        if place is None or not outcomes.is_refusal(error) or place.name not in error.message:
            return error
        try:
            listed = await self._batch.job_definitions(scope, place.name, fresh=True)
        except (AwsError, NoTokenError):
            return error
        if any(each["jobDefinitionArn"] == arn for each in listed):
            return error
        self._registrations.retired(scope, arn)
        self._known.pop(place, None)
        kind, words = ErrorKind.CONFLICT, error.message
        return AwsError(kind, operation=error.operation, message=words, code=error.code)

    async def _look(self, scope: Scope, place: Place, *, fresh: bool) -> None:
        listed = await self._batch.job_definitions(scope, place.name, fresh=fresh)
        found = {str(each["jobDefinitionArn"]): revision_of(each) for each in listed}
        self._registrations.listed(scope, place.name, found.keys())
        for each in self._registrations.revisions(scope, place.name):
            found.setdefault(each.arn, each)
        ours = [
            each
            for arn, each in found.items()
            if is_ours(each.tags, self.cluster_id)
            and not self._registrations.was_retired(scope, arn)
        ]
        newest_first = sorted(ours, key=lambda each: each.number, reverse=True)
        # What is looked for in doubt is looked for once more when the doubt is over: the turn that
        # registers may be another one than that which looked.
        confirmed = fresh and not self.is_in_doubt(place)
        self._found(self._of(place), tuple(newest_first), confirmed=confirmed)

    def _found(self, known: _Known, revisions: tuple[Revision, ...], *, confirmed: bool) -> None:
        known.revisions, known.confirmed = revisions, confirmed
        if all(each.arn != known.serving for each in revisions):
            known.serving = ""

    def _of(self, place: Place) -> _Known:
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = _Known(inherited=self.users.any_of(place))
        if len(self._known) > REMEMBERED:
            oldest = next(iter(self._known))
            if not self._known[oldest].calls:
                del self._known[oldest]
        return known


_BUSY = Finding(
    job_reasons.JOB_SUBMITTING,
    "The job is about to be submitted. Its definition is being looked for or registered in AWS, "
    "once for all jobs that have the same.",
    look_again_seconds=BUSY_SECONDS,
)
_UNSURE = Finding(
    catalogue.OUTCOME_UNKNOWN,
    "Whether the job's definition was registered is not known yet; AWS may list it late. Until "
    "then nothing is sent.",
    look_again_seconds=UNSURE_SECONDS,
)


def _has(revision: Revision, inline: Inline) -> bool:
    return not differences(inline.content, revision.content)
