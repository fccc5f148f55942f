"""What must be true of an object at rest, whatever was done to it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.campaign.expected import OF_MISTAKES, REFUSAL, expected, kept
from tests.campaign.ground import DENIED, Sent
from tests.campaign.picture import Picture, lacks
from tests.campaign.routes import Act, Step
from tests.campaign.values import Change
from tests.support.reading import reads_badly

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import Reason
from awsbatch_operator.api.words import sentence, without_request_ids

REASONS: Mapping[str, Reason] = {reason.name: reason for reason in catalogue.reasons()}
# What passes only when somebody does something else, so that an object may rest in it.
WAITS = frozenset({"ReferenceNotFound", "ReferenceNotReady"})
_RESULTS = frozenset({"Complete", "Failed"})
_TWO_SENTENCES = re.compile(r"[.!?…] \S")


@dataclass(frozen=True, slots=True)
class Seen:
    """An object at rest, and AWS: after a step, and before it.

    `refusals` are what AWS has ever answered to changes of it besides success.
    """

    change: Change
    step: Step
    body: Mapping[str, Any]
    picture: Picture
    before: Picture
    earlier: tuple[Picture, str] | None  # with the verdict, when the spec was reached before
    announced: frozenset[str]  # kinds of change, since the step
    arns: Mapping[str, str]
    refusals: tuple[Sent, ...] = ()

    @property
    def status(self) -> Mapping[str, Any]:
        """The object's."""
        found: Mapping[str, Any] = self.body.get("status", {})
        return found

    @property
    def said(self) -> str:
        """All that its conditions say."""
        return " ".join(str(each["message"]) for each in self.status.get("conditions", ()))

    @property
    def verdict(self) -> str:
        """Ready, or why not."""
        for name in ("Ready", "Stalled", "Reconciling", "Suspended"):
            if is_true(self.status, name):
                return f"{name} {(condition(self.status, name) or {})['reason']}"
        return "no condition"


def faults(seen: Seen) -> Iterator[str]:
    """What is wrong; nothing, if all is well."""
    yield from conditions(seen.body)
    yield from _content(seen)
    if not is_true(seen.status, "Ready"):
        yield from excuse(seen)
    yield from _restraint(seen)


def conditions(body: Mapping[str, Any], *, under_way: bool = False) -> Iterator[str]:
    """The conditions are of the newest generation, do not contradict each other, and say enough.

    `under_way`: the object is a job, which AWS works at for as long as that takes.
    """
    generation, status = body["metadata"]["generation"], body.get("status", {})
    if status.get("observedGeneration") != generation:
        yield f"generation {generation} was not looked at, but {status.get('observedGeneration')}"
    for each in status.get("conditions", ()):
        if each["observedGeneration"] != generation and each["type"] not in _RESULTS:
            yield f"{each['type']} is of generation {each['observedGeneration']}"
        if bad := reads_badly(str(each["message"])):
            yield f"{each['type']}: {bad}"
    true = [name for name in ("Ready", "Stalled", "Reconciling") if is_true(status, name)]
    if (is_true(status, "Complete") or is_true(status, "Suspended")) and not true:
        return
    if len(true) != 1:
        yield f"one of Ready, Stalled and Reconciling is to be true, not {true}"
    elif true != ["Ready"]:
        yield from _reason(condition(status, true[0]) or {}, under_way=under_way)


def blocked(body: Mapping[str, Any], picture: Picture, *, role_is_there: bool) -> Iterator[str]:
    """An object that cannot be deleted says why, and what helps.

    Here nothing uses it but what is deleted as well, so only AWS can be in the way: it cannot
    delete an environment whose role does not exist, and the spec names no other.
    """
    found = condition(body.get("status", {}), "DeletionBlocked") or {}
    if found.get("status") != "True":
        yield "it is not deleted, and nothing says why"
    elif found["reason"] != catalogue.ENVIRONMENT_INVALID.name:
        yield f"its deletion is blocked by {found['reason']}: {found['message']}"
    elif picture.status != "INVALID" or role_is_there:
        yield f"AWS could delete it: {found['message']}"
    else:
        yield from _reason(found, under_way=True)


def _reason(found: Mapping[str, Any], *, under_way: bool) -> Iterator[str]:
    """What is not ready says why, and what helps."""
    reason, message = str(found["reason"]), str(found["message"])
    if reason not in REASONS:
        yield f"{reason} is no reason of the catalogue"
    if found["type"] == "Reconciling" and under_way:
        return
    if not _TWO_SENTENCES.search(message):
        yield f"{reason} says no remedy: {message}"
    if found["type"] == "Reconciling" and reason not in WAITS:
        yield f"it rests, and says that it goes on: {reason} {message}"


