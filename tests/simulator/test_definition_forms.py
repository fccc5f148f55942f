"""What AWS keeps of any definition is the same content, so that nothing is registered twice.

An operator that starts without its status, or after an upgrade that hashes differently, has nothing
but what AWS describes to tell a revision's content by.
"""

import json
from functools import cache

from hypothesis import given
from hypothesis import strategies as st
from tests.support.schema_walk import instances

from awsbatch_operator.kinds.jobdefinition.spec import RESOURCE
from awsbatch_operator.schema.aws_schema import passthrough_schema
from awsbatch_operator.schema.canonical import canonical, content_hash, differences
from awsbatch_operator.schema.request import registrable, to_request
from awsbatch_simulator.batch import stored_form

SORTS = ("containerProperties", "ecsProperties", "eksProperties", "nodeProperties")


@cache
def definitions(sort: str):
    """Random definitions of one sort, as far as their schema goes."""
    assert RESOURCE.passthrough is not None
    schema = passthrough_schema(RESOURCE.passthrough)
    properties = {
        name: member
        for name, member in schema["properties"].items()
        if name == sort or name not in SORTS
    }
    return instances({**schema, "properties": properties})


@given(data=st.data(), sort=st.sampled_from(SORTS))
def test_what_is_sent_and_what_aws_keeps_of_a_definition_are_its_content(data, sort):
    spec = data.draw(definitions(sort))
    sent = registrable(spec)
    assert differences(spec, sent) == ()
    assert content_hash(sent) == content_hash(spec)
    kept = stored_form.definition(to_request(sent))
    shown = json.loads(json.dumps(kept))
    assert differences(spec, shown) == ()
    told = {name: value for name, value in shown.items() if name != "containerOrchestrationType"}
    assert canonical(told) == canonical(spec)
