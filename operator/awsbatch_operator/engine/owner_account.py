"""To which account an object's turns are counted, so that accounts are served fairly."""

import zlib

from awsbatch_operator.api.encoding import decoded
from awsbatch_operator.api.metadata import RESOLVED, Resource

GROUPS = 8  # into which accounts fall that only the user's own words name


def account_of(resource: Resource) -> str:
    """The AWS account that the status shows; else a group of those that the object names.

    The status is the operator's own word. The record and the spec are what whoever owns the object
    wrote: with a share of the turns for each invented name, ten thousand objects of one team would
    have ten thousand shares. So names that nobody has verified fall into a few groups. A damaged
    record is passed over here, and becomes a condition in the object's turn.
    """
    shown = resource.status.get("accountId")
    if shown:
        return str(shown)
    recorded = resource.annotations.get(RESOLVED)
    named = _account_id(recorded) if recorded is not None else ""
    named = named or str((resource.spec.get("accountRef") or {}).get("name", ""))
    number = zlib.crc32(named.encode(errors="replace"))  # JSON can say half of a character
    return f"group {number % GROUPS}" if named else ""


def _account_id(recorded: str) -> str:
    try:
        body = decoded(recorded)
    except ValueError:
        return ""
    named = body.get("accountId") if isinstance(body, dict) else None
    return named if isinstance(named, str) else ""
