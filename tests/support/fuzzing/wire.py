"""Requests on the wire: as AWS's clients write them, and as no client ever would."""

import json
import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from awsbatch_simulator.protocol.models import Operation
from awsbatch_simulator.wire import WireAnswer, WireRequest

GARBAGE = (
    *(b"", b"null", b"[]", b"5", b'"text"', b"{", b"}", b"\xff\xfe", b"\x00", b"{}{}", b"<xml/>"),
    *(
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"jobs": NaN}',
        b'{"jobs": "\\ud800"}',
        b"\xef\xbb\xbf{}",
    ),
    *(b"Action", b"Action=&Action=", b"Action=RunInstances&Action=DescribeTags", b"=&=&=", b"%"),
    *(b"%ff%fe=%", b"Filter.1.Name", b"a" * 10_000, b"Action=%00", b"&&&&", b"Version=1"),
)
QUERY_TAILS = (
    *("&Filter.1.Name=", "&Filter.0.Name=a", "&Filter.-1.Name=a", "&Filter.x.Name=a", "&Filter=a"),
    *("&Filter.99999999999999999999.Name=a", "&Filter.1.Name.1=a", "&Filter.1.Value=a"),
    *("&MaxResults=", "&MaxResults=x", "&MaxResults=1e3", "&MinCount=0x1", "&MaxCount=%D9%A3"),
    *("&InstanceId=a", "&InstanceId.1.1=a", "&InstanceId.=a", "&InstanceId.1=%00", "&DryRun=maybe"),
    *("&Tag.1.Key=a&Tag.1.Value=%00%1b", "&Tag.1=", "&ResourceId.1=%ff", "&.=&.1=&1.=", "&;"),
    *("&Placement=a", "&Placement.Tenancy.1=a", "&TagSpecification.1.Tag.1.Key=%ed%a0%80"),
    *("&DurationSeconds=x", "&DurationSeconds=99999999999999999999", "&RoleSessionName=%00%00"),
)


def from_client(operation: Operation, parameters: Mapping[str, Any], credit: str) -> WireRequest:
    """As botocore's serializer writes it; raises what that raises if it cannot be written."""
    serializer = create_serializer(operation.protocol, include_validation=False)
    model: OperationModel = operation.model
    made = serializer.serialize_to_request(dict(parameters), model)
    body = made["body"]
    if isinstance(body, dict):
        body = urlencode({name: _plain(value) for name, value in body.items()})
    query = made["query_string"]
    return WireRequest(
        method=made["method"],
        path=made["url_path"],
        query=query if isinstance(query, str) else urlencode(query, doseq=True),
        headers={name.lower(): value for name, value in made["headers"].items()}
        | {"authorization": credit},
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def raw(
    operation: Operation, parameters: Mapping[str, Any], credit: str, source: random.Random
) -> WireRequest:
    """Parameters of any type, written without looking at the model."""
    write = _form if operation.protocol in {"ec2", "query"} else _json
    return write(operation, parameters, credit, source)


def _json(
    operation: Operation, parameters: Mapping[str, Any], credit: str, source: random.Random
) -> WireRequest:
    model: OperationModel = operation.model
    path = model.http["requestUri"].split("?")[0]
    query = ""
    shape = model.input_shape
    for name, member in getattr(shape, "members", {}).items():
        text = quote(
            str(parameters.get(name, "")), safe=source.choice(("", "/:")), errors="replace"
        )
        match member.serialization.get("location"):
            case "uri":
                path = path.replace("{" + member.serialization.get("name", name) + "}", text)
            case "querystring":
                query = f"{member.serialization.get('name', name)}={text}"
            case _:
                pass
    headers = {"authorization": credit, "content-type": "application/json"}
    if operation.protocol == "json":
        headers["x-amz-target"] = f"X.{operation.name}"
    body = json.dumps(parameters, default=str).encode()
    return WireRequest(model.http["method"], path, query, headers, spoiled(body, source))


def _form(
    operation: Operation, parameters: Mapping[str, Any], credit: str, source: random.Random
) -> WireRequest:
    pairs: list[tuple[str, str]] = [("Action", operation.name)]
    _flatten(parameters, "", pairs)
    text = urlencode(pairs, errors="surrogatepass")
    text += "".join(source.choices(QUERY_TAILS, k=source.randrange(3)))
    headers = {"authorization": credit, "content-type": "application/x-www-form-urlencoded"}
    return WireRequest("POST", "/", "", headers, spoiled(text.encode(), source))


def _flatten(value: Any, name: str, pairs: list[tuple[str, str]]) -> None:
    match value:
        case Mapping():
            for key, each in value.items():
                _flatten(each, f"{name}.{key}" if name else str(key), pairs)
        case list():
            for number, each in enumerate(value, start=1):
                _flatten(each, f"{name}.{number}", pairs)
        case _:
            pairs.append((name, str(value)[:20_000]))


def spoiled(body: bytes, source: random.Random) -> bytes:
    """Now and then cut off, replaced, or with something strange in it."""
    dice = source.random()
    if dice < 0.7:
        return body
    if dice < 0.8:
        return source.choice(GARBAGE)
    at = source.randrange(len(body) + 1)
    return body[:at] + (source.choice(GARBAGE)[:50] if dice < 0.9 else b"") + body[at + 1 :]


def complaint(operation: Operation, answer: WireAnswer) -> str | None:
    """What is wrong with an answer, if it is none that AWS or the simulator's promise allows."""
    sound = 200 <= answer.status < 300 or 400 <= answer.status < 500 or answer.status == 501
    if not sound:
        return f"HTTP {answer.status}"
    response = {
        "status_code": answer.status,
        "headers": HeadersDict(answer.headers),
        "body": answer.body,
    }
    parsed = create_parser(operation.protocol).parse(response, operation.model.output_shape)
    error = parsed.get("Error", {})
    if answer.status >= 400 and not error.get("Code", "").replace(".", "").isalpha():
        return f"an error without a code: {error}"
    return None
