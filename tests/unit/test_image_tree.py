"""What goes into the images and what does not, as a function of names."""

from pathlib import Path, PurePosixPath

import pytest
from tools import image_tree

MODELS = "botocore/data"


def left_out(*names: str, services: tuple[str, ...] | None = ("ec2",)) -> set[str]:
    paths = [PurePosixPath(name) for name in names]
    return {str(path) for path in image_tree.unwanted(paths, services)}


@pytest.mark.parametrize(
    "name",
    [
        "uvloop/loop.pyx",
        "aiohttp/_http_parser.c",
        "multidict/__init__.pyi",
        "somebody/tests/test_it.py",
        "pip/__init__.py",
        "pip-24.0.dist-info/RECORD",
        "setuptools/__init__.py",
        "pkg_resources/__init__.py",
        "wheel-0.42.dist-info/RECORD",
        "_distutils_hack/__init__.py",
        "setuptools.pth",
    ],
)
def test_what_builds_tests_or_installs_is_left_out(name: str):
    assert left_out(name) == {name}
    assert left_out(name, services=None) == {name}
    assert image_tree.forbidden([PurePosixPath(name)])


@pytest.mark.parametrize(
    "name",
    [
        "uvloop/loop.cpython-312-x86_64-linux-gnu.so",
        "kopf/testing.py",
        "botocore/cacert.pem",
        "pipeline/__init__.py",
        "awsbatch_operator/capacity/wheels.py",
        f"{MODELS}/endpoints.json",
        f"{MODELS}/_retry.json",
    ],
)
def test_what_runs_is_kept(name: str):
    assert not left_out(name)
    assert not image_tree.forbidden([PurePosixPath(name)])


def test_of_a_service_that_is_called_only_the_newest_model_and_its_endpoints_are_kept():
    new, old = f"{MODELS}/ec2/2016-11-15", f"{MODELS}/ec2/2015-10-01"
    kept = [
        f"{new}/service-2.json.gz",
        f"{new}/service-2.sdk-extras.json",
        f"{new}/endpoint-rule-set-1.json.gz",
    ]
    others = [
        f"{new}/examples-1.json",
        f"{new}/paginators-1.json",
        f"{old}/service-2.json.gz",
        f"{MODELS}/s3/2006-03-01/service-2.json.gz",
    ]
    assert left_out(*kept, *others) == set(others)
    assert not left_out(*kept, *others, services=None)


@pytest.mark.parametrize(
    "name", ["moto/core.py", "awsbatch_simulator/world.py", "awsbatch_node/node.py", "bin/x86-gcc"]
)
def test_what_is_for_trials_or_compiles_must_not_be_there(name: str):
    assert image_tree.forbidden([PurePosixPath(name)])


def test_installers_and_what_one_builds_with_are_taken_out_of_a_base():
    python, debian = "usr/local/lib/python3.12", "usr/lib/python3"
    out = [
        f"{python}/ensurepip",
        f"{python}/idlelib",
        f"{python}/config-3.12-x86_64-linux-gnu",
        f"{python}/site-packages/pip",
        f"{python}/site-packages/pip-25.0.1.dist-info",
        f"{debian}/dist-packages/setuptools",
        "usr/local/bin/pip3.12",
        "usr/local/bin/idle3",
        "usr/local/include",
        "usr/share/python-wheels",
    ]
    stays = [
        f"{python}/venv",
        f"{python}/email",
        f"{python}/ensurepip/__init__.py",  # goes with its directory
        "usr/local/bin/python3.12",
        "usr/lib/x86_64-linux-gnu/libssl.so.3",
        "usr/share/doc/libc6/copyright",
        "usr/bin/pinky",
    ]
    found = image_tree.unwanted_of_base([PurePosixPath(name) for name in out + stays])
    assert {str(path) for path in found} == set(out)


def test_a_base_keeps_all_but_that(tmp_path: Path):
    library = tmp_path / "usr/local/lib/python3.12"
    for name in ("ensurepip/_bundled/pip.whl", "site-packages/pip/__init__.py", "json/__init__.py"):
        (library / name).parent.mkdir(parents=True)
        (library / name).touch()
    (tmp_path / "usr/local/bin").mkdir()
    (tmp_path / "usr/local/bin/pip").symlink_to("/nowhere")
    image_tree.main("base", str(tmp_path))
    assert [str(path) for path in image_tree.files_of(tmp_path)] == [
        "usr/local/lib/python3.12/json/__init__.py"
    ]


def test_a_tree_is_pruned_compiled_and_its_records_are_true(tmp_path: Path):
    for name in ("a/__init__.py", "a/a.pyi", "a/tests/deep/test_a.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a-1.dist-info").mkdir()
    record = tmp_path / "a-1.dist-info/RECORD"
    record.write_text("a/__init__.py,,\na/a.pyi,,\na/tests/deep/test_a.py,,\n")
    assert image_tree.uncompiled(tmp_path) == [
        PurePosixPath("a/__init__.py"),
        PurePosixPath("a/tests/deep/test_a.py"),
    ]
    image_tree.main("simulator", str(tmp_path))
    assert record.read_text() == "a/__init__.py,,\n"
    assert not (tmp_path / "a/tests").exists()
    assert not image_tree.uncompiled(tmp_path)


def test_what_cannot_be_compiled_ends_the_build(tmp_path: Path):
    (tmp_path / "broken.py").write_text("def\n")
    with pytest.raises(SystemExit, match="cannot be compiled"):
        image_tree.main("simulator", str(tmp_path))
