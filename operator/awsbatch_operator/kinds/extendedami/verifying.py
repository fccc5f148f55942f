"""The test of a new image: an instance of it boots and joins an ECS cluster of its own (pure).

It has passed if ECS shows it connected **and** its console tells what it measured. The verifier is
ended in any case, and by itself at its time limit.
"""

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.extendedami import requests
from awsbatch_operator.kinds.extendedami.attempts import (
    VERIFY_STEP,
    Case,
    ImagePlan,
    failed,
    working,
)
from awsbatch_operator.kinds.extendedami.expectations import Clustered
from awsbatch_operator.kinds.extendedami.imaging import accepted
from awsbatch_operator.kinds.extendedami.launching import SOON_SECONDS, launch
from awsbatch_operator.kinds.extendedami.observed import Image, Machine, Verdict
from awsbatch_operator.userdata.images import model

GRACE_SECONDS = 60.0


def plan_verifying(case: Case) -> ImagePlan:
    """The next step while the image is being tried."""
    image = case.observed.image(case.record.image)
    if image is None or not image.available:
        if not case.settled:
            words = f"EC2 does not show the image {case.record.image} at the moment."
            return working(reasons.IMAGE_VERIFYING, words, SOON_SECONDS)
        return failed(case, VERIFY_STEP, f"The image {case.record.image} is gone from AWS")
    if not case.desired.verify.enabled:  # the spec has come to do without a test
        return accepted(case, image, Verdict.UNVERIFIED)
    machine = case.machine
    if machine is None:
        return _launched(case)
    return _tried(case, image, machine)


def _launched(case: Case) -> ImagePlan:
    if not case.observed.cluster:
        step = Step(requests.create_cluster(case.desired), lane="cluster", expects=Clustered())
        return Plan(steps=(step,), look_again_seconds=SOON_SECONDS)
    return launch(
        case,
        lambda offer: requests.verifier(case.desired, case.record, offer),
        reason=reasons.IMAGE_VERIFYING,
        step=VERIFY_STEP,
        note=None,
    )


def _tried(case: Case, image: Image, machine: Machine) -> ImagePlan:
    console, joined = case.observed.console, case.observed.joined
    verdict = None if console is None else console.verdict
    if verdict is model.Verdict.FAILED and console is not None:
        step = f"{VERIFY_STEP}: {console.step}" if console.step else VERIFY_STEP
        words = console.message or "The instance says that the test has failed"
        return failed(case, step, words, exit_code=console.exit_code, verified=True)
    if joined and verdict is model.Verdict.OK:
        return accepted(case, image, Verdict.VERIFIED)
    if machine.state not in {"pending", "running"}:
        why = machine.reason or machine.reason_code or "EC2 does not say why"
        words = f"The instance {machine.id} was ended during the test: {why}"
        return failed(case, VERIFY_STEP, words, verified=True)
    limit, began = case.desired.verify.timeout_seconds, case.record.launch
    age = case.now.since(case.record.since if began is None else began.time)
    if age > limit + GRACE_SECONDS * case.observed.pace:
        missing = "its console has not told the result" if joined else "it has not joined ECS"
        words = f"{machine.id} was to boot and join within {limit} s, and {missing}"
        return failed(case, VERIFY_STEP, words, verified=True)
    at = "has joined ECS" if joined else f"is {machine.state}"
    return working(
        reasons.IMAGE_VERIFYING, f"{machine.id}, an instance of {image.id}, {at}.", SOON_SECONDS
    )
