"""What is written into an object before AWS is touched: where it lives, for ever.

One annotation, in the same guarded write as the finalizer. A process that dies between that write
and the call to AWS leaves an object of which everybody knows where to look.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import RESOLVED, RecordError, Resource
from awsbatch_operator.api.references import DEFAULT_ACCOUNT
from awsbatch_operator.api.scope import Origin, ScopeRecord

_FIELDS: Mapping[str, str] = {
    "accountId": "account_id",
    "region": "region",
    "awsName": "aws_name",
}
_NAMES: Mapping[str, str] = {"current": "current", "successor": "successor"}  # while replaced


_READ = 4096  # texts whose reading is kept: a turn reads the same one several times
_CREATED = Origin.CREATED.value
_ORIGINS = frozenset(origin.value for origin in Origin)


def unreadable(error: RecordError) -> Finding:
    """What a damaged record means for the object: nothing is guessed."""
    return Finding(catalogue.INVALID_RECORD, str(error), error.remedy)


def recorded_in(resource: Resource) -> ScopeRecord | None:
    """What the object was resolved to first; None if nothing was recorded.

    A lost annotation is made up for by the status, which carries the same. RecordError if the
    annotation was edited into something else.
    """
    text = resource.annotations.get(RESOLVED)
    if text is None:
        return _from_status(resource)
    return _read(text)


@lru_cache(maxsize=_READ)
def _read(text: str) -> ScopeRecord:
    body = _parsed(text)
    if any(not isinstance(body.get(field), str) for field in _FIELDS):
        raise RecordError(f"{RESOLVED}: {text[:200]!r} lacks one of {', '.join(_FIELDS)}")
    found = {name: str(body[field]) for field, name in _FIELDS.items()}
    found |= {name: str(body.get(field, "")) for field, name in _NAMES.items()}
    account, before = body.get("account"), body.get("predecessors", ())
    if account is not None and not isinstance(account, str):
        raise RecordError(f"{RESOLVED}: {text[:200]!r} has no sound account")
    origin = str(body.get("origin", _CREATED))
    if not isinstance(before, list | tuple) or origin not in _ORIGINS:
        raise RecordError(f"{RESOLVED}: {text[:200]!r} has no sound origin or predecessors")
    return ScopeRecord(
        account=account,
        **found,
        origin=Origin(origin),
        predecessors=tuple(str(name) for name in before),
    )


def account_is_fixed(resource: Resource) -> bool:
    """Whether the API server keeps spec.accountRef as it is: of a BatchJob once it is submitted."""
    return resource.key.kind != "BatchJob" or "run" in resource.status


def recorded_account(resource: Resource) -> str:
    """The AWSAccount that the annotation names, if the spec names another one by now; else "".

    Only a BatchJob's can be changed. Most texts need not be read for that, and there may be a
    hundred thousand of them.
    """
    text = resource.annotations.get(RESOLVED)
    if text is None or resource.key.kind != "BatchJob":
        return ""
    named = (resource.spec.get("accountRef") or {}).get("name", DEFAULT_ACCOUNT)
    if f'"account":"{named}"' in text or '"account":""' in text:
        return ""
    try:
        return _read(text).account or ""
    except RecordError:
        return ""


def recorded_time(resource: Resource) -> Instant:
    """When the scope was recorded; the object's creation if that is not known."""
    try:
        return Instant.parse(str(_parsed(resource.annotations.get(RESOLVED, "{}"))["time"]))
    except (RecordError, KeyError, ValueError):
        return resource.created


def annotation(recorded: ScopeRecord, now: Instant) -> dict[str, str]:
    """The annotation that records it; what is as usual, or not known, is left out of it.

    An account that is known by its number only stays so. Written as "", it would be the operator's
    own identity from then on, which may lead to another account.
    """
    known = {} if recorded.account is None else {"account": recorded.account}
    body: dict[str, object] = {
        **known,
        **{field: getattr(recorded, name) for field, name in _FIELDS.items()},
    }
    if recorded.origin is not Origin.CREATED:
        body["origin"] = recorded.origin.value
    body |= {
        field: getattr(recorded, name) for field, name in _NAMES.items() if getattr(recorded, name)
    }
    if recorded.predecessors:
        body["predecessors"] = list(recorded.predecessors)
    return {RESOLVED: json.dumps(body | {"time": now.rfc3339()}, separators=(",", ":"))}


def _parsed(text: str) -> Mapping[str, object]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{RESOLVED}: {text[:200]!r} is not JSON") from error
    if not isinstance(body, dict):
        raise RecordError(f"{RESOLVED}: {text[:200]!r} is not a JSON object")
    return body


def _from_status(resource: Resource) -> ScopeRecord | None:
    """What the status shows of it: the account by its number only, and of a job no AWS name.

    The name is the one that serves, which is not the first if a replacement has given it.
    """
    status = resource.status
    # `kubectl replace` takes the finalizer away, too; what stands in AWS stays where it is.
    in_aws = resource.held or bool({"arn", "jobId"} & status.keys())
    if not in_aws or not {"accountId", "region"} <= status.keys():
        return None
    reference = (resource.spec.get("accountRef") or {}) if account_is_fixed(resource) else {}
    return ScopeRecord(
        account=str(reference["name"]) if "name" in reference else None,
        account_id=str(status["accountId"]),
        region=str(status["region"]),
        aws_name="",
        current=str(status.get("awsName", "")),
        origin=_origin_shown(resource),
    )


def _origin_shown(resource: Resource) -> Origin:
    """The origin, as far as the effective deletion policy tells it: unset, it follows the origin.

    Where the spec sets one, or has just ceased to, it may be wrong. What was adopted must not be
    removed by mistake, so in doubt the AWS object stays, and an event says so. A job is never
    adopted.
    """
    unset = resource.spec.get("deletionPolicy") is None and "jobId" not in resource.status
    retained = resource.status.get("deletionPolicy") == "Retain"
    return Origin.ADOPTED if unset and retained else Origin.CREATED


def retains(resource: Resource, *, scoped: bool) -> bool:
    """Whether a deletion leaves AWS as it is.

    Unset, the policy is to remove what we made and to keep what we took over; an object that is not
    `scoped` has nothing in AWS.
    """
    policy = resource.spec.get("deletionPolicy")
    if policy is not None or not scoped:
        return bool(policy == "Retain")
    try:
        recorded = recorded_in(resource)
    except RecordError:
        return False  # said by the gate that needs it
    return recorded is not None and recorded.origin is Origin.ADOPTED
