"""What keeps a replica from its work, in words that name the remedy: for /readyz and the log.

A replica is not ready while it cannot read its lease, or has not found its kinds served. The one
that leads is not, either, while rights in the cluster are missing, or while AWS lets it do nothing
at all: somebody looks there, where objects would only wait. One that stands by is ready else, or no
rolling update of two replicas would ever come to its end. Single objects tell of their own trouble.
"""

from collections.abc import Callable

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import LeaseLostError, NoTokenError
from awsbatch_operator.aws.connect import Aws
from awsbatch_operator.aws.errors import AwsError, Obstacle
from awsbatch_operator.kinds import outcomes

LOOK_SECONDS = 5.0
ASK_SECONDS = 30.0  # until AWS is asked again who we are, while it does not say

Trouble = Callable[[], str | None]
"""What is wrong, in words for a person; None if nothing is. Must answer at once."""

_log = structlog.get_logger(__name__)


class Readiness:
    """For one event loop. `told` logs what begins and what is over, until cancelled."""

    def __init__(self, clock: Clock, **parts: Trouble) -> None:
        self._clock = clock
        self._parts = parts
        self._said = ""

    def ask(self, **parts: Trouble) -> None:
        """Ask these parts, too, from now on; in place of earlier ones of the same names."""
        self._parts |= parts

    def not_ready(self) -> str | None:
        """What is wrong, a line for each part; None if nothing is."""
        return "\n".join(filter(None, (part() for part in self._parts.values()))) or None

    async def told(self) -> None:
        """Log what keeps us from work, once each time that it differs, and that it is over."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            words = self.not_ready() or ""
            if words and words != self._said:
                _log.warning("not ready", why=words)
            elif self._said and not words:
                _log.info("ready again")
            self._said = words


def trouble_with_aws(aws: Aws) -> str | None:
    """Why AWS lets the operator do nothing, and what helps; None if it does, or was not asked."""
    error = aws.sender.standing.trouble
    if error is None:
        return None
    words = outcomes.finding(error).text()
    return words if error.obstacle else f"AWS has refused all that it was asked so far. {words}"


async def introduced(aws: Aws, clock: Clock) -> None:
    """Ask AWS who we are, until it says so: whoever installs us need not make an object for that.

    Without a region there is nobody to ask; then the first object tells.
    """
    while True:
        try:
            caller = await aws.identity.caller(None)
        except (AwsError, NoTokenError, LeaseLostError) as error:
            if isinstance(error, AwsError) and error.obstacle is Obstacle.REGION:
                return
        else:
            _log.info("known to AWS", account=caller["Account"], identity=caller["Arn"])
            return
        await clock.sleep(ASK_SECONDS)
