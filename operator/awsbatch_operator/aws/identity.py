"""IdentityPort on boto3's STS client."""

import asyncio

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.sender import Sender, Sent
from awsbatch_operator.aws.sessions import Identity


class IdentityAdapter:
    """STS through the Sender. For one event loop.

    When the operator starts, all its objects ask at once who it is: whoever asks while the same
    question is under way shares the answer. It is not kept any longer.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._asked: dict[Scope | None, asyncio.Task[Shape]] = {}

    async def caller(self, scope: Scope | None) -> Shape:
        asked = self._asked.get(scope)
        if asked is None:
            asked = asyncio.get_running_loop().create_task(self._caller(scope))
            self._asked[scope] = asked
            asked.add_done_callback(lambda task: self._answered(scope, task))
        # Shielded: whoever gives up must not take the answer away from the others.
        return await asyncio.shield(asked)

    def _answered(self, scope: Scope | None, task: asyncio.Task[Shape]) -> None:
        del self._asked[scope]
        if not task.cancelled():
            task.exception()  # keeps asyncio from complaining when every caller has given up

    async def _caller(self, scope: Scope | None) -> Shape:
        if scope is not None:
            return await self._sender.call(scope, "sts:GetCallerIdentity", {})
        own = Sent(Identity(), "", self._sender.default_region())
        return await self._sender.call_as(own, "sts:GetCallerIdentity", {})

    async def assume(self, role_arn: str, external_id: str | None, region: str) -> str:
        own = Sent(Identity(), "", region or self._sender.default_region())
        request = self._sender.assume_request(Identity(role_arn, external_id))
        answer = await self._sender.call_as(own, "sts:AssumeRole", request)
        return str(answer["AssumedRoleUser"]["Arn"]).split(":")[4]
