"""What the site is made of: pages whose links lead somewhere, manifests, pictures, its order."""

import posixpath
import re
import textwrap

import pytest
import yaml
from tests.support.examples import folders
from tools import draw, example_blocks, links, site_pages
from tools.links import ROOT

from awsbatch_operator.api.metadata import GROUP
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.validate import read_spec

TASKS = ("arrays", "bigger-disks", "mpi", "spot")


class Loader(yaml.SafeLoader):
    """mkdocs.yml, in which one value is a function of Python's."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


@pytest.fixture(scope="module")
def site():
    return site_pages.collected()


@pytest.fixture(scope="module")
def settings():
    return yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)  # noqa: S506 - a SafeLoader


def in_order(entries):
    for entry in entries:
        [(_, below)] = entry.items()
        yield from in_order(below) if isinstance(below, list) else [below]


def page(name):
    return (ROOT / "docs" / f"{name}.md").read_text()


def objects(text):
    """The objects of ours in the blocks of a page, of which some stand in lists."""
    for block in re.findall(r"^ *```yaml\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        if f"apiVersion: {GROUP}/" in block:
            bodies = yaml.safe_load_all(textwrap.dedent(block))
            yield from (each for each in bodies if each.get("apiVersion", "").startswith(GROUP))


class TestPages:
    def test_every_link_leads_to_a_page_or_picture_of_the_site_and_to_a_heading_of_it(self, site):
        broken = []
        for place, text in site.made.items():
            for link in links.links(text):
                path, _, anchor = link.partition("#")
                target = posixpath.normpath(posixpath.join(posixpath.dirname(place), path))
                target = target if path else place
                known = target in site.made or target in site.pictures
                if not known or (anchor and anchor not in links.anchors(site.made[target])):
                    broken.append(f"{place}: {link}")
        assert broken == []

    def test_a_folder_of_examples_is_a_page_with_all_of_its_files(self, site):
        text = site.made["examples/extended-ami/README.md"]
        assert "### large-disk/image.yaml" in text
        assert (ROOT / "examples/extended-ami/large-disk/image.yaml").read_text().strip() in text
        assert "kustomize.config.k8s.io" not in text
        assert site.made["examples/quickstart/README.md"].startswith(
            "# Quickstart\n\nAn environment"
        )

    def test_a_link_to_a_file_of_an_example_leads_to_where_it_is_shown(self, site):
        assert "](examples/mpi/README.md#jobyaml)" in site.made["mpi.md"]

    def test_a_folder_in_an_example_is_led_to_where_its_files_are(self, site):
        text = site.made["examples/extended-ami/README.md"]
        assert "[`large-disk`](README.md#large-diskdefinitionyaml)" in text

    def test_only_what_can_be_applied_is_said_to_be(self, site):
        said = {
            folder
            for place, text in site.made.items()
            if place.startswith("examples/")
            for folder in re.findall(r"^- `kubectl apply -k examples/(\S+)`$", text, re.MULTILINE)
        }
        assert said == set(folders())

    def test_code_is_not_touched(self):
        block = "```md\n[x](../examples/mpi)\n```\n"
        assert site_pages.Site()._linked(block, ROOT / "docs" / "mpi.md", "mpi.md") == block

    def test_nothing_is_fetched_from_elsewhere(self, site, settings):
        assert settings["theme"]["font"] is False
        assert [place for place, text in site.made.items() if "```mermaid" in text] == []
        assert all("<script" not in links.outside_fences(text) for text in site.made.values())

    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            ("1. one\n   two\n", "1. one\n    two\n"),
            (
                "- one\n\n  ```sh\n  x\n  ```\n\nno\n  more\n",
                "- one\n\n    ```sh\n    x\n    ```\n\nno\n  more\n",
            ),
            ("10. one\n    two\n", "10. one\n    two\n"),
            ("text\n   so\n", "text\n   so\n"),
        ],
    )
    def test_what_goes_on_in_an_item_of_a_list_is_indented_by_four(self, given, wanted):
        assert site_pages.deepened(given) == wanted


class TestOrder:
    def test_every_page_of_docs_has_its_place(self, settings):
        listed = list(in_order(settings["nav"]))
        assert len(listed) == len(set(listed))
        pages = {
            path.relative_to(ROOT / "docs").as_posix()
            for folder in ("", "api")
            for path in (ROOT / "docs" / folder).glob("*.md")
        }
        assert pages - set(listed) == set()

    def test_every_place_has_its_page(self, site, settings):
        assert [each for each in in_order(settings["nav"]) if each not in site.made] == []

    def test_whatever_does_not_lead_anywhere_is_fatal(self, settings):
        found = settings["validation"]
        assert set(found["links"].values()) == {"warn"}
        assert (found["nav"]["not_found"], found["nav"]["absolute_links"]) == ("warn", "warn")
        makefile = (ROOT / "Makefile").read_text()
        assert "mkdocs build --strict\n" in makefile  # --quiet drops warnings before they count


class TestManifests:
    @pytest.mark.parametrize("name", TASKS)
    def test_a_page_of_a_task_shows_whole_files_that_tests_apply(self, name):
        shown = example_blocks.shown(page(name))
        assert shown
        applied = folders()
        for path in shown:
            assert path.removeprefix("examples/").rpartition("/")[0] in applied
        assert example_blocks.filled(page(name)) == page(name)

    @pytest.mark.parametrize("name", TASKS)
    def test_a_page_of_a_task_shows_no_object_that_is_not_a_file_of_the_examples(self, name):
        blocks = re.findall(r"^```yaml\n(.*?)^```", page(name), re.DOTALL | re.MULTILINE)
        texts = {(ROOT / path).read_text() for path in example_blocks.shown(page(name))}
        assert {block for block in blocks if "kind:" in block} == texts

    @pytest.mark.parametrize("name", TASKS)
    def test_what_a_page_of_a_task_says_to_apply_is_an_example(self, name):
        named = re.findall(r"^\$ kubectl apply -k (\S+)$", page(name), re.MULTILINE)
        assert {each.removeprefix("examples/") for each in named} <= set(folders())

    def test_every_object_of_ours_that_a_page_shows_is_one_that_the_schema_takes(self):
        pages = [path for path in links.pages() if "/docs/api/" not in path.as_posix()]
        shown = [body for path in pages for body in objects(path.read_text())]
        assert {body["kind"] for body in shown} >= {"AWSAccount", "BatchJob", "ExtendedAMI"}
        resources = {each.kind: each for each in RESOURCES}
        for body in shown:
            read_spec(resources[body["kind"]], body["spec"])

    def test_an_example_that_is_no_folder_is_applied_on_the_walk(self):
        """That of docs/start.md, which tests/integration/test_up_and_down.py types."""
        for path in (ROOT / "examples").glob("*.yaml"):
            assert f"$ kubectl apply -f examples/{path.name}\n" in page("start")

    def test_a_block_is_filled_from_its_file(self):
        path = "examples/mpi/job.yaml"
        before = f"Text.\n\n[`{path}`](../{path}):\n\n```yaml\nkind: Other\n```\n\nMore.\n"
        after = example_blocks.filled(before)
        assert (ROOT / path).read_text() in after
        assert "Other" not in after
        assert after.endswith("```\n\nMore.\n")


class TestPictures:
    def test_each_picture_is_as_it_is_described_and_shown_with_words(self):
        concepts = page("concepts")
        for path, text in draw.pictures().items():
            assert path.read_text() == text
            words = re.findall(rf"!\[([^\]]+)\]\(pictures/{path.name}\)", concepts)
            assert len(words) == 1, path.name

    def test_a_text_that_would_not_fit_is_told(self):
        box = {"name": "a", "kind": "ours", "text": "w" * 60}
        narrow = {"name": "b", "kind": "aws", "text": "b"}
        picture = {
            "title": "t",
            "rows": [box, [None, narrow]],
            "arrows": [{"from": "a", "to": "b", "text": "w" * 16}],
        }
        assert draw.too_wide(picture) == ["w" * 60, "w" * 16]

    def test_an_arrow_sideways_begins_and_ends_at_the_edges_that_face_each_other(self):
        cells = [{"name": name, "kind": "ours", "text": name} for name in ("left", "right")]
        for one, other in (("left", "right"), ("right", "left")):
            picture = {"title": "t", "rows": [cells], "arrows": [{"from": one, "to": other}]}
            [(begin, end)] = re.findall(r'd="M(\d+) \d+H(\d+)"', draw.drawn(picture))
            boxes, _ = draw.laid_out([cells])
            gap = range(boxes["left"].left + boxes["left"].width, boxes["right"].left + 1)
            assert {int(begin), int(end)} <= set(gap)
            assert (int(begin) < int(end)) is (one == "left")

    def test_a_text_that_has_no_place_is_told(self):
        cells = [{"name": name, "kind": "ours", "text": name} for name in ("a", "b")]
        arrow = {"from": "a", "to": "b", "text": "x"}
        assert draw.too_wide({"title": "t", "rows": [cells], "arrows": [arrow]}) == ["x"]

    def test_a_picture_without_a_source_is_to_be_removed(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setattr(draw, "ROOT", tmp_path)
        monkeypatch.setattr(draw, "PICTURES", tmp_path / "pictures")
        monkeypatch.setattr(draw, "pictures", lambda: {tmp_path / "pictures" / "a.svg": "<svg/>"})
        assert draw.main([]) == 0
        assert draw.main(["--check"]) == 0
        (tmp_path / "pictures" / "old.svg").write_text("<svg/>")
        assert draw.main(["--check"]) == 1
        assert capsys.readouterr().out == "pictures/old.svg has no source any more; remove it\n"

    def test_a_picture_is_as_narrow_as_a_phone_and_needs_nothing_from_elsewhere(self):
        for text in draw.pictures().values():
            assert int(re.findall(r'viewBox="0 0 (\d+) ', text)[0]) <= 440
            assert re.findall(r"href|url\((?!#)", text) == []
            assert re.findall('https?://[^"]+', text) == ["http://www.w3.org/2000/svg"]


class TestLinks:
    def test_what_leads_nowhere_is_told(self):
        here = ROOT / "docs" / "mpi.md"
        text = "# A b\n[x](none.md) [y](#a-b) [z](#c) [w](jobs.md#arrays) [v](jobs.md#none)\n"
        told = [each.split(": ")[1] for each in links.broken_links(here, text)]
        assert told == ["none.md", "#c", "jobs.md#none"]

    def test_a_link_out_of_the_repository_is_told(self):
        [told] = links.broken_links(ROOT / "docs" / "mpi.md", "[x](../../etc)")
        assert "no such file" in told

    def test_a_path_in_a_comment_of_a_manifest_has_to_be_there(self):
        here = ROOT / "examples" / "mpi" / "job.yaml"
        text = "# see docs/jobs.md and deploy/none.yaml\nkind: X  # as examples/mpi\n"
        [told] = links.broken_paths(here, text)
        assert "deploy/none.yaml" in told

    def test_equal_headings_have_numbers(self):
        assert links.anchors("# A\n## A\n```\n# B\n```\n") == {"a", "a-1"}
