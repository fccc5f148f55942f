"""The calls that a JobDefinition makes."""

from typing import assert_never

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.jobdefinition.observe import Observed, Revision
from awsbatch_operator.kinds.jobdefinition.plan import Action, Deregister, Register
from awsbatch_operator.kinds.tagging import Tag, Untag, act_on_tags
from awsbatch_operator.schema.request import to_request


async def act_on_definition(batch: BatchPort, action: Action, scope: Scope) -> Observed | None:
    """One call. What was registered is answered at once: AWS's listing may lag behind."""
    match action:
        case Register():
            answer = await batch.register_job_definition(scope, to_request(action.request))
            made = Revision(
                arn=str(answer["jobDefinitionArn"]),
                number=int(answer["revision"]),
                tags=action.request["tags"],
            )
            earlier = action.before.revisions if action.before is not None else ()
            return Observed((made, *earlier))
        case Deregister():
            await batch.deregister_job_definition(scope, {"jobDefinition": action.arn})
        case Tag() | Untag():
            await act_on_tags(batch, action, scope)
        case never:
            assert_never(never)
    return None
