"""The hash of a request stands in records: who computes it otherwise would submit once more."""

import hashlib
import json
from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.kinds.batchjob.jobs import job

from awsbatch_operator.kinds.batchjob.request import request_hash

VALUES = st.recursive(
    st.text() | st.integers(-(2**53), 2**53) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
@example({"DEL": "\x7f"})
def test_version_one_is_the_hash_of_sorted_compact_json_in_ascii(overrides):
    resource = job()
    spec = {**resource.spec, "containerOverrides": overrides}
    said = {
        name: spec[name] for name in ("containerOverrides", "jobDefinitionRef", "jobQueueRef")
    } | {name: spec[name] for name in ("parameters", "timeout") if name in spec}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    expected = f"v1:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
    assert request_hash(replace(resource, spec=spec)) == expected
