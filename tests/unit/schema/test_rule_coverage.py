"""Every rule is proven on the real API server (tests/integration/test_crds.py), and reads well."""

import re

import pytest
from tests.support.crd_cases import BASES, BOUNDS, cases

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.crd import object_schema, rules_in
from awsbatch_operator.schema.rules import RULE_ID

BY_KIND = {resource.kind: resource for resource in RESOURCES}
KINDS = sorted(BY_KIND)


def rules(kind):
    return [rule for _, rule in rules_in(object_schema(BY_KIND[kind]))]


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_has_accepting_and_refusing_cases(kind):
    table = cases(kind)
    assert {rule[RULE_ID] for rule in rules(kind)} == set(table)
    assert [rule for rule, case in table.items() if not case.accepts or not case.refuses] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_valid_spec_and_cases_for_its_limits(kind):
    assert BASES[kind]
    assert BOUNDS[kind]
    assert [limit.field for limit in BOUNDS[kind] if not limit.accepts or not limit.refuses] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_id_of_a_rule_means_one_rule(kind):
    meanings: dict[str, tuple[str, str]] = {}
    for rule in rules(kind):
        meaning = (rule["rule"], rule["message"])
        assert meanings.setdefault(rule[RULE_ID], meaning) == meaning


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_says_what_and_how_to_mend_it(kind):
    for rule in rules(kind):
        sentences = re.split(r"(?<=[.])\s", rule["message"])
        assert len(sentences) >= 2, rule["message"]
        assert rule["message"].endswith("."), rule["message"]
        assert len(rule["message"]) <= 400, rule["message"]
