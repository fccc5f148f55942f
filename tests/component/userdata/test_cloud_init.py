"""What Debian's cloud-init makes of all golden user data: each part arrives as it was meant.

Amazon Linux 2023 has cloud-init 22.2; Debian 12's 22.4 reads user data with the same code.
"""

import pytest
from tests.support import cloud_init
from tests.unit.userdata.wishes import LONG, SCRIPT, WISHES, rendered, with_given

ALL = {**WISHES, "compressed": with_given(script=LONG)}


@pytest.fixture(scope="module")
def seen():
    """By its name, each user data as made and as cloud-init sees it."""
    made = {name: rendered(wish) for name, wish in ALL.items()}
    booted = cloud_init.booted([each.content for each in made.values()])
    return {name: (each, booted[index]) for index, (name, each) in enumerate(made.items())}


def test_every_part_arrives_with_its_type_its_name_and_every_character(seen):
    for made, booted in seen.values():
        meant = [(part.content_type, part.filename, part.text) for part in made.parts]
        arrived = [(part["type"], part["name"], part["text"]) for part in booted.parts]
        # cloud-init numbers the parts that have no name.
        named = [name or f"part-{index:03d}" for index, (_, name, _) in enumerate(meant, 1)]
        assert arrived == [
            (kind, name, text) for (kind, _, text), name in zip(meant, named, strict=True)
        ]


def test_cloud_init_warns_of_nothing_and_its_schema_has_nothing_against_any_part(seen):
    for _, booted in seen.values():
        assert booted.warnings == []
        assert booted.schema == []


def test_the_agents_settings_are_the_last_boothook_and_an_end_is_the_first(seen):
    for name, (made, booted) in seen.items():
        assert booted.run[-1] == "awsbatch-ecs-config"
        assert all(mode == 0o700 for mode, _ in booted.boothooks.values())
        assert booted.boothooks["awsbatch-ecs-config"][1].startswith("#!/bin/sh\n")
        if "awsbatch-deadline" in booted.run:
            assert booted.run[0] == "awsbatch-deadline"
            assert made.parts[0].filename == "awsbatch-deadline"
        assert ("awsbatch-deadline" in booted.run) == (name.startswith(("block", "ends")))


def test_what_the_user_gave_takes_effect(seen):
    _, both = seen["cloud-config-and-script"]
    assert both.scripts == {"script": [0o700, SCRIPT]}
    assert both.cloud_config["packages"] == ["htop", "nfs-utils"]
    assert len(both.cloud_config["runcmd"]) == 2
    _, bare = seen["script-without-shebang-in-utf-8"]
    assert bare.scripts["script"][1] == "#!/bin/bash\necho 'Grüße — 計算'\n"
    _, hook = seen["boothook"]
    assert hook.run == ["boothook", "awsbatch-ecs-config"]
    _, compressed = seen["compressed"]
    assert compressed.scripts["script"][1] == LONG


def test_all_parts_of_a_users_message_take_effect(seen):
    _, booted = seen["mime"]
    assert booted.cloud_config["packages"] == ["lustre-client", "htop"]
    assert booted.scripts["first-one.sh"] == [0o700, "#!/bin/bash\necho first\n"]
    assert booted.run == ["part-001", "awsbatch-ecs-config"]
    assert "echo Grüße" in booted.parts[-2]["text"]


def test_shellcheck_finds_nothing_in_any_script_of_ours(seen, tmp_path):
    scripts = {
        f"{name}.{hook}": text
        for name, (_, booted) in seen.items()
        for hook, (_, text) in booted.boothooks.items()
        if hook.startswith("awsbatch-")
    }
    assert len(scripts) == len(ALL) + 2
    assert cloud_init.shellcheck(scripts, tmp_path) == ""


def test_the_way_to_find_faults_finds_them(tmp_path):
    broken = b"Content-Type: text/cloud-config\nMIME-Version: 1.0\n\npackages: 5\n"
    (booted,) = cloud_init.booted([broken])
    assert len(booted.schema) == 1
    (lost,) = cloud_init.booted([b"echo no shebang\n"])
    assert lost.warnings
    assert "SC2086" in cloud_init.shellcheck({"bad": "#!/bin/sh\nrm $1\n"}, tmp_path)


@pytest.mark.parametrize(("ci", "ends"), [("true", pytest.fail), ("", pytest.skip)])
def test_where_cloud_init_is_missing_a_test_fails_in_ci_and_is_skipped_elsewhere(
    monkeypatch, tmp_path, ci, ends
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    with pytest.raises(ends.Exception, match=r"tools/cloud_init\.py"):
        cloud_init.unpacked()
