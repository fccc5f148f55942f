"""How a builder or a verifier is launched, and what becomes of the call (pure).

The launch is written down first, with its token, which is made of the request. Whoever finds it
written down and sees no instance sends the same request again: for one token EC2 launches once. An
offer without capacity is followed by the next one, with a token of its own; an instance of an
earlier one that comes to light late is nobody's, and is ended.

A launch that was written down and held back, by the rate of the calls or by a refused trial, begins
anew, whatever the spec says by then: an attempt has failed only if EC2 was asked.
"""

from collections.abc import Callable
from dataclasses import replace

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.words import joined
from awsbatch_operator.kinds.extendedami.attempts import (
    WATCH_SECONDS,
    Case,
    ImagePlan,
    failed,
    noting,
    working,
)
from awsbatch_operator.kinds.extendedami.expectations import Launched
from awsbatch_operator.kinds.extendedami.observed import Refusal, Refused
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.kinds.extendedami.record_parts import Launch
from awsbatch_operator.kinds.extendedami.requests import ImageCall, Offer, offers
from awsbatch_operator.userdata.images.model import UserDataTooLongError

SOON_SECONDS = 10.0
PAUSE_SECONDS = 300.0  # after all offers were tried in vain; twice as long each time, up to an hour
LONGEST_PAUSE = 3600.0
_DOUBLED = 10  # times; a power of all rounds is beyond what a number holds after some weeks

Request = Callable[[Offer], ImageCall]


def launch(
    case: Case, request: Request, *, reason: Reason, step: str, note: Finding | None
) -> ImagePlan:
    """The next step towards the instance, of which nothing is seen yet."""
    try:
        return _launch(case, request, reason=reason, step=step, note=note)
    except UserDataTooLongError as error:
        return Plan(findings=(Finding(reasons.USER_DATA_TOO_LONG, f"{error}."),))


def _launch(
    case: Case, request: Request, *, reason: Reason, step: str, note: Finding | None
) -> ImagePlan:
    record, now, before = case.record, case.now, case.record.launch
    refusal = None if before is None else case.observed.refused.get(before.token)
    unsent = before is not None and before.token in case.observed.unsent
    if before is not None and refusal is None and not unsent:
        return _sent(case, request, before, reason=reason, step=step)
    if refusal is not None and refusal.why is Refused.TOKEN:
        return failed(case, step, f"EC2 has ended the instance: {refusal.message}")
    if record.pause is not None and now < record.pause:
        return _short(case, refusal)
    possible = offers(case.desired, case.architecture)
    number = 0 if before is None or record.pause is not None else before.offer
    if refusal is not None and refusal.why is Refused.CAPACITY and record.pause is None:
        number += 1
    if number >= len(possible):
        return _out_of_offers(case, refusal)
    call = request(possible[number])
    token = str(call.request["ClientToken"])
    made = Launch(token=token, offer=number, time=now)
    if before is not None and before.token == token and now.since(before.time) < WATCH_SECONDS:
        made = before  # it was only held back for a moment: nothing has to be written anew
    written = replace(record, launch=made, pause=None, clean=False)
    return Plan(
        steps=(
            Step(
                call,
                record=written.annotation(),
                lane="launch",
                note=note,
                expects=Launched(token),
            ),
        ),
        look_again_seconds=SOON_SECONDS,
    )


def _sent(case: Case, request: Request, before: Launch, *, reason: Reason, step: str) -> ImagePlan:
    """It was written down, and nobody has heard that EC2 refused it.

    Whoever has no answer asks again, however late: a turn may be slow, and only EC2 knows whether
    it has launched by the token, and has ended that.
    """
    words = f"A launch was asked for at {before.time.rfc3339()}, and EC2 does not show it yet."
    gone = "The instance is not there: it was ended, or never launched"
    if before.token in case.observed.answered:
        return failed(case, step, gone) if case.settled else working(reason, words, SOON_SECONDS)
    possible = offers(case.desired, case.architecture)
    if before.offer < len(possible):
        call = request(possible[before.offer])
        if call.request["ClientToken"] == before.token:
            again = Step(call, lane="launch", expects=Launched(before.token))
            return Plan(steps=(again,), look_again_seconds=SOON_SECONDS)
    if case.settled:
        return failed(case, step, gone)
    # The spec asks for another launch by now, and this one may yet come to light.
    return working(reason, words, case.observed.look_in(case.settles_in))


def _out_of_offers(case: Case, refusal: Refusal | None) -> ImagePlan:
    """None of them has capacity: all are tried again after a pause."""
    record = case.record
    seconds = pause_seconds(record.rounds) * case.observed.pace
    paused = replace(record, rounds=record.rounds + 1, pause=case.now.plus(seconds))
    return noting(paused, _short(replace(case, record=paused), refusal))


def pause_seconds(rounds: int) -> float:
    """Before all offers are tried again, after so many rounds in vain."""
    return min(PAUSE_SECONDS * 2.0 ** min(rounds, _DOUBLED), LONGEST_PAUSE)


def _short(case: Case, refusal: Refusal | None) -> ImagePlan:
    record: Build = case.record
    until = record.pause or case.now
    said = f"EC2 said last: {refusal.message}" if refusal is not None else ""
    tried = ", ".join(
        f"{each.instance_type} in {each.subnet or 'the default subnet'}"
        for each in offers(case.desired, case.architecture)
    )
    words = joined(f"No capacity for any of these: {tried}.", said)
    more = f"They are tried again at {until.rfc3339()}."
    left = case.observed.look_in(until.since(case.now))
    text = joined(words, more)
    found = Finding(reasons.BUILD_CAPACITY_SHORT, text, look_again_seconds=left)
    return Plan(findings=(found,))
