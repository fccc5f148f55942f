"""The schemas that are made of AWS's model, our tables and our own models."""

import json
from dataclasses import replace
from functools import cache
from typing import Annotated

import pytest
import yaml
from pydantic import Field
from tests.support.schema_walk import nodes

from awsbatch_operator.generate import RESOURCES, main
from awsbatch_operator.kinds.jobdefinition.spec import JobDefinitionSpec
from awsbatch_operator.schema import aws_schema
from awsbatch_operator.schema.crd import crd, spec_schema, to_yaml
from awsbatch_operator.schema.declare import NotYet, PassThrough
from awsbatch_operator.schema.fields import Fields
from awsbatch_operator.schema.model import AwsShape, input_shape
from awsbatch_operator.schema.model_schema import own_schema
from awsbatch_operator.schema.tables.definition_rules import SPEC as DEFINITION_RULES

BY_KIND = {resource.kind: resource for resource in RESOURCES}
KINDS = sorted(BY_KIND)
PASSING = sorted(kind for kind in KINDS if BY_KIND[kind].passthrough)
# What a structural schema must not have (apiextensions.k8s.io/v1).
FORBIDDEN = {
    "$ref",
    "$defs",
    "anyOf",
    "oneOf",
    "allOf",
    "const",
    "title",
    "uniqueItems",
    "nullable",
}
LIMIT = 200 * 1024


@cache
def made(kind):
    return crd(BY_KIND[kind])


