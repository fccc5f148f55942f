"""Specs that an older CRD let through: told, never crashed on, never ignored."""

import functools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.crd_cases import BASES, BOUNDS, cases, patched
from tests.support.schema_walk import instances

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.crd import spec_schema
from awsbatch_operator.schema.declare import NotYet, unsupported
from awsbatch_operator.schema.validate import SpecError, problems, read_spec, spec_problems

BY_KIND = {resource.kind: resource for resource in RESOURCES}
KINDS = sorted(BY_KIND)


def said(kind, patch):
    return [str(each) for each in spec_problems(BY_KIND[kind], patched(BASES[kind], patch))]


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_api_server_accepts_is_accepted_here_too(kind):
    for case in cases(kind).values():
        for patch in case.accepts:
            before = patched(BASES[kind], case.before or {})
            read_spec(BY_KIND[kind], patched(before, patch))
    for limit in BOUNDS[kind]:
        for patch in limit.accepts:
            read_spec(BY_KIND[kind], patched(BASES[kind], patch))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_out_of_bounds_is_refused_here_too(kind):
    for limit in BOUNDS[kind]:
        for patch in limit.refuses:
            assert any(each.startswith(limit.field) for each in said(kind, patch)), (patch, limit)


@pytest.mark.parametrize(
    ("kind", "patch", "problem"),
    [
        ("JobDefinition", {"containerProperties": {"image": 7}},
         "spec.containerProperties.image: must be a string"),
        ("JobDefinition", {"containerProperties": {"command": "df -h"}},
         "spec.containerProperties.command: must be a list"),
        ("JobDefinition", {"containerProperties": {"privileged": "no"}},
         "spec.containerProperties.privileged: must be true or false"),
        ("JobDefinition", {"containerProperties": {"vcpus": 1}},
         "spec.containerProperties.vcpus: is not known to this version of the operator"),
        ("JobDefinition", {"type": "Container"},
         "spec.type: must be one of 'container', 'multinode'"),
        ("JobDefinition", {"timeout": {"attemptDurationSeconds": True}},
         "spec.timeout.attemptDurationSeconds: must be a whole number"),
        ("JobDefinition", {"parameters": {"year": 2024}},
         "spec.parameters.year: must be a string"),
        ("ComputeEnvironment", {"computeResources": {"maxvCpus": None}},
         "spec.computeResources.maxvCpus: is required"),
        ("ComputeEnvironment", {"capactiy": {}},
         "spec.capactiy: is not known to this version of the operator"),
        ("JobQueue", {"computeEnvironmentOrder": [{"order": 1, "computeEnvironmentRef": {}}]},
         "spec.computeEnvironmentOrder[0].computeEnvironmentRef: A reference names either"),
        ("BatchJob", {"jobQueueRef": "main"}, "spec.jobQueueRef: must be an object"),
        ("BatchJob", {"jobQueueRef": {"name": "Main"}}, "spec.jobQueueRef.name: This is no name"),
        ("BatchJob", {"jobQueueRef": {"name": "main\n"}}, "spec.jobQueueRef.name: This is no name"),
        ("AWSAccount", {"externalId": "größe"}, "spec.externalId: This is no external id"),
        ("BatchJob", {"dependsOn": [{"jobRef": {}}]},
         "spec.dependsOn[0].jobRef: A dependency is a BatchJob"),
        ("AWSAccount", {"allowedNamespaces": {"names": ["a", "a"]}},
         "spec.allowedNamespaces.names[1]: repeats 'a'"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_its_path(kind, patch, problem):
    assert any(each.startswith(problem) for each in said(kind, patch)), said(kind, patch)


def test_reading_a_wrong_spec_tells_every_problem():
    spec = {"jobQueueRef": {"name": "main"}, "suspend": "yes", "retryStrategy": {"attempts": 11}}
    with pytest.raises(SpecError) as error:
        read_spec(BY_KIND["BatchJob"], spec)
    assert [each.path for each in error.value.problems] == [
        "spec.suspend",
        "spec.retryStrategy.attempts",
        "spec",  # neither jobDefinitionRef nor jobDefinition
    ]
    assert "spec.retryStrategy.attempts: must be from 1 to 10" in str(error.value)


def test_many_problems_are_counted_instead_of_listed():
    spec = {**BASES["BatchJob"], **{f"unknown{n}": n for n in range(9)}}
    with pytest.raises(SpecError, match="And 4 more"):
        read_spec(BY_KIND["BatchJob"], spec)


@functools.cache
def _specs(kind: str) -> st.SearchStrategy[Any]:
    """What fits the schema of a kind: the large ones take longer to set up than to draw from."""
    return instances(spec_schema(BY_KIND[kind]))


@pytest.mark.parametrize("kind", ["BatchJob", "JobQueue"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_whatever_fits_the_schema_can_be_read(kind, data):
    schema = spec_schema(BY_KIND[kind])
    spec = data.draw(_specs(kind))
    if not list(problems(schema, spec, "spec")):
        read_spec(BY_KIND[kind], spec)


@given(
    junk=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "name", "jobQueueRef", "x"]), inner, max_size=3
            )
        ),
        max_leaves=10,
    )
)
def test_no_junk_crashes_the_reader(junk):
    with pytest.raises(SpecError):
        read_spec(BY_KIND["BatchJob"], {"dependsOn": junk, "containerOverrides": junk, "x": junk})


def test_only_what_is_used_and_not_honoured_is_unsupported():
    entries = (
        NotYet(path="suspend", remedy="", honoured=(False,)),
        NotYet(path="rerunPolicy", remedy="", honoured=("Never",)),
        NotYet(path="ttlSecondsAfterFinished", remedy=""),
    )
    job = replace(BY_KIND["BatchJob"], not_yet=entries)
    assert unsupported(job, {**BASES["BatchJob"], "suspend": False, "rerunPolicy": "Never"}) == ()
    asked = {**BASES["BatchJob"], "suspend": True, "ttlSecondsAfterFinished": 0}
    assert [entry.path for entry in unsupported(job, asked)] == [
        "suspend",
        "ttlSecondsAfterFinished",
    ]


def test_what_is_not_honoured_is_found_in_any_entry_of_a_list():
    entry = NotYet(path="pools[].image.amiRef", remedy="")
    ami = {"image": {"amiRef": {"name": "atmos"}}}
    assert entry.used_in({"pools": [{}, {"image": {}}, ami]})
    by_id = {"image": {"amiId": "ami-1"}}
    for pools in ([], [by_id], "odd"):
        assert not entry.used_in({"pools": pools})
    assert not entry.used_in({})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_honoured_yet_is_in_the_schema_and_says_how_to_mend_it(kind):
    for entry in BY_KIND[kind].not_yet:
        node = spec_schema(BY_KIND[kind])
        for part in entry.path.split("."):
            name = part.removesuffix("[]")
            node = node["properties"][name]
            node = node if name == part else node["items"]
        assert entry.path in entry.remedy
        assert entry.remedy.endswith(".")
