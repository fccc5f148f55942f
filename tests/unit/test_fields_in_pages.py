"""Fields that pages name, `spec.…` and `status.…`, are fields of a CRD: else the page is stale."""

import re

import pytest
import yaml
from tools.links import ROOT, pages

# In code of a sentence, or as kubectl is asked for them: {.status.run}, NAME:.status.plan.action.
SENTENCE = re.compile(r"`((?:spec|status)(?:\.\w+(?:\[\w*\])?)+)`")
ASKED = re.compile(r"(?<=[{:@\[.])\.((?:spec|status)(?:\.\w+(?:\[[\w*]*\])?)+)")
FILES = re.compile(r"\.py$")
# Crossplane's own fields, on the page about moving from it.
CROSSPLANES = ("spec.forProvider", "spec.providerConfigRef")


def trees():
    for path in sorted((ROOT / "crds").glob("awsbatch.dev_*.yaml")):
        [version] = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["versions"]
        yield version["schema"]["openAPIV3Schema"]


TREES = list(trees())


def leads_somewhere(schema, names):
    """Whether there is a field of that path; below maps and free objects there is any."""
    if not names:
        return True
    if schema.get("type") == "array":
        return leads_somewhere(schema["items"], names)
    if "additionalProperties" in schema:
        return leads_somewhere(schema["additionalProperties"], names[1:])
    if names[0] in schema.get("properties", {}):
        return leads_somewhere(schema["properties"][names[0]], names[1:])
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


def exists(field):
    names = re.sub(r"\[[^\]]*\]", "", field).split(".")
    return any(leads_somewhere(tree, names) for tree in TREES)


def named(text):
    """The fields that a text names."""
    found = set(SENTENCE.findall(text)) | set(ASKED.findall(text))
    return {each for each in found if not FILES.search(each) and not each.startswith(CROSSPLANES)}


@pytest.mark.parametrize("page", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_field_that_a_page_names_is_in_a_crd(page):
    assert [each for each in sorted(named(page.read_text())) if not exists(each)] == []


def test_what_is_looked_for_is_found_and_what_is_not_there_is_told():
    text = "`spec.suspend` and `status.nothing`, {.status.logs.lastLines[*]}, C:.status.none,D:"
    assert named(text) == {
        "spec.suspend",
        "status.nothing",
        "status.logs.lastLines[*]",
        "status.none",
    }
    assert exists("spec.suspend")
    assert exists("status.capacity.pools[].paused")
    assert not exists("status.nothing")
    assert not exists("spec.suspend.more")


def test_many_fields_are_named():
    """The patterns match what pages really say."""
    assert len({each for page in pages() for each in named(page.read_text())}) > 60
