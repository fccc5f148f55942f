"""AWS's models are read before they are needed, and plain answers are read without them."""

import json

import botocore.session
import pytest
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserFactory

from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.models import PLAIN, Parsers, service_models

SERVICES = sorted({call.service for call in CALLS})
MODELS = {
    service: ServiceModel(create_loader().load_service_model(service, "service-2"), service)
    for service in SERVICES
}


def plain_shapes():
    return [
        (model.metadata["protocol"], model.shape_for(name))
        for model in MODELS.values()
        for name in sorted(PLAIN & set(model.shape_names))
    ]


def below(shape, path=()):
    """The shape and all in it, each once."""
    if shape.name in path:
        return
    yield shape
    path = (*path, shape.name)
    match shape.type_name:
        case "structure":
            for member in shape.members.values():
                yield from below(member, path)
        case "list":
            yield from below(shape.member, path)
        case "map":
            yield from below(shape.value, path)


def parsed(factory, protocol, shape, body):
    response = {"status_code": 200, "headers": {}, "body": body, "context": {}}
    return factory.create_parser(protocol).parse(response, shape)


def test_each_plain_answer_is_in_the_model():
    assert {shape.name for _, shape in plain_shapes()} == PLAIN


@pytest.mark.parametrize(("protocol", "shape"), plain_shapes(), ids=str)
def test_the_model_changes_nothing_in_a_plain_answer(protocol, shape):
    assert protocol in {"rest-json", "json"}
    for each in below(shape):
        assert each.type_name not in {"timestamp", "blob"}, each
        if each.type_name == "structure":
            assert not each.is_document_type
            for name, member in each.members.items():
                said = {key: value for key, value in member.serialization.items() if value != name}
                assert not said, (each, name, said)


@pytest.mark.parametrize(
    "body",
    [
        {"jobs": []},
        {"jobs": [{"jobId": "a", "createdAt": 1_790_000_000_000, "container": {"exitCode": 0}}]},
        {"jobs": [{"jobId": "a", "newInAws": 1}, {"jobId": "b"}], "newInAws": {}},
        {"jobs": [{"container": {"new": 1, "environment": [{"name": "a", "new": {}}]}}]},
        {"jobs": [{"tags": {"any": "thing"}, "container": {"command": ["a"], "volumes": []}}]},
        {"jobs": [{"jobId": "a", "statusReason": None, "container": {"exitCode": None}}]},
        {"jobs": [{"jobId": "a", "createdAt": 1e3, "startedAt": 10**30}]},
        {"jobs": None},
        {},
    ],
)
def test_what_is_read_is_what_botocore_reads(body):
    shape = MODELS["batch"].shape_for("DescribeJobsResponse")
    said = json.dumps(body).encode()
    ours = parsed(Parsers(), "rest-json", shape, said)
    theirs = parsed(ResponseParserFactory(), "rest-json", shape, said)
    assert ours.pop("ResponseMetadata")["HTTPStatusCode"] == 200
    theirs.pop("ResponseMetadata")
    assert ours == theirs


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b'{"jobs": [[]]}', b"\xff{}"])
@pytest.mark.parametrize("name", ["SubmitJobResponse", "DescribeJobsResponse"])
def test_what_is_no_answer_is_left_to_botocore(name, body):
    shape = MODELS["batch"].shape_for(name)

    def told(factory):
        try:
            return parsed(factory, "rest-json", shape, body)
        except Exception as error:  # noqa: BLE001 - whatever it raises is what counts here
            return repr(error)

    assert told(Parsers()) == told(ResponseParserFactory())


def test_a_refusal_is_read_as_ever():
    shape = MODELS["batch"].shape_for("SubmitJobResponse")
    response = {
        "status_code": 400,
        "headers": {"x-amzn-errortype": "ClientException"},
        "body": b'{"message": "no such queue"}',
        "context": {},
    }
    error = Parsers().create_parser("rest-json").parse(response, shape)["Error"]
    assert (error["Code"], error["Message"]) == ("ClientException", "no such queue")


def test_after_the_models_were_read_the_making_of_clients_reads_no_file(monkeypatch):
    loader = service_models()

    def read(*_: object):
        raise AssertionError("a file is read")

    monkeypatch.setattr(loader.file_loader, "load_file", read)
    session = botocore.session.Session()
    session.register_component("data_loader", loader)
    for service in SERVICES:
        session.create_client(
            service,
            region_name="eu-central-1",
            aws_access_key_id="AKIAEXAMPLEEXAMPLE00",
            aws_secret_access_key="secret",
        )


def test_the_models_of_what_is_not_used_are_not_read():
    loader = service_models(without=["sqs"])
    read = {str(key) for key in loader._cache}
    assert any("'batch'" in key for key in read)
    assert not any("'sqs'" in key for key in read)


def test_a_parser_is_made_once_for_all_answers():
    factory = Parsers()
    assert factory.create_parser("rest-json") is factory.create_parser("rest-json")
    assert factory.create_parser("json") is not factory.create_parser("rest-json")
    before = factory.create_parser("ec2")
    factory.set_parser_defaults(timestamp_parser=str)
    assert factory.create_parser("ec2") is not before
