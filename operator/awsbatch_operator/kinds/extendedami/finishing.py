"""The end of an attempt: what is left over goes, and then the record calls it clean (pure)."""

from dataclasses import replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.extendedami import choosing
from awsbatch_operator.kinds.extendedami.attempts import WATCH_SECONDS, Case, ImagePlan
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.observed import Image, Observed
from awsbatch_operator.kinds.extendedami.record import Build, Stage
from awsbatch_operator.kinds.extendedami.retiring import (
    CLEAN_LOOK_SECONDS,
    cleaning,
    without_cluster,
)


def cleaned(
    desired: Desired,
    case: Case | None,
    observed: Observed,
    main: ImagePlan,
    now: Instant,
    *,
    active: bool,
) -> ImagePlan:
    """What is left over goes; and once nothing is, the record says so."""
    found = cleaning(case, observed, active=active)
    record, steps = None if case is None else case.record, found.steps
    if case is None or record is None:
        if steps or found.wait or not observed.looked or main.steps or main.record:
            return Plan(steps=steps, look_again_seconds=WATCH_SECONDS if steps else None)
        return _found_again(desired, observed, now)
    if record.under_way and active:
        return Plan(steps=steps, look_again_seconds=WATCH_SECONDS if steps else None)
    if record.clean and not steps:
        return Plan()
    if steps or found.wait or not observed.looked:
        return Plan(steps=steps, look_again_seconds=CLEAN_LOOK_SECONDS)
    return _finished(case, main)


def _found_again(desired: Desired, observed: Observed, now: Instant) -> ImagePlan:
    """The record was lost, and an image is there: it is written anew, so that nobody looks on."""
    used = choosing.in_use(desired, observed)
    if used is None:
        return Plan()
    record = Build(
        uid=desired.owner.uid,
        build=used.build,
        content=used.content,
        base=used.base,
        source=used.source,
        attempt=max(used.attempt, 1),
        first=max(used.attempt, 1),
        mark=observed.mark,
        stage=Stage.DONE,
        started=used.created,
        since=now,
        image=used.id,
        rolled_out=used.id if _is_drift(desired, observed, used) else "",
        clean=True,
    )
    return Plan(record=record.annotation())


def _is_drift(desired: Desired, observed: Observed, used: Image) -> bool:
    """Whether all that follows from the image was done before, or by somebody else."""
    terms = desired.terms
    return terms.reports and (terms.taking_over or observed.shown == used.id)


def _finished(case: Case, main: ImagePlan) -> ImagePlan:
    """Nothing is left: neither is the cluster of the tests."""
    record = case.record
    failure = record.failure
    held = failure is not None and failure.kept and case.machine is not None and case.machine.costs
    if held or main.steps or main.record:
        return Plan()
    if not case.settled:
        return Plan(look_again_seconds=case.observed.look_in(case.settles_in))
    steps = without_cluster(case.observed, case.desired.owner)
    if steps:
        return Plan(steps=steps, look_again_seconds=CLEAN_LOOK_SECONDS)
    stage = Stage.DONE if record.under_way else record.stage
    image = "" if record.under_way else record.image
    over = replace(record, stage=stage, image=image, clean=True)
    return Plan(record=over.annotation())
