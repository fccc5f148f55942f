"""What `driftPolicy: Report` leaves as somebody has made it, and lists (pure).

The plan is made as always; of it, the steps that would put something right again are taken out and
listed. What follows from an image that is in use for the first time (it is published and copied,
the one before it is deprecated) is no drift. So the record says of which image in use all of that
was seen done (`rolledOut`), and only from then on AWS differs because somebody has changed it.
"""

from collections.abc import Iterator
from dataclasses import replace

from awsbatch_operator.api.findings import Severity
from awsbatch_operator.api.metadata import BUILD
from awsbatch_operator.api.plans import Step
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.observed import Image
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.kinds.extendedami.requests import ImageCall

_TAGGING = frozenset({"CreateTags", "DeleteTags", "AddTagsToResource", "RemoveTagsFromResource"})
_DEPRECATING = frozenset({"EnableImageDeprecation", "DisableImageDeprecation"})


def only_told(desired: Desired, used: Image | None, record: Build | None) -> bool:
    """Whether what differs now is a drift, and is left as it is."""
    if not desired.terms.reports:
        return False
    if desired.terms.taking_over or not desired.bake.needed:
        return True
    return used is not None and record is not None and record.rolled_out == used.id


def told(plan: ImagePlan) -> ImagePlan:
    """The same plan, in which drift is listed instead of put right."""
    kept = tuple(each for each in plan.steps if not any(_fields(each)))
    drift = tuple(sorted({name for each in plan.steps for name in _fields(each)}))
    idle = bool(drift) and not kept and not plan.findings
    again = None if idle else plan.look_again_seconds
    return replace(plan, steps=kept, drift=drift, look_again_seconds=again)


def _fields(step: Step[ImageCall]) -> Iterator[str]:
    """What of the spec a step brings in line in something that there is already."""
    call = step.action
    match call.operation:
        case "PutParameter":
            yield "publish.ssmParameter"
        case "CopyImage":
            yield f"regions[{call.region}]"
        case operation if operation in _DEPRECATING:
            yield f"the deprecation of {call.request['ImageId']}"
        case operation if operation in _TAGGING:
            keys = [str(each["Key"]) for each in call.request.get("Tags", ())]
            yield from (f"tags.{key}" for key in (*keys, *call.request.get("TagKeys", ())))


def rolled_out(
    desired: Desired, used: Image | None, record: Build | None, plan: ImagePlan
) -> dict[str, str]:
    """The annotation by which all is done that follows from the image in use; {}: not now."""
    if not desired.terms.reports or used is None or record is None or record.under_way:
        return {}
    waits = any(each.severity is not Severity.NOTE for each in plan.findings)
    if record.rolled_out == used.id or plan.steps or waits or BUILD in plan.record:
        return {}
    return replace(record, rolled_out=used.id).annotation()
