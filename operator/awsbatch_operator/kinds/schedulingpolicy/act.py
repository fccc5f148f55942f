"""The calls that a SchedulingPolicy makes."""

from typing import assert_never

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.schedulingpolicy.plan import Action, Create, Delete, Update
from awsbatch_operator.kinds.tagging import Tag, Untag, act_on_tags
from awsbatch_operator.schema.request import to_request


async def act_on_policy(batch: BatchPort, action: Action, scope: Scope) -> None:
    """One call, safe to repeat."""
    match action:
        case Create():
            await batch.create_scheduling_policy(scope, to_request(action.request))
        case Update():
            await batch.update_scheduling_policy(scope, to_request(action.request))
        case Delete():
            await batch.delete_scheduling_policy(scope, {"arn": action.arn})
        case Tag() | Untag():
            await act_on_tags(batch, action, scope)
        case never:
            assert_never(never)
