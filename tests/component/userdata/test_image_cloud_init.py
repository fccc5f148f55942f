"""What cloud-init and shellcheck make of the user data of builders and verifiers of images."""

import re

import pytest
from tests.support import cloud_init
from tests.unit.userdata.images.recipes import EVERYTHING, NONCE, all_user_data, build

from awsbatch_operator.userdata.images.model import File, Recipe

LONG = "".join(f"{number} = {number * number}\n" for number in range(2000))
# With these every function and every kind of step is seen; for all, shellcheck takes seconds.
CHECKED = ("everything", "files", "verify-everything", "verify-nothing", "unusual-characters")


@pytest.fixture(scope="module")
def seen():
    """By its name, what cloud-init makes of each."""
    made = all_user_data()
    made["compressed"] = build(Recipe(files=(File("/etc/squares", "0644", LONG),)))
    made["unusual-characters"] = build(
        Recipe(packages=("Grüße", "a\r\nb"), files=(File("/opt/\r", "0644", "a\r\nGrüße\0\n"),))
    )
    booted = cloud_init.booted(list(made.values()))
    return dict(zip(made, booted, strict=True))


def test_hooks_and_script_arrive_and_cloud_init_warns_of_nothing(seen):
    for name, booted in seen.items():
        second = "awsbatch-ecs-config" if name.startswith("verify") else "awsbatch-agent-out"
        assert booted.run == ["awsbatch-limit", second]
        assert list(booted.scripts) == ["awsbatch-image"]
        assert booted.warnings == []
        assert booted.scripts["awsbatch-image"][1].startswith("#!/bin/bash\n")


def test_a_long_one_is_compressed_and_arrives_whole(seen):
    assert LONG in seen["compressed"].scripts["awsbatch-image"][1]


def test_the_nonce_is_a_variable_of_the_script_that_is_not_exported(seen):
    script = seen["everything"].scripts["awsbatch-image"][1]
    assert script.count(NONCE) == 1
    assert f"\nnonce={NONCE}\n" in script


def test_shellcheck_finds_nothing_in_any_script_of_ours(seen, tmp_path):
    texts = {
        text: f"{name}.{part}"
        for name in CHECKED
        for part, (_, text) in {**seen[name].boothooks, **seen[name].scripts}.items()
    }
    scripts = {name: text for text, name in texts.items()}
    assert cloud_init.shellcheck(scripts, tmp_path) == ""


def test_the_other_scripts_have_no_function_that_is_not_checked(seen):
    functions = {
        name: _functions(booted.scripts["awsbatch-image"][1]) for name, booted in seen.items()
    }
    checked = set().union(*(functions[name] for name in CHECKED))
    assert len(checked) > 30
    for name in seen:
        assert functions[name] <= checked


def _functions(script):
    return set(re.findall(r"^[a-z_]+\(\) \{\n.*?^\}$", script, re.DOTALL | re.MULTILINE))


def test_everything_fits_without_being_compressed():
    assert build(EVERYTHING).startswith(b"Content-Type: multipart/mixed")