def root(kind):
    return made(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def below(kind):
    """Every node of spec and status; metadata is Kubernetes' own."""
    for part in ("spec", "status"):
        yield from nodes(root(kind)["properties"][part], part)


@pytest.mark.parametrize("kind", KINDS)
def test_a_crd_fits_into_an_annotation_of_client_side_apply(kind):
    assert len(json.dumps(made(kind), separators=(",", ":")).encode()) < LIMIT


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_described_here_or_where_its_description_leads(kind):
    elsewhere = tuple(f"spec.{each.name}" for each in BY_KIND[kind].inlined)
    missing = [
        f"{path}.{name}"
        for path, node in below(kind)
        for name, child in node.get("properties", {}).items()
        if not child.get("description", "").strip()
    ]
    assert [path for path in missing if not path.startswith(elsewhere or ("-",))] == []


def test_the_definition_in_a_job_is_that_of_a_job_definition():
    inline = spec_schema(BY_KIND["BatchJob"])["properties"]["jobDefinition"]
    spec = spec_schema(BY_KIND["JobDefinition"])
    of_aws = inline["properties"].keys()
    assert (
        of_aws
        == spec["properties"].keys() - JobDefinitionSpec.model_json_schema()["properties"].keys()
    )
    for name in of_aws:
        assert inline["properties"][name] == without_descriptions(spec["properties"][name]), name
    assert inline["required"] == spec["required"]
    kept = [rule["rule"] for rule in spec["x-kubernetes-validations"]]
    assert {rule["rule"] for rule in inline["x-kubernetes-validations"]} <= set(kept)
    assert len(inline["x-kubernetes-validations"]) == len(DEFINITION_RULES)


def without_descriptions(schema):
    if isinstance(schema, list):
        return [without_descriptions(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_descriptions(value)
        for key, value in schema.items()
        if key != "description" or isinstance(value, dict)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_string_list_map_and_number_is_bounded(kind):
    needed = {"string": ["maxLength"], "array": ["maxItems"], "integer": ["minimum", "maximum"]}
    loose = []
    for path, node in below(kind):
        bounds = needed.get(node["type"], [])
        if node["type"] == "object" and "additionalProperties" in node:
            bounds = ["maxProperties"]
        if "enum" not in node and any(bound not in node for bound in bounds):
            loose.append(path)
    assert loose == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_or_word_is_something_else_in_yaml(kind):
    """YAML 1.1, which kubectl reads, takes a bare `on` for true: such a field could not be set."""
    names = {name for _, node in below(kind) for name in node.get("properties", ())}
    words = {word for _, node in below(kind) for word in node.get("enum", ())}
    # The statuses of conditions are written by the operator, which quotes them.
    written = sorted((names | words) - {"", "True", "False"})
    assert yaml.safe_load("\n".join(f"- {each}" for each in written)) == written


@pytest.mark.parametrize("kind", KINDS)
def test_every_schema_is_structural(kind):
    assert [path for path, node in below(kind) if FORBIDDEN & set(node) or "type" not in node] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_says_how_it_is_merged(kind):
    lists = [(path, node) for path, node in below(kind) if node["type"] == "array"]
    assert [path for path, node in lists if "x-kubernetes-list-type" not in node] == []
    for path, node in lists:
        for key in node.get("x-kubernetes-list-map-keys", ()):
            assert key in node["items"]["required"], path


@pytest.mark.parametrize("kind", KINDS)
def test_the_only_default_is_that_nothing_was_observed(kind):
    defaults = {path: node["default"] for path, node in below(kind) if "default" in node}
    assert defaults == {
        "status": {"observedGeneration": -1},
        "status.observedGeneration": -1,
    }


@pytest.mark.parametrize("kind", PASSING)
def test_every_member_of_the_operation_is_offered_or_left_out_for_a_reason(kind):
    passthrough = BY_KIND[kind].passthrough
    assert passthrough is not None
    offered = spec_schema(BY_KIND[kind])["properties"]
    for name in input_shape(passthrough.operation).members:
        assert name in offered or passthrough.omit[name], name


def test_a_float_of_aws_is_a_decimal_string():
    shares = spec_schema(BY_KIND["SchedulingPolicy"])["properties"]["fairsharePolicy"]
    weight = shares["properties"]["shareDistribution"]["items"]["properties"]["weightFactor"]
    assert weight["type"] == "string"


def test_a_member_that_only_a_newer_botocore_has_is_offered_with_the_widest_bounds(monkeypatch):
    today = input_shape("CreateSchedulingPolicy")
    extra = AwsShape(name="String", type="string")
    newer = replace(today, members={**today.members, "burstPolicyName": extra})
    monkeypatch.setattr(aws_schema, "input_shape", lambda _: newer)
    offered = spec_schema(BY_KIND["SchedulingPolicy"])["properties"]
    assert offered["burstPolicyName"] == {
        "description": "Burst policy name, as AWS Batch defines it. AWS API: "
        "CreateSchedulingPolicy.burstPolicyName",
        "type": "string",
        "maxLength": 30720,
    }


def test_a_table_that_names_what_aws_does_not_have_is_refused():
    wrong = PassThrough(operation="CreateJobQueue", omit={"jobQueueNane": "a slip of the pen"})
    with pytest.raises(ValueError, match="CreateJobQueueRequest has no jobQueueNane"):
        aws_schema.passthrough_schema(wrong)


def test_a_field_cannot_be_ours_and_awss():
    resource = BY_KIND["SchedulingPolicy"]
    both = replace(resource, passthrough=PassThrough(operation="CreateSchedulingPolicy", omit={}))
    with pytest.raises(ValueError, match="tags is both ours and AWS's"):
        spec_schema(both)


def test_a_field_of_ours_without_description_is_refused():
    class Silent(Fields):
        name: Annotated[str, Field(max_length=5)]

    with pytest.raises(ValueError, match="name has no description"):
        own_schema(Silent)


def test_a_field_of_ours_without_bounds_is_refused():
    class Endless(Fields):
        name: str = Field(description="Name.")

    with pytest.raises(ValueError, match="has no maxLength"):
        own_schema(Endless)


def test_a_field_of_ours_with_several_types_is_refused():
    class Either(Fields):
        port: int | str = Field(description="Port.")

    with pytest.raises(ValueError, match="a union of several types"):
        own_schema(Either)


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_what_the_gate_refuses_is_described_as_not_supported_yet(kind):
    marked = {
        path.removeprefix("spec.")
        for path, node in below(kind)
        if "not supported yet" in node.get("description", "").lower()
    }
    assert marked == {entry.path for entry in BY_KIND[kind].not_yet}


def test_a_description_says_which_values_are_supported():
    later = replace(
        BY_KIND["ExtendedAMI"],
        not_yet=(NotYet(path="adoptionPolicy", remedy="", honoured=("Create",)),),
    )
    version = crd(later)["spec"]["versions"][0]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    words = "Not supported yet (only Create is): "
    assert spec["adoptionPolicy"]["description"].startswith(words)


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_for_selectors_exists_and_is_one_value(kind):
    selectable = made(kind)["spec"]["versions"][0].get("selectableFields", [])
    assert len(selectable) <= 8, "the API server takes no more"
    for field in selectable:
        node = root(kind)
        for part in field["jsonPath"].removeprefix(".").split("."):
            node = node["properties"][part]
        assert node["type"] in ("string", "integer", "boolean"), field


def test_crds_for_an_older_kubernetes_name_no_fields_for_selectors(tmp_path):
    chart = ["--chart", str(tmp_path / "chart")]
    assert main(["--folder", str(tmp_path), "--no-selectors", *chart]) == 0
    assert "selectableFields" not in (tmp_path / "awsbatch.dev_batchjobs.yaml").read_text()
    assert "selectableFields" in json.dumps(made("BatchJob"))


def test_the_same_crd_gives_the_same_bytes():
    texts = {to_yaml(crd(BY_KIND["JobQueue"])) for _ in range(3)}
    assert len(texts) == 1
    assert yaml.safe_load(texts.pop())["kind"] == "CustomResourceDefinition"


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_reads_a_field_that_exists(kind):
    version = made(kind)["spec"]["versions"][0]
    for column in version["additionalPrinterColumns"]:
        path = column["jsonPath"].partition("[?")[0].removeprefix(".").split(".")
        node = root(kind)
        for part in path if path[0] != "metadata" else []:
            assert part in node["properties"], column["jsonPath"]
            node = node["properties"][part]
