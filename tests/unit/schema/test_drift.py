"""crds/ is what the generator makes, and the command that says so helps."""

from pathlib import Path

import pytest

from awsbatch_operator import generate
from awsbatch_operator.api.metadata import GROUP

CRDS = Path(__file__).parents[3] / "crds"
CHART = Path(__file__).parents[3] / generate.CHART


@pytest.fixture(scope="module")
def wanted():
    return generate.files()


@pytest.fixture
def folder(tmp_path, wanted):
    generate.write(tmp_path, wanted)
    return tmp_path


def test_the_checked_in_crds_are_what_the_generator_makes(wanted):
    assert generate.drift(CRDS, wanted) == []


def test_the_chart_of_the_crds_is_what_the_generator_makes():
    assert generate.drift(CHART, generate.templates()) == []


def test_what_looks_like_a_mark_of_helms_stands_for_itself():
    assert generate.escaped("a {{ b }} c") == 'a {{ "{{" }} b }} c'


def test_the_command_names_a_changed_crd_and_the_way_to_mend_it(folder, capsys):
    path = folder / f"{GROUP}_jobqueues.yaml"
    path.write_text(path.read_text().replace("awsjq", "jq"))
    assert generate.main(["--check", "--folder", str(folder)]) == 1
    said = capsys.readouterr().err
    assert f"{path} differs" in said
    assert "Run `make crds` and commit what it writes." in said


def test_the_command_writes_what_it_then_finds_in_order(tmp_path, capsys):
    places = ["--folder", str(tmp_path / "crds"), "--chart", str(tmp_path / "chart")]
    assert generate.main(places) == 0
    assert generate.main(["--check", *places]) == 0
    assert capsys.readouterr().err == ""


def test_a_missing_crd_is_named(folder, wanted):
    path = folder / f"{GROUP}_batchjobs.yaml"
    path.unlink()
    assert generate.drift(folder, wanted) == [f"{path} is missing"]


def test_a_crd_of_no_kind_is_named_and_removed_by_writing(folder, wanted):
    path = folder / "old.yaml"
    path.write_text("kind: Old\n")
    assert generate.drift(folder, wanted) == [f"{path} belongs to no kind"]
    generate.write(folder, wanted)
    assert not path.exists()


def test_the_kustomization_lists_every_crd(wanted):
    for name in wanted.keys() - {"kustomization.yaml"}:
        assert f"- {name}\n" in wanted["kustomization.yaml"]
