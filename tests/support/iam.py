"""What a policy document says of an action on a resource, as the simulator judges it."""

from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.iam.policy import Decision, Need, judge, statements_of


def allows(
    document: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether the policy allows the action on the resource, with these condition keys."""
    keys = {name.lower(): value for name, value in context.items()}
    judgement = judge(statements_of(document), Need(action, resource, keys))
    return judgement.decision is Decision.ALLOWED
