"""What differs because the spec follows something: a newer version, a newer image (pure).

Nobody has changed AWS for it, so it is no drift: `launchTemplateVersions: Track`,
`imageUpdates: Track` and `amiRef` say that it is to be taken over whenever it comes. With
`driftPolicy: Report` that is all that is still changed once a generation was reached; what somebody
has changed by hand stays as it is.

Which of the two a difference of the launch template is, the recorded numbers tell: they are what
AWS was last sent. What AWS shows otherwise than that, somebody else has changed. Only while an
update of ours is recorded whose end nobody has seen, AWS may show what it had before: a process may
have died between the record and the call.
"""

from dataclasses import replace

from awsbatch_operator.kinds.computeenvironment.changes import (
    Change,
    Differences,
    compare,
    of_fields,
)
from awsbatch_operator.kinds.computeenvironment.desired import Desired
from awsbatch_operator.kinds.computeenvironment.members import (
    IMAGE_UPDATE,
    TEMPLATE,
    resources_of,
    under,
)
from awsbatch_operator.kinds.computeenvironment.observed import Observed


def followed(desired: Desired, observed: Observed, found: Differences) -> Differences:
    """Those of the differences that came about because the spec follows something."""
    fields = [
        path for path in found.beyond if path == IMAGE_UPDATE and not _left(desired, observed)
    ]
    templates = [path for path in found.beyond if under(path, (TEMPLATE,))]
    if templates and desired.tracks_templates and _is_as_sent(desired, observed):
        fields += templates
    fields += [path for path in found.beyond if _brought(desired, observed, path)]
    return of_fields(fields, desired, observed)


def acted_upon(desired: Desired, observed: Observed, found: Differences) -> Differences:
    """Those of the differences for which AWS is changed.

    With driftPolicy Report a new environment would be made as the spec says, and what somebody has
    changed in the old one would be gone: where there is any of that, all of it is only told.
    """
    if not desired.terms.reports:
        return found
    kept = followed(desired, observed, found)
    others = set(found.fields) - set(kept.fields)
    return Differences() if kept.change is Change.REPLACEMENT and others else kept


def _brought(desired: Desired, observed: Observed, path: str) -> bool:
    """Whether AWS has there what an ExtendedAMI gave before it gave what is wanted now."""
    wanted, have = resources_of(desired.content), resources_of(observed.content)
    if desired.terms.taking_over:
        return False
    return desired.given.brought(path, wanted, have, observed.given_templates)


def _left(desired: Desired, observed: Observed) -> bool:
    """Whether AWS had announced the image before the environment was taken over."""
    recorded = desired.update.is_of(observed.mark) and desired.update.left
    return desired.terms.taking_over or (desired.terms.reports and recorded)


def _is_as_sent(desired: Desired, observed: Observed) -> bool:
    """Whether AWS has the launch template that it was last sent."""
    if desired.update.is_of(observed.mark) and desired.update.concerns((TEMPLATE,)):
        return True
    if desired.as_recorded is None:
        return False
    before = compare(replace(desired, content=desired.as_recorded), observed)
    return not any(under(path, (TEMPLATE,)) for path in before.fields)
