import json

from tests.support.audit import noted, writes

from awsbatch_node import settings


def event(verb, user, namespace=None, **more):
    place = {} if namespace is None else {"namespace": namespace}
    reference = {"resource": "batchjobs", **place}
    return json.dumps({"verb": verb, "user": {"username": user}, "objectRef": reference, **more})


def test_writes_are_counted_by_who_and_where_and_reads_are_not():
    lines = [
        event("patch", "a", "one"),
        event("delete", "a", "one"),
        event("patch", "a", "two"),
        event("get", "b", "one"),
        event("create", "b"),
    ]
    assert writes(lines) == {("a", "one"): 2, ("a", "two"): 1}


def test_a_line_that_is_being_written_does_not_count_yet(tmp_path):
    (tmp_path / "log").write_text('{"a": 1}\n{"b": ')
    assert noted(tmp_path / "log") == ['{"a": 1}']


def test_whoever_acts_as_somebody_else_counts_as_him():
    line = event("patch", "admin", "one", impersonatedUser={"username": "alice"})
    assert writes([line]) == {("alice", "one"): 1}


def test_the_node_notes_down_writes_into_our_objects_only():
    assert "group: awsbatch.dev" in settings.AUDIT_POLICY
    assert settings.AUDIT_POLICY.endswith("- level: None\n")
