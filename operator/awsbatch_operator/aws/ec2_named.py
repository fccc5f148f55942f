"""What EC2 has of the things that specs name: launch templates and placement groups.

All that is named in an account and region is read together, by a call for each kind of thing, so
that many objects at rest cost no more calls than one.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.names import BY_ID, BY_NAME
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.coalescing import Fetch
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.instances import TAGS_AT_ONCE, in_plain_values, members_of
from awsbatch_operator.aws.kept import WHOLE, Kept, by_account
from awsbatch_operator.aws.sender import Sender

_KEPT_SECONDS = 600.0
_ASKED_SECONDS = 1800.0  # a name that nobody has asked for since is read no more
_SCOPES = 64
_NAMES = 2000  # of one scope that are read together; more would be somebody's mistake
_TEMPLATE = ("LaunchTemplateId", "DefaultVersionNumber", "LatestVersionNumber", "Tags")
_GROUP = ("GroupId", "GroupName", "State", "Strategy", "Tags")


class Together:
    """Things by name: all that were asked for lately in an account and region, in one reading."""

    def __init__(self, read: Fetch[Shape], clock: Clock) -> None:
        self._read = read
        self._clock = clock
        # When each name was last asked for, in monotonic seconds; the newest last.
        self._asked: dict[Hashable, OrderedDict[str, float]] = {}
        self._kept: Kept[Mapping[str, Shape | None]] = Kept(
            self._all, clock, seconds=_KEPT_SECONDS, most=_SCOPES
        )

    async def get(
        self, scope: Scope, names: Collection[str], *, fresh: bool = False
    ) -> Mapping[str, Shape]:
        """The things by name; what is not there is left out. Raises AwsError, NoTokenError."""
        if not names:
            return {}
        asked = self._asked.setdefault(by_account(scope), OrderedDict())
        for name in names:
            asked[name] = self._clock.monotonic()
            asked.move_to_end(name)
        found = await self._kept.whole(scope, fresh=fresh) or {}
        if not found.keys() >= set(names):  # it was read before anybody asked for all of them
            found = await self._kept.whole(scope, fresh=True) or {}
        told = ((name, found.get(name)) for name in names)
        return {name: detail for name, detail in told if detail is not None}

    def forget(self, scope: Scope) -> None:
        """We have changed one of them: what EC2 said until now is old."""
        self._kept.forget(scope)

    async def _all(
        self, scope: Scope, _: Sequence[str]
    ) -> Mapping[str, Mapping[str, Shape | None]]:
        asked = self._asked[by_account(scope)]
        oldest = self._clock.monotonic() - _ASKED_SECONDS
        while asked and (len(asked) > _NAMES or next(iter(asked.values())) < oldest):
            asked.popitem(last=False)
        names = sorted(asked)
        found = await self._read(scope, names)
        return {WHOLE: {name: found.get(name) for name in names}}


class NamedThings:
    """Launch templates and placement groups, kept for ten minutes. For one event loop."""

    def __init__(self, sender: Sender, clock: Clock) -> None:
        self._sender = sender
        self.templates = Together(self._read_templates, clock)
        self.groups = Together(self._read_groups, clock)

    def changed(self, scope: Scope, operation: str) -> None:
        """We have made or ended something by that operation, or may have."""
        if operation.endswith("PlacementGroup"):
            self.groups.forget(scope)
        if operation.endswith("LaunchTemplate"):
            self.templates.forget(scope)

    async def _read_templates(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Shape]:
        """By name with a filter, which leaves out what is not there; by id EC2 has no filter."""
        found: dict[str, Shape] = {}
        for some in _in_parts(_without(BY_NAME, names)):
            filters = [{"Name": "launch-template-name", "Values": some}]
            for each in await self._templates(scope, {"Filters": filters}):
                found[f"{BY_NAME}{each['LaunchTemplateName']}"] = members_of(each, _TEMPLATE)
        for some in _in_parts(_without(BY_ID, names)):
            for each in await self._templates_by_id(scope, some):
                found[f"{BY_ID}{each['LaunchTemplateId']}"] = members_of(each, _TEMPLATE)
        return found

    async def _templates_by_id(self, scope: Scope, ids: list[str]) -> list[Shape]:
        """EC2 answers nothing if one of them is not there, and says which."""
        while ids:
            try:
                return await self._templates(scope, {"LaunchTemplateIds": ids})
            except AwsError as error:
                said = set(re.findall(r"lt-\w+", error.message))
                kept = [each for each in ids if each not in said]
                absent = error.kind in {ErrorKind.NOT_FOUND, ErrorKind.INVALID}
                if not absent or kept == ids:
                    raise
                ids = kept
        return []

    async def _templates(self, scope: Scope, request: Shape) -> list[Shape]:
        call, member = "ec2:DescribeLaunchTemplates", "LaunchTemplates"
        pages = self._sender.pages(scope, call, request, member)
        return [in_plain_values(each) async for page in pages for each in page]

    async def _read_groups(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Shape]:
        call = "ec2:DescribePlacementGroups"
        found: dict[str, Shape] = {}
        for some in _in_parts(names):
            request = {"Filters": [{"Name": "group-name", "Values": some}]}
            answer = await self._sender.call(scope, call, request)
            for each in self._sender.member(scope, call, answer, "PlacementGroups"):
                if each.get("State") != "deleted":  # EC2 may show one for a moment after its end
                    found[str(each["GroupName"])] = members_of(each, _GROUP)
        return found


def _without(prefix: str, names: Sequence[str]) -> Sequence[str]:
    return [name.removeprefix(prefix) for name in names if name.startswith(prefix)]


def _in_parts(names: Sequence[str]) -> Iterator[list[str]]:
    """As many as one filter takes, again and again."""
    for at in range(0, len(names), TAGS_AT_ONCE):
        yield list(names[at : at + TAGS_AT_ONCE])
