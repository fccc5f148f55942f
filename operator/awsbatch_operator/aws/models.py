"""AWS's service models, read once and before they are needed, and answers read without them.

botocore reads the models of a service when its first client is made: half a megabyte of JSON, four
of EC2, in which no other thread of the process gets on. So they are read before there is an event
loop. All together take 0.3 s and 35 MiB, of which EC2's are 0.2 s and 14 MiB.

botocore's parser then walks each answer along the model, member by member. Where that changes
nothing (all members have their own names, nothing is a time or bytes), msgspec alone reads the
same in a tenth of the time. Which answers these are is written down here, and held against the
model by a test.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any, TypedDict

import msgspec
from botocore.loaders import Loader, create_loader
from botocore.parsers import JSONParser, ResponseParserFactory, RestJSONParser

from awsbatch_operator.aws.call_table import CALLS

# By the names of their shapes; those that come in a large number.
PLAIN = frozenset(
    {"DescribeJobsResponse", "GetLogEventsResponse", "ListJobsResponse", "SubmitJobResponse"}
)
_TYPES: Mapping[str, Any] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": int | float,
    "double": int | float,
}
_OF_SERVICES = ("service-2", "endpoint-rule-set-1")
_OF_ALL = ("endpoints", "partitions", "sdk-default-configuration")


def service_models(without: Collection[str] = ()) -> Loader:
    """A loader that has read already what the clients of our services need. Takes a while.

    `without`: services that this installation does not use.
    """
    loader = create_loader()
    for service in sorted({call.service for call in CALLS}.difference(without)):
        for name in _OF_SERVICES:
            # As its clients ask for it: another spelling of the same would be read once more.
            loader.load_service_model(service, name, api_version=None)
    for name in _OF_ALL:
        loader.load_data(name)
    return loader


class Parsers(ResponseParserFactory):  # type: ignore[misc]  # botocore has no types
    """Botocore's parsers, with the shorter way for plain answers; each is made once.

    A client asks for one at each answer. They hold no state, and each has a part that refers to
    it, so that only the garbage collector would free it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, Any] = {}

    def set_parser_defaults(self, **defaults: Any) -> None:
        super().set_parser_defaults(**defaults)
        self._made.clear()

    def create_parser(self, protocol_name: str) -> Any:
        if protocol_name not in self._made:
            self._made[protocol_name] = self._new(protocol_name)
        return self._made[protocol_name]

    def _new(self, protocol_name: str) -> Any:
        made = _BY_PROTOCOL.get(protocol_name)
        return made(**self._defaults) if made else super().create_parser(protocol_name)


class _Plain:
    """A parser's way around the model, where that is the same."""

    def _do_parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        read = _plain(response["body"], shape) if shape is not None else None
        # Of no class here: each of the classes below has another one behind this.
        return read or super()._do_parse(response, shape)  # type: ignore[misc]


def _plain(body: bytes, shape: Any) -> dict[str, Any] | None:
    """The answer; None if only the model tells what it says, as of a member that is null.

    Members that the model does not know are not passed on, at any depth: whoever compares answers
    must not see what a newer AWS sends now and then.
    """
    if shape.name not in PLAIN:
        return None
    try:
        read = _decoder(shape).decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return {**read, "ResponseMetadata": {}}


@lru_cache(maxsize=64)  # a client has shapes of its own
def _decoder(shape: Any) -> msgspec.json.Decoder[dict[str, Any]]:
    return msgspec.json.Decoder(_type_of(shape))


def _type_of(shape: Any) -> Any:
    """The Python type that holds what botocore makes of a shape."""
    match shape.type_name:
        case "structure":
            members = {name: _type_of(member) for name, member in shape.members.items()}
            return TypedDict(shape.name, members, total=False)  # type: ignore[operator]
        case "list":
            return list[_type_of(shape.member)]  # type: ignore[misc]
        case "map":
            return dict[str, _type_of(shape.value)]  # type: ignore[misc]
        case name:
            return _TYPES[name]


class _RestJson(_Plain, RestJSONParser):  # type: ignore[misc]  # botocore has no types
    pass


class _Json(_Plain, JSONParser):  # type: ignore[misc]  # botocore has no types
    pass


_BY_PROTOCOL = {"rest-json": _RestJson, "json": _Json}
