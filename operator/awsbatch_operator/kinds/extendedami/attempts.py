"""What the stages of an attempt share: what they decide from, how one begins, and how it fails."""

from dataclasses import dataclass, replace

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.words import joined, sentence
from awsbatch_operator.kinds.extendedami.choosing import Due
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.observed import Base, Machine, Observed
from awsbatch_operator.kinds.extendedami.record import Build, Stage
from awsbatch_operator.kinds.extendedami.record_parts import Failure
from awsbatch_operator.kinds.extendedami.requests import ImageCall

ImagePlan = Plan[ImageCall]

ATTEMPTS = 3  # that are made by themselves
PAUSES = (60.0, 300.0)  # seconds before the second and before the third
AT_ONCE = 0.0
# After the last moment at which a call of ours may have gone out, EC2 shows what came of it.
WATCH_SECONDS = 30.0  # between two looks at what is under way
MESSAGE_LIMIT = 500  # characters of a failure that the record keeps
VERIFY_STEP = "verify"
BUILD_STEP = "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a stage decides from."""

    desired: Desired
    observed: Observed
    record: Build
    now: Instant

    @property
    def base(self) -> Base | None:
        """The base of the attempt, if it can still be told."""
        known = (self.observed.base, self.observed.earlier_base)
        found = (each for each in known if each is not None and each.id == self.record.base)
        return next(found, None)

    @property
    def architecture(self) -> str:
        """Of what is launched in this stage: as EC2 says of its image, or else as the spec does."""
        image = self.observed.image(self.record.image) if self.record.image else None
        if self.record.stage is Stage.VERIFY and image is not None and image.architecture:
            return image.architecture
        base = self.base
        known = "" if base is None else base.architecture
        return known or self.desired.base.architecture

    @property
    def machine(self) -> Machine | None:
        """The instance that was launched last in this attempt."""
        launch = self.record.launch
        return None if launch is None else self.observed.machine(launch.token)

    @property
    def settled(self) -> bool:
        """Whether EC2 shows all that can have come of a launch."""
        return self.settles_in <= 0

    @property
    def settles_in(self) -> float:
        """Seconds until then."""
        moments = [each for each in (self.observed.since,) if each is not None]
        if self.record.launch is not None:
            moments.append(self.record.launch.time)
        if not moments:
            return 0.0
        return max(moments).plus(self.observed.settling).since(self.now)


def begun(due: Due, observed: Observed, uid: str, now: Instant, before: Build | None) -> Build:
    """The record of another attempt at what is due.

    An attempt at the same image goes on counting. The budget begins anew with another image, and
    when somebody asks for it.
    """
    same = before is not None and before.build == due.build
    number = before.attempt + 1 if before is not None and same else 1
    failed_before = before is not None and same and before.stage is Stage.FAILED
    goes_on = before is not None and failed_before and before.mark == observed.mark
    if before is not None and before.failure is not None and before.failure.taken:
        goes_on = False  # it was no fault of the build
    return Build(
        uid=uid,
        build=due.build,
        content=due.content,
        base=due.base,
        source=due.source,
        attempt=number,
        first=before.first if before is not None and goes_on else number,
        mark=observed.mark,
        stage=Stage.BUILD,
        started=now,
        since=now,
        regions=before.regions if before is not None else (),
        copies=before.copies if before is not None else {},
        published=before.published if before is not None else "",
        tried=before is not None and before.tried and not before.clean,
        rolled_out=before.rolled_out if before is not None else "",
    )


def failed(
    case: Case, step: str, message: str, *, exit_code: int | None = None, verified: bool = False
) -> ImagePlan:
    """The attempt is over: that is written down, and what is left of it goes at the next look."""
    record, now = case.record, case.now
    left = ATTEMPTS - (record.attempt - record.first + 1)
    again = None if left <= 0 else now.plus(PAUSES[-left] * case.observed.pace)
    machine = case.machine
    keeps = case.desired.builder.keep_failed and not verified
    kept = keeps and machine is not None and machine.costs
    if kept and again is not None:
        again = max(again, now.plus(case.desired.builder.timeout_seconds))
    failure = Failure(
        step=step,
        message=sentence(message)[:MESSAGE_LIMIT],
        time=now,
        exit_code=exit_code,
        again=again,
        instance="" if machine is None else machine.id,
        kept=kept,
    )
    over = record.at(Stage.FAILED, now, failure=failure)
    notes = (Finding(reasons.BUILD_ATTEMPT_FAILED, words_of(over)),) if again is not None else ()
    if kept:
        notes = (*notes, kept_note(case.desired, over))
    shown = (*notes, *standing(over, case.observed, now))
    return Plan(record=over.annotation(), findings=shown, look_again_seconds=AT_ONCE)


def words_of(record: Build) -> str:
    """What has failed, and where."""
    failure = record.failure
    if failure is None:
        return ""
    tests = _is_of_test(failure)
    step = failure.step.removeprefix(VERIFY_STEP).removeprefix(": ") if tests else failure.step
    at = f" in step {step}" if step and step != BUILD_STEP else ""
    code = "" if failure.exit_code is None else f" with exit code {failure.exit_code}"
    what = "The boot test" if tests else "The build"
    return joined(f"{what} has failed{at}{code} ({counted(record)}).", failure.message)


def counted(record: Build) -> str:
    """Which of the attempts it is that there are before a person has to mend something."""
    return f"attempt {record.attempt - record.first + 1} of {ATTEMPTS}"


def kept_note(desired: Desired, record: Build) -> Finding:
    """Which builder is kept for a person, and for how long."""
    failure = record.failure
    assert failure is not None  # noqa: S101 - the caller has just written it
    until = kept_until(desired, failure).rfc3339()
    words = f"The builder {failure.instance} is kept until {until}, as builder.onFailure says."
    return Finding(reasons.BUILDER_KEPT, words)


def kept_until(desired: Desired, failure: Failure) -> Instant:
    """When a builder that was kept for a person is ended."""
    return failure.time.plus(desired.builder.timeout_seconds)


def standing(record: Build, observed: Observed, now: Instant) -> tuple[Finding, ...]:
    """What the status says while an attempt has failed and no other one has begun."""
    failure = record.failure
    if failure is None:
        return ()
    if failure.taken:
        return (Finding(reasons.NAME_TAKEN, failure.message),)
    words = words_of(record)
    if failure.kept:
        words = joined(words, f"The builder {failure.instance} is kept for a look, for a while.")
    if failure.again is not None:
        left = observed.look_in(failure.again.since(now))
        more = f"It is tried once more at {failure.again.rfc3339()}."
        text = joined(words, more)
        return (Finding(reasons.BUILD_RETRYING, text, look_again_seconds=left),)
    reason = reasons.VERIFICATION_FAILED if _is_of_test(failure) else reasons.BUILD_FAILED
    return (Finding(reason, words),)


def waits(failure: Failure | None, observed: Observed, now: Instant) -> bool:
    """Whether no further attempt is made now, unless somebody asks for it."""
    if failure is not None and failure.taken:
        return observed.named is not None
    return failure is None or failure.again is None or now < failure.again


def _is_of_test(failure: Failure) -> bool:
    return failure.step == VERIFY_STEP or failure.step.startswith(f"{VERIFY_STEP}:")


def working(reason: Reason, words: str, seconds: float = WATCH_SECONDS) -> ImagePlan:
    """Nothing is to be done but to look again."""
    return Plan(findings=(Finding(reason, words, look_again_seconds=seconds),))


def noting(record: Build, plan: ImagePlan) -> ImagePlan:
    """The same plan, with a record that no call depends on."""
    return replace(plan, record=record.annotation())
