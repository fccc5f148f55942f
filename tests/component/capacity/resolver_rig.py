"""A resolver over a simulated account, for one pool."""

import copy
from typing import Any

from tests.support.simulated_account import CLUSTER, ENVIRONMENT, Account
from tests.support.simulated_aws import http_session

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.capacity.resolved import Resolved
from awsbatch_operator.capacity.resolving import Resolver
from awsbatch_operator.capacity.wish import wish
from awsbatch_simulator.inprocess import InProcess

OWNER = Owner(CLUSTER, ENVIRONMENT, "uid-1")
ECS_CLUSTER = "arn:aws:ecs:eu-central-1:111122223333:cluster/env_Batch_1"
PROFILE = "arn:aws:iam::111122223333:instance-profile/ecsInstanceRole"
POOL = {
    "name": "main",
    "market": "OnDemand",
    "instanceTypes": ["m6i.large", "r6i.large"],
    "subnets": ["subnet-1", "subnet-2"],
    "securityGroupIds": ["sg-1"],
    "instanceProfile": PROFILE,
}


class Rig:
    """The account, and what a spec comes to in it."""

    def __init__(self, account: Account, loader: Any) -> None:
        self.account = account
        self._loader = loader
        self.clock = account.clock
        aws = account.aws
        self.resolver = Resolver(
            aws.ec2, aws.ssm, aws.prices, account.clock, cluster_id=CLUSTER, ecs_endpoint=""
        )

    async def resolve(self, body: Shape | None = None, /, **changes: Any) -> Resolved:
        """The pool with these changes; None takes a member away."""
        fresh = changes.pop("fresh", False)
        seen = changes.pop("seen_mib", {})
        made = {**(POOL if body is None else body), **changes}
        made = {name: value for name, value in made.items() if value is not None}
        [pool] = wish({"limits": {"maxInstances": 9}, "pools": [made]}).pools
        return await self.resolver.resolve(
            self.account.scope,
            OWNER,
            ECS_CLUSTER,
            pool,
            copy.deepcopy(made),
            seen_mib=seen,
            fresh=fresh,
        )

    async def rehearsal(self, resolved: Resolved) -> list[tuple[str, str]]:
        found = await self.resolver.rehearsal(self.account.scope, OWNER, resolved)
        return [(each.reason.name, each.text()) for each in found]

    def client(self, service: str = "ec2") -> Any:
        """A client of somebody else's in the same account."""
        session = http_session(self.account.simulator, self._loader)
        InProcess(self.account.simulator).connect(session)
        return session.client(service)

    def count(self, operation: str = "*", service: str = "ec2") -> int:
        return self.account.simulator.dispatcher.calls.count(service, operation)


def told(resolved: Resolved) -> list[tuple[str, str]]:
    """Reason and text of each finding."""
    return [(each.reason.name, each.text()) for each in resolved.findings]
