"""The builder: launched, watched, and judged by its end and its console (pure).

A build has succeeded if the instance has stopped itself **and** the console says so with the nonce.
Either alone may be an accident: a script that powers off early, or one that prints what it should
not know. A builder that somebody else has stopped or ended has failed, whatever its console says.
"""

from dataclasses import replace

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.extendedami import requests
from awsbatch_operator.kinds.extendedami.attempts import (
    BUILD_STEP,
    WATCH_SECONDS,
    Case,
    ImagePlan,
    counted,
    failed,
    noting,
    working,
)
from awsbatch_operator.kinds.extendedami.expectations import Imaged
from awsbatch_operator.kinds.extendedami.launching import launch
from awsbatch_operator.kinds.extendedami.observed import BY_ITSELF, Machine
from awsbatch_operator.kinds.extendedami.record import Stage
from awsbatch_operator.kinds.extendedami.requests import ImageCall
from awsbatch_operator.userdata.images.model import Verdict

GRACE_SECONDS = 300.0  # a builder ends itself at its limit; so much later it is ended
CONSOLE_SECONDS = 600.0  # EC2 posts a console minutes after the instance has stopped


def plan_building(case: Case) -> ImagePlan:
    """The next step while there is a builder, or is to be one."""
    machine = case.machine
    if machine is None:
        return _launched(case)
    match machine.state:
        case "stopped":
            return _stopped(case, machine)
        case "shutting-down" | "terminated":
            return failed(case, BUILD_STEP, f"The builder {machine.id} was ended: {_why(machine)}")
        case _:
            return _running(case, machine)


def _launched(case: Case) -> ImagePlan:
    if case.desired.unread:  # nobody knows what it would have to run
        return Plan()
    base = case.base
    if base is None and case.record.launch is None:
        return failed(case, BUILD_STEP, f"The base image {case.record.base} is gone from AWS")
    if base is None:  # it may have been launched before the base was withdrawn
        if case.settled:
            return failed(case, BUILD_STEP, f"The base image {case.record.base} is gone from AWS")
        words = "The base image is gone from AWS; a builder may still come to light."
        return working(reasons.IMAGE_BUILDING, words, case.observed.look_in(case.settles_in))
    words = f"Build {case.record.build}, {counted(case.record)}."
    return launch(
        case,
        lambda offer: requests.builder(case.desired, case.record, base, offer),
        reason=reasons.IMAGE_BUILDING,
        step=BUILD_STEP,
        note=Finding(reasons.BUILD_STARTED, words),
    )


def _running(case: Case, machine: Machine) -> ImagePlan:
    console, launch_ = case.observed.console, case.record.launch
    if console is not None and console.verdict is Verdict.FAILED:
        return _failed_by_itself(case)
    limit = case.desired.builder.timeout_seconds
    age = case.now.since(case.record.since if launch_ is None else launch_.time)
    if age > limit + GRACE_SECONDS * case.observed.pace:
        step = console.step if console is not None and console.step else BUILD_STEP
        words = (
            f"The builder {machine.id} has not finished within {limit} s (builder.timeoutSeconds)"
        )
        return failed(case, step, words)
    at = f", in step {console.step}" if console is not None and console.step else ""
    words = f"The builder {machine.id} is {machine.state}{at}."
    return replace(working(reasons.IMAGE_BUILDING, words), steps=_tried(case, machine))


def _tried(case: Case, machine: Machine) -> tuple[Step[ImageCall], ...]:
    """What is going to be done with the builder is tried once, so that no right is missing then."""
    calls = requests.trials(case.desired, case.record, machine.id)
    new = (each for each in calls if each.trial not in case.observed.tried)
    return tuple(Step(each, lane=f"trial {each.trial}") for each in new)


def _stopped(case: Case, machine: Machine) -> ImagePlan:
    if machine.reason_code != BY_ITSELF:
        words = f"The builder {machine.id} was stopped from outside: {_why(machine)}"
        return failed(case, BUILD_STEP, words)
    console = case.observed.console
    if console is not None and console.verdict is Verdict.OK:
        return _image(case, machine)
    if console is not None and console.verdict is Verdict.FAILED:
        return _failed_by_itself(case)
    return _silent(case, machine)


def _silent(case: Case, machine: Machine) -> ImagePlan:
    """It has stopped itself, and its console says nothing yet, or never will."""
    record, now = case.record, case.now
    words = f"The builder {machine.id} has stopped; its console is waited for."
    if record.quiet is None:
        waits = working(reasons.IMAGE_BUILDING, words)
        return noting(replace(record, quiet=now), waits)
    if now.since(record.quiet) < CONSOLE_SECONDS * case.observed.pace:
        return working(reasons.IMAGE_BUILDING, words)
    console = case.observed.console
    step = console.step if console is not None and console.step else BUILD_STEP
    words = (
        f"The builder {machine.id} has shut itself down without saying that it has finished; a "
        "script may have powered it off, or it ran out of time"
    )
    return failed(case, step, words)


def _failed_by_itself(case: Case) -> ImagePlan:
    console = case.observed.console
    assert console is not None  # noqa: S101 - it has a verdict
    step, words = console.step or BUILD_STEP, console.message or "The builder says that it failed"
    return failed(case, step, words, exit_code=console.exit_code)


def _image(case: Case, machine: Machine) -> ImagePlan:
    """It has finished: the image is made of it."""
    made = case.record.at(Stage.IMAGE, case.now)
    call = requests.create_image(case.desired, made, machine.id)
    words = f"The builder {machine.id} has finished. EC2 makes {call.request['Name']} of it."
    step = Step(
        call,
        record=made.annotation(),
        lane="image",
        note=Finding(reasons.IMAGE_BUILT, words),
        expects=Imaged(made.build),
    )
    return Plan(steps=(step,), look_again_seconds=WATCH_SECONDS)


def _why(machine: Machine) -> str:
    return machine.reason or machine.reason_code or "EC2 does not say why"