def _content(seen: Seen) -> Iterator[str]:
    """What is Ready is so in AWS."""
    if not is_true(seen.status, "Ready"):
        return
    if seen.step.unsound:
        yield f"a spec that breaks the schema is {seen.verdict}"
    if seen.picture.content is None:
        yield "it is Ready, and AWS has nothing of it"
        return
    kind = str(seen.body["kind"])
    missing = lacks(kind, seen.body["spec"], seen.picture.content, seen.arns)
    if missing:
        yield f"it is Ready, and AWS has otherwise: {', '.join(missing)}"


def excuse(seen: Seen) -> Iterator[str]:
    """What is not Ready has a reason that is true, and none that a valid spec is not to have."""
    verdict, step, said = seen.verdict, seen.step, seen.said
    if step.unsound:
        if verdict != "Stalled InvalidSpec":
            yield f"a spec that breaks the schema is {verdict}"
        return
    if not _is_so(seen):
        yield f"it is {verdict}, and AWS has not said so: {said}"
    if step.act is Act.REFUSED and REFUSAL in said:
        return
    if step.act is Act.MISTAKE and verdict in OF_MISTAKES:
        return
    if not expected(seen.change, seen.body["spec"], verdict, said):
        yield f"a valid spec is {verdict}: {said}"


def _is_so(seen: Seen) -> bool:
    """Whether AWS has said what the operator says that it said."""
    match seen.verdict:
        case "Stalled InvalidRequest" | "Stalled AWSError":
            answers = [each for each in seen.refusals if each.status != DENIED]
            return any(_words_of(each) in seen.said for each in answers)
        case "Stalled PermissionDenied":
            return any(each.status == DENIED for each in seen.refusals)
        case "Stalled EnvironmentInvalid" | "Stalled QueueInvalid":
            return seen.picture.status == "INVALID"
        case _:
            return True


def _words_of(answer: Sent) -> str:
    """What a refusal comes to in a condition: AWS's words, but for the id of the request."""
    return sentence(f"{answer.operation}: {without_request_ids(answer.said)}")


def _restraint(seen: Seen) -> Iterator[str]:
    """Nothing is done that nobody asked for."""
    picture, before, step = seen.picture, seen.before, seen.step
    if step.unsound and (picture != before):
        yield "a spec that breaks the schema has changed AWS"
    if step.act is Act.REFUSED and not is_true(seen.status, "Ready") and picture.differs(before):
        yield f"AWS refused it all, and differs in {picture.differs(before)}"
    if step.act is Act.BACK and seen.earlier is not None:
        old, verdict = seen.earlier
        differing = [name for name in picture.differs(old) if not _is_aws_choice(name, seen)]
        left = [name for name in differing if not _is_kept(name, seen)]
        if left:
            yield f"after the way back AWS differs in {left}"
        if seen.verdict != verdict:
            yield f"after the way back it is {seen.verdict}, and was {verdict}"
    yield from _anew(seen)


def _is_kept(name: str, seen: Seen) -> bool:
    """Whether AWS cannot take that field back, and the object says so of this very field."""
    told = f"The spec says nothing of {name} any more; AWS keeps what it has."
    if name == "serviceRole":
        role = (seen.picture.content or {}).get(name)
        told = f"The spec names no {name} any more; AWS cannot go back to its service-linked role "
        told += f"and keeps {role}."
    return kept(str(seen.body["kind"]), name) and told in seen.said


def _is_aws_choice(name: str, seen: Seen) -> bool:
    """Whether it is a type of image where the spec names none, and AWS has no image of one's own.

    AWS fills in a type by itself, which looks the same as one that was in the spec once.
    """
    resources = (seen.picture.content or {}).get("computeResources") or {}
    entries = resources.get("ec2Configuration") or ()
    own = any(each.get("imageIdOverride") for each in entries)
    silent = "ec2Configuration" not in seen.body["spec"].get("computeResources", {})
    return name == "computeResources.ec2Configuration" and silent and not own


def _anew(seen: Seen) -> Iterator[str]:
    """No further revision, and no other environment, than asked for."""
    picture, before = seen.picture, seen.before
    if before.content is None or picture.content is None:
        return
    if seen.body["kind"] == "JobDefinition":
        wanted = any(not name.startswith("tags") for name in picture.differs(before))
        if picture.made - before.made != wanted:
            yield f"{picture.made - before.made} revisions were registered, for {wanted:d} change"
    elif picture.made > 1:
        yield f"AWS has {picture.made} of it"
    elif picture.thing != before.thing and not seen.announced & {"Replacement", "Remaking"}:
        yield "it was replaced in AWS, and no plan said so"
