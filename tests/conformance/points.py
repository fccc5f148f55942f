"""What every kind is held to, and which kinds a point cannot apply to, with the reason."""

from collections.abc import Mapping
from enum import Enum

from tests.conformance.image_subject import IMAGE
from tests.conformance.subject import Subject
from tests.conformance.subjects import ACCOUNT, DEFINITION, FARGATE, JOB, POLICY, QUEUE, UNMANAGED


class Point(Enum):
    """The contract of every kind; for a job, Complete stands for Ready."""

    CREATED = "created: Ready for its generation, by one call"
    AT_REST = "at rest: a resync or a restart writes nothing"
    EDITED = "an edit takes exactly the calls that it needs"
    INFRASTRUCTURE = "an infrastructure update is one announced call"
    REPLACED = "replaced: first the new one, then the old one goes"
    DRIFT = "drift is repaired within five minutes"
    DRIFT_TOLD = "a repaired drift is told as such"
    DRIFT_REPORTED = "driftPolicy Report lists it and changes nothing"
    KILLED = "killed after each call: one object, nothing left"
    GONE = "a deletion waits until AWS has nothing of it"
    RETAINED = "deletionPolicy Retain leaves AWS as it is"
    ADOPTED = "adopted where allowed, and not changed by that"
    ADOPTED_ONLY = "adoptionPolicy Adopt never makes anything"
    REBUILT = "a cluster rebuilt from Git owns it again"
    SECOND_OWNER = "a second owner is refused, naming the first"
    ANY_ORDER = "applied in any order with all that it refers to"
    BAD_INPUT = "bad input is refused at apply, naming the field"
    HEALS = "a terminal reason heals when AWS is mended"
    THROTTLED = "throttled for long: few calls, no duplicate"
    PAUSED = "paused: nothing is changed; caught up afterwards"
    LOOKED_AT = "a new reconcile-at looks at AWS at once"
    TAGGED = "tags change in place; foreign ones stay"
    STEADY_TIMES = "lastTransitionTime moves only with a flip"
    TOLD = "every failure has a reason and a Warning event"
    KUBECTL_WAIT = "kubectl wait: newest generation, and deletion"
    SELECTED = "kubectl get --field-selector finds it"
    KSTATUS = "kstatus judges each status as documented"
    ARGO_CD = "Argo CD's script judges each status as documented"
    LEADER_CHANGE = "another leader: nothing twice, nothing forgotten"
    STAYS_WHERE_IT_IS = "another account or region is refused, no call"
    NOT_ALLOWED = "not allowed by its account: no call"


Cell = tuple[Subject, Point]


def _cells(reason: str, point: Point, *subjects: Subject) -> dict[Cell, str]:
    return {(subject, point): reason for subject in subjects}


_NO_AWS_OBJECT = "an AWSAccount makes nothing in AWS; it says how to get there"
_JOBS_END = "what becomes of a job in AWS is its result, and is never undone"
_NOT_ENVIRONMENTS = (QUEUE, DEFINITION, POLICY, JOB, ACCOUNT)

NOT_APPLICABLE: Mapping[Cell, str] = {
    **_cells(
        "only a compute environment of EC2 has instances that AWS can exchange",
        Point.INFRASTRUCTURE,
        FARGATE,
        UNMANAGED,
        IMAGE,
        *_NOT_ENVIRONMENTS,
    ),
    **_cells(
        "its instances stay in the cluster that they have joined: the change is refused",
        Point.REPLACED,
        UNMANAGED,
    ),
    **_cells(
        "AWS changes all of it in place, or never: then the change is refused with the way out",
        Point.REPLACED,
        *_NOT_ENVIRONMENTS,
    ),
    **{(JOB, point): _JOBS_END for point in (Point.DRIFT, Point.DRIFT_TOLD, Point.DRIFT_REPORTED)},
    **_cells(
        "the name of a job is made of its object's uid, so no other one can have it",
        Point.SECOND_OWNER,
        JOB,
    ),
    **_cells(
        "the name of an image is made of its object and its build, so no other one can have it",
        Point.SECOND_OWNER,
        IMAGE,
    ),
    **_cells(
        "the object of a rebuilt cluster is another one, and its job another job",
        Point.REBUILT,
        JOB,
    ),
    **{
        (JOB, point): "a job that runs elsewhere was not submitted by us, and is not taken over"
        for point in (Point.ADOPTED, Point.ADOPTED_ONLY)
    },
    **{
        (ACCOUNT, point): _NO_AWS_OBJECT
        for point in (
            *(Point.DRIFT, Point.DRIFT_TOLD, Point.DRIFT_REPORTED, Point.RETAINED),
            *(Point.ADOPTED, Point.ADOPTED_ONLY, Point.REBUILT, Point.SECOND_OWNER, Point.TAGGED),
        )
    },
    **{
        (ACCOUNT, point): "an AWSAccount lives in no account: it is what the others live in"
        for point in (Point.ANY_ORDER, Point.STAYS_WHERE_IT_IS, Point.NOT_ALLOWED)
    },
    **_cells(
        "its CRD has no selectable fields: people look for it by name or by label",
        Point.SELECTED,
        DEFINITION,
        POLICY,
        ACCOUNT,
    ),
}
