"""No rule ends in the API server's words for an expression that it could not evaluate.

"type conversion error", "no such key" and "index out of bounds" mean nothing to who reads them, and
the API server evaluates every rule of an object, also where another one refuses it. That no odd
text makes it say so is tried on the real one, too (tests/integration/test_crds.py).
"""

import re

import pytest
from tests.support.schema_walk import nodes

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema import forms
from awsbatch_operator.schema.crd import object_schema, spec_schema
from awsbatch_operator.schema.rules import RULE_ID, RULE_PATTERN, RULES, Rule, where_formed

BY_KIND = {resource.kind: resource for resource in RESOURCES}
KINDS = sorted(BY_KIND)
FORMS = [each for each in vars(forms).values() if isinstance(each, Rule)]
CONVERSION = re.compile(r"\b(?:double|int|uint|bool|bytes|timestamp|duration|quantity)\(([^()]*)\)")
CHAIN = re.compile(r"(has\()?\b([a-zA-Z]\w*(?:\.\w+)+)")
MACRO = re.compile(r"([a-zA-Z][\w.]*)\.(?:all|exists|exists_one|filter|map)\((\w+),")


def rules(kind):
    """(the schema that the rule stands on, the rule) for every rule of the kind."""
    for _, node in nodes(object_schema(BY_KIND[kind])):
        for rule in node.get(RULES, ()):
            yield node, rule


def without_texts(cel):
    return re.sub(r"'(?:[^'\\]|\\.)*'", "''", cel)


def below(scopes, chain):
    """The schemas on the way along a chain of members, each with the chain as far as there."""
    root, *members = chain.split(".")
    node, so_far = scopes.get(root), root
    for written in members:
        name = re.sub(r"^__(\w+)__$", r"\1", written)
        if node is None or name not in node.get("properties", {}):
            return  # a function of CEL's, such as startsWith
        so_far = f"{so_far}.{written}"
        yield so_far, name in node.get("required", ()), node["properties"][name]
        node = node["properties"][name]


def unguarded(node, cel):
    """Members that the schema does not require, used where nobody asks whether they are there."""
    scopes = {"self": node, "oldSelf": node}
    text = without_texts(cel)
    for listed, name in MACRO.findall(text):
        entries = [each for _, _, each in below(scopes, listed)]
        scopes[name] = (entries[-1] if entries else node).get("items")
    asked = set(re.findall(r"has\(([\w.]+)\)", text))
    for asks, chain in CHAIN.findall(text):
        way = list(below(scopes, chain))
        for so_far, required, _ in way[:-1] if asks else way:
            if not required and so_far not in asked:
                yield so_far


@pytest.mark.parametrize("kind", KINDS)
def test_no_rule_uses_a_member_without_asking_whether_it_is_there(kind):
    found = {rule[RULE_ID]: sorted(unguarded(node, rule["rule"])) for node, rule in rules(kind)}
    assert {name: members for name, members in found.items() if members} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_no_rule_converts_a_text_that_may_be_anything(kind):
    for _, rule in rules(kind):
        for converted in CONVERSION.findall(rule["rule"]):
            assert f"!{converted}.matches(" in rule["rule"], rule[RULE_ID]


@pytest.mark.parametrize("kind", KINDS)
def test_no_rule_divides_or_counts_on_a_place_in_a_list(kind):
    for _, rule in rules(kind):
        assert not re.search(r"[\w)\]]\[|[/%]", without_texts(rule["rule"])), rule[RULE_ID]


def test_the_checks_see_what_they_are_for():
    node = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "size": {"type": "string"},
            "parts": {
                "type": "array",
                "items": {"type": "object", "properties": {"name": {"type": "string"}}},
            },
        },
    }
    assert list(unguarded(node, "self.name != '' && self.size == 'self.size'")) == ["self.size"]
    assert list(unguarded(node, "!has(self.size) || self.size.startsWith('x')")) == []
    odd = "!has(self.parts) || self.parts.all(p, p.name != '')"
    assert list(unguarded(node, odd)) == ["p.name"]
    assert CONVERSION.findall("double(self.size) > 1.0") == ["self.size"]
    assert "!self.matches('^[0-9]" in where_formed("self", forms.WEIGHT, "double(self) > 0.0")


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_that_users_write_is_met_with_a_bare_pattern(kind):
    spec = spec_schema(BY_KIND[kind])
    assert [path for path, node in nodes(spec) if "pattern" in node] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.id)
def test_a_form_takes_no_empty_text_and_is_told_by_an_example(form):
    assert re.search(form.pattern, "") is None
    assert re.search(r"(such as|look like|Write) \S", form.message)


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_stands_beside_the_longest_text_and_no_shortest_one(kind):
    for path, node in nodes(spec_schema(BY_KIND[kind])):
        if any(RULE_PATTERN in rule for rule in node.get(RULES, ())):
            assert "maxLength" in node, path
            assert "minLength" not in node, path


def test_a_rule_of_whole_objects_first_tells_that_the_spec_is_as_it_was():
    """Such rules are judged at each write of a status, by reading every member that they name."""
    found = [rule for kind in KINDS for rule in BY_KIND[kind].object_rules]
    assert found
    for rule in found:
        assert rule.cel.startswith("self.spec == oldSelf.spec || "), rule.id
