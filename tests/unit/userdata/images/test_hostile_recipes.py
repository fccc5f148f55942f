"""Whatever stands in a recipe, its script calls the same functions, and with just these words."""

import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.userdata.images.test_quoting import TEXTS

from awsbatch_operator.userdata.images import build
from awsbatch_operator.userdata.images.model import File, Mount, Recipe, Script, Volume
from awsbatch_operator.userdata.images.quoting import fstab_word, label

WITH_INPUT = ("put", "script", "agent_settings", "agent_after_mounts", "registries")
WITHOUT = (
    *("begin", "network", "packages", "volume", "helper", "network_mount", "kernel", "docker_up"),
    *("container_image", "check", "check_root", "check_mount_point", "check_container_image"),
    *("clean", "leftovers"),
)
SIZES = st.integers(1, 20_000)
RECIPES = st.builds(
    Recipe,
    volumes=st.lists(st.builds(Volume, TEXTS, TEXTS, TEXTS, TEXTS, SIZES), max_size=2).map(tuple),
    mounts=st.lists(
        st.builds(
            Mount,
            *(TEXTS, st.sampled_from(["efs", "nfs"]), TEXTS, TEXTS, TEXTS, TEXTS),
            *(st.booleans(), st.booleans(), st.lists(TEXTS, max_size=2).map(tuple)),
        ),
        max_size=2,
    ).map(tuple),
    packages=st.lists(TEXTS, max_size=2).map(tuple),
    files=st.lists(st.builds(File, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
    scripts=st.lists(st.builds(Script, TEXTS, TEXTS, SIZES), max_size=2).map(tuple),
    kernel_arguments=st.lists(TEXTS, max_size=2).map(tuple),
    container_images=st.lists(TEXTS, max_size=2).map(tuple),
    ecs_config=st.dictionaries(TEXTS, TEXTS, max_size=2),
)


def called(recipe):
    """Each call of the recipe's steps with its words and its input, as bash makes them."""
    recorders = "".join(
        [f'{name}() {{ record {name} "$@" </dev/null; }}\n' for name in WITHOUT]
        + [f'{name}() {{ record {name} "$@"; }}\n' for name in WITH_INPUT]
    )
    record = "record() { printf '%s\\0' \"$@\"; printf '@INPUT@\\0'; cat; printf '\\0@END@\\0'; }\n"
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail"],
        input=(record + recorders + build.build_steps(recipe)).encode(),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    calls, rest = [], done.stdout.decode().split("\0")[:-1]
    while rest:
        end = rest.index("@END@", rest.index("@INPUT@"))
        words = rest[:end]
        middle = len(words) - 2
        assert words[middle] == "@INPUT@"
        calls.append((*words[:middle], words[middle + 1]))
        rest = rest[end + 1 :]
    return calls


@settings(max_examples=12, deadline=None)
@given(RECIPES)
def test_the_calls_of_a_recipe_are_the_same_whatever_its_texts_are(recipe):
    calls = called(recipe)
    of = {name: [each[1:] for each in calls if each[0] == name] for name in WITHOUT + WITH_INPUT}
    assert of["put"] == [(each.mode, each.path, each.content) for each in recipe.files]
    assert [each[0] for each in of["volume"]] == [each.device for each in recipe.volumes]
    assert [each[3] for each in of["volume"]] == [each.mount_path for each in recipe.volumes]
    assert [each[1] for each in of["network_mount"]] == [
        fstab_word(each.mount_path) for each in recipe.mounts
    ]
    assert of["packages"] == ([(*recipe.packages, "")] if recipe.packages else [])
    assert of["kernel"] == ([(*recipe.kernel_arguments, "")] if recipe.kernel_arguments else [])
    assert of["container_image"] == [(each, "") for each in recipe.container_images]
    assert [each[0] for each in of["script"]] == [
        str(each.timeout_seconds) for each in recipe.scripts
    ]
    assert [each[1].endswith(given_one.content) for each, given_one in zip(
        of["script"], recipe.scripts, strict=True)] == [True] * len(recipe.scripts)  # fmt: skip
    lines = "".join(f"{name}={value}\n" for name, value in recipe.ecs_config.items())
    assert of["agent_settings"] == ([(lines,)] if lines else [])
    begun = [each[0] for each in of["begin"]]
    assert begun[-3:] == ["check", "clean", "leftovers"]
    assert [each for each in begun if each.startswith("script:")] == [
        label(f"script:{each.name}") for each in recipe.scripts
    ]
    for each in of["network_mount"]:
        assert not any(blank in word for word in each[1:5] for blank in " \t\n")
