"""AWS's service models, read once and before they are needed, and answers read without them.

botocore reads the models of a service when its first client is made: half a megabyte of JSON, four
of EC2, in which no other thread of the process gets on. So they are read before there is an event
loop. All together take 0.3 s and 35 MiB, of which EC2's are 0.2 s and 14 MiB.

botocore's parser then walks each answer along the model, member by member. Where that changes
nothing (all members have their own names, nothing is a time or bytes), orjson alone reads the same
in a tenth of the time. Which answers these are is written down here, and held against the model by
a test.
"""

from collections.abc import Mapping
from typing import Any

from botocore.loaders import Loader, create_loader
from botocore.parsers import JSONParser, ResponseParserFactory, RestJSONParser

from awsbatch_operator.api.encoding import decoded
from awsbatch_operator.aws.call_table import CALLS

# By the names of their shapes; those that come in a large number.
PLAIN = frozenset(
    {"DescribeJobsResponse", "GetLogEventsResponse", "ListJobsResponse", "SubmitJobResponse"}
)
_OF_SERVICES = ("service-2", "endpoint-rule-set-1")
_OF_ALL = ("endpoints", "partitions", "sdk-default-configuration")


def service_models() -> Loader:
    """A loader that has read already what the clients of our services need. Takes a while."""
    loader = create_loader()
    for service in sorted({call.service for call in CALLS}):
        for name in _OF_SERVICES:
            # As its clients ask for it: another spelling of the same would be read once more.
            loader.load_service_model(service, name, api_version=None)
    for name in _OF_ALL:
        loader.load_data(name)
    return loader


class Parsers(ResponseParserFactory):  # type: ignore[misc]  # botocore has no types
    """Makes botocore's parsers, with the shorter way for plain answers."""

    def create_parser(self, protocol_name: str) -> Any:
        made = _BY_PROTOCOL.get(protocol_name)
        return made(**self._defaults) if made else super().create_parser(protocol_name)


class _Plain:
    """A parser's way around the model, where that is the same."""

    def _do_parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        read = _plain(response["body"], shape) if shape is not None else None
        # Of no class here: each of the classes below has another one behind this.
        return read or super()._do_parse(response, shape)  # type: ignore[misc]


def _plain(body: bytes, shape: Any) -> dict[str, Any] | None:
    """The answer; None if only the model tells what it says.

    Members that are null count as absent, and those that the model does not know are not passed
    on: whoever compares answers must not see what a newer AWS sends from time to time.
    """
    if shape.name not in PLAIN or b"null" in body:
        return None
    try:
        read = decoded(body)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    known = shape.members
    answer = {name: _items(value, known[name]) for name, value in read.items() if name in known}
    return {**answer, "ResponseMetadata": {}}


def _items(value: Any, shape: Any) -> Any:
    if shape.type_name != "list" or shape.member.type_name != "structure":
        return value
    known = shape.member.members.keys()
    return [
        item if known >= item.keys() else {name: item[name] for name in item.keys() & known}
        for item in value
    ]


class _RestJson(_Plain, RestJSONParser):  # type: ignore[misc]  # botocore has no types
    pass


class _Json(_Plain, JSONParser):  # type: ignore[misc]  # botocore has no types
    pass


_BY_PROTOCOL = {"rest-json": _RestJson, "json": _Json}
