"""Tries a launch with EC2 without making it (DryRun), so that want of permission is told by name.

What is tried is what the launch will be made of: RunInstances with the content of the launch
template, and whether the calls around it are allowed. A fleet cannot be tried before its launch
template exists: EC2 looks for that first, and decides by its tags.
"""

import base64
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import capacity_reasons as reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.api.words import joined
from awsbatch_operator.aws.capacity_ports import Ec2Port
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.block_record import Reserve
from awsbatch_operator.capacity.faults import Extent, classify
from awsbatch_operator.capacity.launches import Intent
from awsbatch_operator.capacity.machines import Template, template
from awsbatch_operator.capacity.model import Market, Offer, Pool, Rung
from awsbatch_operator.capacity.resolved import Resolved
from awsbatch_operator.userdata.model import Refused, pool_path

ALLOWED_SECONDS = 1800.0
REFUSED_SECONDS = 300.0  # a person may mend it where we do not see it: in IAM
_KEPT = 2048
_TOKEN = "awsbatch-trial"  # noqa: S105  of a reservation that is never made
_RUN = "RunInstances"
_PROFILE = "instanceProfile"
# EC2 could not be asked, or did not say whether it would do it.
_NO_VERDICT = frozenset(
    {ErrorKind.THROTTLED, ErrorKind.TRANSIENT, ErrorKind.UNKNOWN, ErrorKind.CONFLICT}
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What EC2 has said, until when (monotonic seconds) it holds, and of which offer."""

    findings: tuple[Finding, ...]
    until: float
    offer: Offer


class Rehearsals:
    """What EC2 says to launches of pools. For one event loop."""

    def __init__(self, ec2: Ec2Port, clock: Clock) -> None:
        self._ec2 = ec2
        self._clock = clock
        self._known: OrderedDict[tuple[Scope, str, Market, bool], _Known] = OrderedDict()

    async def of(self, scope: Scope, owner: Owner, resolved: Resolved) -> tuple[Finding, ...]:
        """As Resolver.rehearsal."""
        pool, machine = resolved.pool, resolved.machine
        if machine is None or not resolved.offers:
            return ()
        offer = resolved.offers[0]
        about = resolved.types[offer.instance_type]
        made = template(owner, pool, machine, about=about, market=offer.market)
        if isinstance(made, Refused):
            return ()  # told by the plan
        key, now = (scope, made.content, offer.market, _reserves(pool)), self._clock.monotonic()
        known = self._known.get(key)
        # A refusal may be about the offer alone; what is allowed does not depend on it.
        holds = known is not None and now < known.until
        if known is not None and holds and (not known.findings or known.offer == offer):
            return known.findings
        found = await self._tried(scope, owner, pool, offer, made)
        if found is None:
            return ()
        until = now + (REFUSED_SECONDS if found else ALLOWED_SECONDS)
        self._known[key] = _Known(found, until, offer)
        self._known.move_to_end(key)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found

    async def _tried(
        self, scope: Scope, owner: Owner, pool: Pool, offer: Offer, made: Template
    ) -> tuple[Finding, ...] | None:
        """Why it would be refused; None: EC2 could not be asked about all of it."""
        found: list[Finding] = []
        calls = list(_trials(owner, pool, offer, made, self._clock.now()))
        try:
            if await self._ec2.launch_template(scope, made.name) is not None:
                calls.append(_fleet(owner, offer, made, self._clock.now()))
        except AwsError:
            pass  # a fleet then shows by itself what it lacks
        for operation, request in calls:
            try:
                await self._ec2.dry_run(scope, operation, request)
            except AwsError as error:
                if error.kind in _NO_VERDICT or error.obstacle is not None:
                    return None
                finding = _finding(pool, error)
                found += [] if finding is None else [finding]
        return tuple(dict.fromkeys(found))


def _finding(pool: Pool, error: AwsError) -> Finding | None:
    """What the answer means; None if it does not keep the launch from being made."""
    fault = classify(error.code, error.message)
    members = (fault.field,) if fault.field else ()
    path = pool_path(pool.name, *members)
    if error.kind is ErrorKind.DENIED:
        words, remedy = joined(f"{path}: {fault.message}"), fault.remedy
        if not members or fault.field == _PROFILE:  # permissions, not things that are not ours
            may_not = f"{path}: {error.identity} may not use {error.action}"
            words = joined(f"{may_not}, which {error.operation} needs", f"EC2: {fault.message}")
            remedy = _grant(error)
        return Finding(reasons.LAUNCH_DENIED, words, remedy)
    if error.operation != _RUN or fault.extent is not Extent.POOL:
        return None  # a name that is taken, capacity, a quota: the launch itself sees to that
    return Finding(reasons.POOL_REFUSED, joined(f"{path}: {fault.message}"), fault.remedy)


def _grant(error: AwsError) -> str:
    if error.action == "iam:PassRole":
        return f"Allow {error.identity} iam:PassRole on the role of instanceProfile, to EC2."
    return f"Grant {error.action} to {error.identity}; deploy/iam has the policy."


# --- requests; without client tokens, since nothing is made ---


def _reserves(pool: Pool) -> bool:
    """Whether the pool may make a capacity reservation."""
    return pool.spot_block is not None and Rung.NEW_RESERVATION in pool.spot_block.fallback


def _trials(
    owner: Owner, pool: Pool, offer: Offer, made: Template, now: Instant
) -> Iterator[tuple[str, Shape]]:
    yield _RUN, _run(offer, made)
    yield "CreateLaunchTemplate", made.request
    block = pool.spot_block
    if block is not None and _reserves(pool):
        end = now.plus(block.duration_seconds)
        wanted = Reserve(_TOKEN, offer.instance_type, offer.zone, block.instance_count, end)
        call = requests.reserve(owner, pool.name, wanted)
        yield call.operation, _untaken(call.request)


def _untaken(request: Shape) -> Shape:
    return {name: value for name, value in request.items() if name != "ClientToken"}


def _run(offer: Offer, made: Template) -> Shape:
    """The template's content in a request of its own; boto3 encodes the user data here."""
    data: dict[str, Any] = dict(made.request["LaunchTemplateData"])
    spot = offer.market is Market.SPOT
    data |= {
        "InstanceType": offer.instance_type,
        "SubnetId": offer.subnet,
        "MinCount": 1,
        "MaxCount": 1,
        "UserData": base64.b64decode(data["UserData"]),
    }
    if spot:
        data["InstanceMarketOptions"] = {"MarketType": "spot"}
    return data


def _fleet(owner: Owner, offer: Offer, made: Template, now: Instant) -> tuple[str, Shape]:
    intent = Intent(
        pool=offer.pool,
        token="",
        round=0,
        template=made.name,
        version=requests.VERSION,
        count=1,
        minimum=1,
        market=offer.market,
        offers=(offer,),
        time=now,
    )
    call = requests.launch(owner, intent, made.content, made.cluster)
    return call.operation, _untaken(call.request)
