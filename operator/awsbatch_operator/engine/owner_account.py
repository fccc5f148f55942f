"""To which account an object's turns are counted, so that accounts are served fairly."""

from awsbatch_operator.api.metadata import RESOLVED, Resource
from awsbatch_operator.kube.encoding import decoded


def account_of(resource: Resource) -> str:
    """The AWS account id as far as it is known, else the AWSAccount's name, else "".

    What was recorded comes first: it stays true when the spec is edited. A damaged record is passed
    over here, and becomes a condition in the object's turn.
    """
    recorded = resource.annotations.get(RESOLVED)
    if recorded is not None:
        account = _account_id(recorded)
        if account:
            return account
    shown = resource.status.get("accountId")
    if shown:
        return str(shown)
    reference = resource.spec.get("accountRef") or {}
    return str(reference.get("name", ""))


def _account_id(recorded: str) -> str:
    try:
        body = decoded(recorded)
    except ValueError:
        return ""
    return str(body.get("accountId", "")) if isinstance(body, dict) else ""
