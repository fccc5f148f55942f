"""What no image has to carry: a launch template with the disks (pure).

Its name is made of its content, so that another content is another template and a second call makes
no second one. One that is not wanted any more goes when no compute environment names it.
"""

from dataclasses import replace
from typing import Any

from awsbatch_operator.api import image_reasons as reasons
from awsbatch_operator.api.encoding import canonical
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import owner_words
from awsbatch_operator.kinds.extendedami.attempts import ImagePlan
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.expectations import TemplateShows
from awsbatch_operator.kinds.extendedami.observed import Observed, tags_by_key
from awsbatch_operator.kinds.extendedami.refused import key_faults
from awsbatch_operator.kinds.extendedami.requests import (
    ImageCall,
    delete_template,
    image_name,
    tagged,
)

TEMPLATE_LOOK_SECONDS = 10.0
_DIGITS = 12


def template_data(desired: Desired, observed: Observed) -> Shape | None:
    """What instances are told at their launch; None: nothing, or the base is not known."""
    base = observed.base
    if not desired.bake.template_needed or base is None:
        return None
    mappings: list[Shape] = []
    if desired.root and base.root_device:
        mappings.append({"DeviceName": base.root_device, "Ebs": dict(desired.root)})
    if not desired.bake.needed:  # else the image has them
        mappings += [dict(each) for each in desired.devices]
    return {"BlockDeviceMappings": mappings} if mappings else None


def wanted_template(desired: Desired, observed: Observed) -> tuple[str, Shape] | None:
    """Name and content of the launch template; None: there is to be none."""
    data = template_data(desired, observed)
    if data is None:
        return None
    content = short_hash(desired.owner.uid, canonical(data).decode(), digits=_DIGITS)
    return image_name(desired.namespace, desired.name, content), data


def template_in_use(desired: Desired, observed: Observed) -> Shape | None:
    """The launch template that environments are to use now."""
    wanted = wanted_template(desired, observed)
    if wanted is None:
        return None
    found = (each for each in observed.templates if each.get("LaunchTemplateName") == wanted[0])
    return next(found, None)


def plan_template(desired: Desired, observed: Observed) -> ImagePlan:
    """It is made if it is missing; what it has replaced goes when it is not used."""
    wanted = wanted_template(desired, observed)
    steps: list[Step[ImageCall]] = []
    missing = wanted is not None and template_in_use(desired, observed) is None
    if wanted is not None and missing and (kept_back := _kept_back(desired, observed, wanted[0])):
        return Plan(findings=kept_back)
    if wanted is not None and missing and (taken := _taken(desired, observed, wanted[0])):
        return Plan(findings=taken)
    if wanted is not None and missing and not key_faults(desired):
        name, data = wanted
        call = _create(desired, name, data)
        note = Finding(reasons.TEMPLATE_MADE, f"The launch template {name} was made.")
        steps.append(Step(call, lane="template", note=note, expects=TemplateShows(name)))
    known = desired.bake.needed or observed.base is not None
    for each in observed.templates if known and not steps else ():
        name, template = str(each["LaunchTemplateName"]), str(each["LaunchTemplateId"])
        keep = wanted is not None and name == wanted[0]
        if not keep and not {name, template} & observed.templates_used:
            steps.append(Step(delete_template(template), lane=f"template {template}"))
    return Plan(steps=tuple(steps), look_again_seconds=TEMPLATE_LOOK_SECONDS if steps else None)


def _kept_back(desired: Desired, observed: Observed, name: str) -> tuple[Finding, ...]:
    """Why none is made. One that has another content, because of another base, follows that."""
    terms = desired.terms
    there = {str(each["LaunchTemplateId"]) for each in observed.templates}
    follows = terms.taking_over or (
        bool(observed.shown_template) and observed.shown_template in there
    )
    plan = replace(terms, reports=terms.reports and not follows).nothing_made(
        f"launch template {name}"
    )
    return () if plan is None else plan.findings


def _taken(desired: Desired, observed: Observed, name: str) -> tuple[Finding, ...]:
    """Whose the template is that has the name.

    The name is made of the object's uid, so that it was mostly the object's own, and somebody has
    changed its tags since. Tags alone decide what is ours.
    """
    found = observed.foreign_template
    if found is None or found["LaunchTemplateName"] != name:
        return ()
    owner = owner_words(tags_by_key(found), desired.owner.cluster_id)
    of = f"is that of {owner} by its tags" if owner else "has no tags of this operator"
    tags = ", ".join(f"{key}={value}" for key, value in sorted(desired.owner.tags().items()))
    words = f"The launch template {name} ({found['LaunchTemplateId']}) {of}, so it is left alone."
    remedy = (
        f"Delete it if nothing uses it; or, if it is this object's, set its tags again ({tags}). "
        "This object then goes on by itself."
    )
    return (Finding(reasons.TEMPLATE_TAKEN, words, remedy),)


def _create(desired: Desired, name: str, data: Shape) -> ImageCall:
    request: dict[str, Any] = {
        "LaunchTemplateName": name,
        "LaunchTemplateData": data,
        "TagSpecifications": [
            tagged("launch-template", {**desired.tags.all, **desired.owner.tags()})
        ],
    }
    return ImageCall("ec2", "CreateLaunchTemplate", request)
