"""The hand-written pages: their links lead somewhere, and what they name is there."""

import re

import pytest
import yaml

from awsbatch_operator.api import catalogue
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.kinds.computeenvironment import members
from awsbatch_sandbox.paths import REPOSITORY

PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "deploy/**/*.md", "examples/**/*.md")
    for path in REPOSITORY.glob(pattern)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
USERS = ("accounts", "adoption", "deletion", "updates-and-replacement")
MOVING = ("moving-from-crossplane", "moving-from-terraform")


def text(name):
    return (REPOSITORY / "docs" / f"{name}.md").read_text()


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"```.*?```", "", page, flags=re.DOTALL), re.MULTILINE
    )
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-").strip() for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_of_a_page_leads_to_something_that_is_there(page):
    broken = []
    for link in LINK.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", [*USERS, *MOVING])
def test_a_page_is_linked_from_the_readme(name):
    assert f"(docs/{name}.md)" in (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize("name", [*USERS, *MOVING])
def test_the_manifests_of_a_page_have_fields_that_there_are(name):
    """Parts of specs too; AWS's own members are known by the schema."""
    known = {
        field for resource in RESOURCES for field in spec_fields(resource) | {"metadata", "spec"}
    }
    for block in re.findall(r"```yaml\n(.*?)```", text(name), re.DOTALL):
        spec = yaml.safe_load(block)["spec"]
        assert spec.keys() <= known, block


def spec_fields(resource):
    path = REPOSITORY / "crds" / f"awsbatch.dev_{resource.plural}.yaml"
    [version] = yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["versions"]
    return set(version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])


@pytest.mark.parametrize("name", [*USERS, *MOVING])
def test_the_reasons_that_a_page_names_are_in_the_catalogue(name):
    known = {reason.name for reason in catalogue.reasons()}
    named = set(re.findall(r"^\| `([A-Z]\w+)` \|", text(name), re.MULTILINE))
    words = {"None", "Scaling", "Infrastructure", "Replacement", "Create", "AdoptOrCreate", "Adopt"}
    words |= {"Delete", "Retain"}
    assert named - words <= known


def test_the_list_of_examples_has_every_folder():
    listed = (REPOSITORY / "examples" / "README.md").read_text()
    for folder in (REPOSITORY / "examples").iterdir():
        if folder.is_dir():
            assert f"| [`{folder.name}`]({folder.name}) |" in listed


class TestUpdates:
    """The table of docs/updates-and-replacement.md is that of the planner."""

    @pytest.fixture(scope="class")
    @staticmethod
    def rows():
        page = text("updates-and-replacement")
        table = page.partition("<!-- table: updates -->")[2].partition("<!-- end of table -->")[0]
        lines = re.findall(r"^\| `([\w.]+)`([^|]*)\|(.*)\|$", table, re.MULTILINE)
        return {
            (field, more.strip()): [cell.strip() for cell in rest.split("|")]
            for field, more, rest in lines
        }

    @staticmethod
    def verbs(verb):
        """What takes that, but for what is a part of another row."""
        return {path for path, found in members.VERBS.items() if found is verb} & {
            path for path in members.VERBS if path.count(".") <= path.startswith(members.RESOURCES)
        }

    def test_what_aws_changes_in_place(self, rows):
        scaling = {field for (field, _), (usual, _, _) in rows.items() if usual == "Scaling"}
        assert scaling == self.verbs(members.Verb.IN_PLACE)

    def test_what_takes_new_instances(self, rows):
        found = {field for (field, _), (usual, _, _) in rows.items() if usual == "Infrastructure"}
        assert found == self.verbs(members.Verb.INFRASTRUCTURE)
        for (field, _), (usual, otherwise, _) in rows.items():
            if usual == "Infrastructure":
                assert otherwise == "Replacement", field

    def test_what_fargate_changes_in_place(self, rows):
        changed = {field for (field, _), (_, _, fargate) in rows.items() if fargate == "Scaling"}
        assert changed <= {*self.verbs(members.Verb.IN_PLACE), *members._IN_PLACE_ON_FARGATE}
        assert set(members._IN_PLACE_ON_FARGATE) <= changed

    def test_what_is_never_changed(self, rows):
        never = {field for (field, _), (usual, _, _) in rows.items() if usual.startswith("never")}
        assert never == self.verbs(members.Verb.NEVER)
