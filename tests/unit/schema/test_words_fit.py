"""What the author of a value is told fits the way in which the value is wrong."""

import re

import botocore.session
import pytest
from tests.support.schema_walk import nodes

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.crd import object_schema, rules_in, spec_schema
from awsbatch_operator.schema.rules import RULE_PATTERN
from awsbatch_operator.schema.validate import problems

BY_KIND = {resource.kind: resource for resource in RESOURCES}
KINDS = sorted(BY_KIND)
# A remedy for one side of a bound, and what must stand beside it where the other side is bounded.
ONE_SIDED = {"Shorten": "empty", "Raise": "Lower", "Lower": "Raise", "Lengthen": "Shorten"}
QUANTIFIER = re.compile(r"\{([0-9]+)(?:,([0-9]+))?\}")
BOUNDED = re.compile(r"(size\(\w+\)|[\w.]+) >= ([0-9]+) && \1 <= ([0-9]+)")


def outside(schema):
    """A value on each wrong side of each bound, with what its message must name."""
    match schema.get("type"):
        case "integer":
            yield schema["minimum"] - 1, (schema["minimum"], schema["maximum"])
            yield schema["maximum"] + 1, (schema["minimum"], schema["maximum"])
        case "string" if "enum" not in schema:
            low, high = schema.get("minLength", 0), schema["maxLength"]
            yield "x" * (high + 1), (low, high, high + 1)
            if low:
                yield "x" * (low - 1), (low, high, low - 1)
        case "array":
            low, high = schema.get("minItems", 0), schema["maxItems"]
            if high <= 1000:  # a longer one takes time, and is told in the same way
                yield [None] * (high + 1), (low, high, high + 1)
            if low:
                yield [None] * (low - 1), (low, high, low - 1)
        case "object" if "additionalProperties" in schema:
            low, high = schema.get("minProperties", 0), schema["maxProperties"]
            yield {f"k{number}": "" for number in range(high + 1)}, (low, high, high + 1)
            if low:
                yield {}, (low, high, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_is_told_with_both_its_ends_and_what_was_given(kind):
    seen = set()
    for path, schema in nodes(spec_schema(BY_KIND[kind])):
        for value, named in outside(schema):
            if (key := (schema["type"], named)) in seen:
                continue
            seen.add(key)
            told = [each.message for each in problems(schema, value, "spec") if each.path == "spec"]
            assert any(
                all(re.search(rf"(?<![0-9]){number}(?![0-9])", text) for number in named)
                for text in told
            ), (path, told)
    assert seen


@pytest.mark.parametrize("kind", KINDS)
def test_a_remedy_for_one_side_of_a_bound_is_not_given_alone_for_both(kind):
    for _, rule in rules_in(object_schema(BY_KIND[kind])):
        for _, low, high in BOUNDED.findall(rule["rule"]):
            if low in rule["message"]:
                assert high in rule["message"], rule
            for verb, other in ONE_SIDED.items():
                assert verb not in rule["message"] or other in rule["message"], rule


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_that_counts_characters_says_how_many(kind):
    """Otherwise the example is all that tells somebody who wrote one too many."""
    for _, rule in rules_in(object_schema(BY_KIND[kind])):
        for bounds in QUANTIFIER.findall(rule.get(RULE_PATTERN, "")):
            for number in filter(None, bounds):
                if int(number) > 1:
                    assert re.search(rf"\b{number}\b", rule["message"]), rule


ROLES = {  # by AWS's shape: members that name a role or an instance profile
    "CreateComputeEnvironmentRequest": ("serviceRole",),
    "ComputeResource": ("instanceRole", "spotIamFleetRole"),
    "ContainerProperties": ("jobRoleArn", "executionRoleArn"),
    "EcsTaskProperties": ("taskRoleArn", "executionRoleArn"),
}


@pytest.mark.parametrize(("shape", "member"), [(s, m) for s, names in ROLES.items() for m in names])
def test_a_role_may_be_named_as_awss_reference_says_and_its_description_tells(shape, member):
    """Where AWS takes a name in the place of an ARN, its text speaks of one."""
    model = botocore.session.get_session().get_service_model("batch")
    text = model.shape_for(shape).members[member].documentation
    by_name = "short name" in text or "as the role name" in text
    own = [
        schema["description"]
        for kind in ("ComputeEnvironment", "JobDefinition")
        for path, schema in nodes(spec_schema(BY_KIND[kind]))
        if (path.endswith(f".{member}") and f"{shape}.{member}" in schema["description"])
        or path == f".{member}"
    ]
    assert own
    for description in own:
        assert "by ARN" in description
        assert ("name" in description) is by_name
