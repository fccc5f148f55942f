"""IdentityPort on boto3's STS client."""

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.sender import Sender, Sent
from awsbatch_operator.aws.sessions import Identity


class IdentityAdapter:
    """STS through the Sender."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def caller(self, scope: Scope | None) -> Shape:
        if scope is not None:
            return await self._sender.call(scope, "sts:GetCallerIdentity", {})
        own = Sent(Identity(), "", self._sender.default_region())
        return await self._sender.call_as(own, "sts:GetCallerIdentity", {})

    async def assume(self, role_arn: str, external_id: str | None, region: str) -> str:
        own = Sent(Identity(), "", region or self._sender.default_region())
        request = self._sender.assume_request(Identity(role_arn, external_id))
        answer = await self._sender.call_as(own, "sts:AssumeRole", request)
        return str(answer["AssumedRoleUser"]["Arn"]).split(":")[4]
