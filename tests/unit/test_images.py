"""The two images: what is in each, and that the operator's has nothing of the simulator."""

import re
import tomllib
from dataclasses import dataclass

import pytest

from awsbatch_sandbox.paths import REPOSITORY

INSTRUCTION = re.compile(r"^([A-Z]+) +(.*?)$", re.MULTILINE)
FINAL = {"operator": "aws-batch-operator", "simulator": "awsbatch_simulator"}


@dataclass(frozen=True)
class Stage:
    """A stage of the Dockerfile: its instructions, in their order."""

    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, word):
        return [rest for name, rest in self.instructions if name == word]

    @property
    def sources(self):
        """The stages that it copies from."""
        found = (re.search(r"--from=(\S+)", rest) for rest in self.all("COPY"))
        return [match.group(1) for match in found if match]


@pytest.fixture(scope="module")
def stages():
    text = (REPOSITORY / "Dockerfile").read_text().replace("\\\n", " ")
    found = {}
    for part in text.split("\nFROM ")[1:]:
        head, _, rest = part.partition("\n")
        name = head.partition(" AS ")[2]
        found[name] = Stage(name, tuple(INSTRUCTION.findall(rest)))
    return found


def everything(stages, name):
    """All that is put into a stage, those that it copies from included."""
    stage = stages[name]
    parts = [f"{word} {rest}" for word, rest in stage.instructions]
    return "\n".join([*parts, *(everything(stages, source) for source in stage.sources)])


def test_the_operators_image_is_the_one_that_is_built_by_default(stages):
    assert list(stages)[-1] == "operator"


def test_the_operators_image_has_neither_simulator_nor_sandbox_nor_moto(stages):
    put = everything(stages, "operator")
    locks = re.findall(r"requirements/(\w+)\.txt", put)
    assert {"runtime", "build"} == set(locks)
    for part in ("awsbatch_simulator", "awsbatch_sandbox", "simulator", "sandbox", "moto"):
        assert part not in put
    for lock in locks:
        packages = (REPOSITORY / "requirements" / f"{lock}.txt").read_text()
        assert not re.search(r"^moto==", packages, re.MULTILINE), lock


def test_the_simulators_image_has_nothing_of_the_operator_or_the_sandbox(stages):
    put = everything(stages, "simulator")
    assert set(re.findall(r"requirements/(\w+)\.txt", put)) == {"simulator"}
    assert "awsbatch_operator" not in put
    assert "awsbatch_sandbox" not in put


@pytest.mark.parametrize("name", FINAL)
def test_an_image_runs_as_nobody_in_particular_and_starts_what_there_is(stages, name):
    (user,) = stages[name].all("USER")
    assert all(int(number) >= 10_000 for number in user.split(":"))
    (entry,) = stages[name].all("ENTRYPOINT")
    assert FINAL[name] in entry
    if name == "operator":
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        assert FINAL[name] in project["scripts"]
    else:
        assert (REPOSITORY / "operator" / FINAL[name] / "__main__.py").is_file()


@pytest.mark.parametrize("name", FINAL)
def test_what_is_copied_from_a_stage_is_what_was_made_there(stages, name):
    for rest in stages[name].all("COPY"):
        source, target = rest.split()[1:]
        assert source == target
        (stage,) = re.findall(r"--from=(\S+)", rest)
        assert source in everything(stages, stage)


@pytest.mark.parametrize("name", FINAL)
def test_an_image_says_what_it_is_and_the_build_may_say_from_where(stages, name):
    (labels,) = stages[name].all("LABEL")
    prefix = "org.opencontainers.image."
    said = dict(re.findall(rf'{re.escape(prefix)}(\w+)="([^"]*)"', labels))
    assert said.keys() == {"title", "description", "licenses", "version", "revision", "source"}
    for given in ("version", "revision", "source"):
        assert said[given] == f"${{{given.upper()}}}"
    assert stages[name].all("ARG") == ["VERSION", "REVISION", "SOURCE"]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert said["licenses"] == project["license"]
    defaults = (REPOSITORY / "Dockerfile").read_text()
    assert f"\nARG VERSION={project['version']}\n" in defaults


@pytest.mark.parametrize("name", FINAL)
def test_an_image_is_one_of_its_own_so_that_what_is_taken_out_of_the_base_counts(stages, name):
    text = (REPOSITORY / "Dockerfile").read_text()
    assert f"\nFROM scratch AS {name}\n" in text
    assert stages[name].sources[0] == "bare"
    (cleaned,) = stages["bare"].all("RUN")
    assert "image_tree.py base /" in cleaned
    # Nothing runs in the last stage: it could only add.
    assert not stages[name].all("RUN")


def test_packages_are_put_where_pip_is_not(stages):
    for stage in ("build", "simulator-build"):
        text = " ".join(stages[stage].all("RUN"))
        assert "venv --without-pip /opt/" in text
        assert "image_tree.py" in text


def test_every_file_that_is_copied_in_exists_and_is_not_ignored(stages):
    ignored = (REPOSITORY / ".dockerignore").read_text().split()
    for stage in stages.values():
        for rest in stage.all("COPY"):
            if rest.startswith("--from="):
                continue
            for source in rest.split()[:-1]:
                assert (REPOSITORY / source).exists(), source
                assert source.partition("/")[0] not in ignored


def test_the_simulators_packages_are_those_that_the_tests_run_with():
    def versions(lock):
        text = (REPOSITORY / "requirements" / lock).read_text()
        return dict(re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE))

    image, tested = versions("simulator.txt"), versions("dev.txt")
    assert image.items() <= tested.items()
    assert {"aiohttp", "botocore", "moto", "pydantic", "pyyaml"} <= image.keys()
