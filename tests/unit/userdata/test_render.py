"""User data as a whole: its parts, its order, its size, and that every byte survives."""

import gzip
from dataclasses import replace
from email import message_from_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.userdata.wishes import (
    BOOTHOOK,
    CLOUD_CONFIG,
    END,
    LONG,
    MIME,
    PLAIN,
    SCRIPT,
    WISHES,
    refused,
    rendered,
    with_given,
)

from awsbatch_operator.userdata.model import BYTES_LIMIT, Rendered
from awsbatch_operator.userdata.parts import SHEBANG
from awsbatch_operator.userdata.render import render

POOL = "spec.capacity.pools[name=main]"


def arrived(content: bytes) -> list[tuple[str, str]]:
    """Type and text of each part, as a parser of MIME finds them."""
    packed = content[:2] == b"\x1f\x8b"
    message = message_from_bytes(gzip.decompress(content) if packed else content)
    found = []
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and not part.is_multipart():
            found.append((part.get_content_type(), payload.decode()))
    return found


def test_the_end_comes_first_the_users_parts_next_and_the_agents_settings_last():
    wish = replace(with_given(script=SCRIPT, cloud_config=CLOUD_CONFIG), ends_at=END)
    names = [part.filename for part in rendered(wish).parts]
    assert names == ["awsbatch-deadline", "cloud-config", "script", "awsbatch-ecs-config"]


def test_a_script_may_stand_beside_a_whole_message_which_keeps_its_order():
    parts = rendered(with_given(mime=MIME, script=SCRIPT)).parts
    assert [part.content_type for part in parts] == [
        "text/cloud-boothook",
        "text/x-shellscript",
        "text/cloud-config",
        "text/cloud-config",
        "text/x-shellscript-per-boot",
        "text/x-shellscript",
        "text/cloud-boothook",
    ]


def test_equal_wishes_have_equal_bytes_and_a_hash_that_tells_its_version():
    one, two = rendered(WISHES["mime"]), rendered(replace(WISHES["mime"]))
    assert (one.content, one.hash) == (two.content, two.hash)
    assert one.hash.startswith("v1:")
    assert len({rendered(wish).hash for wish in WISHES.values()}) == len(WISHES)


@given(
    st.text(max_size=200)
    | st.text("ab\r\n-=\0 #'\"$\x0b\x0c\x1c\x85\u2028é計", max_size=60)
    | st.sampled_from(["From here\n", "--awsbatch-", ".\n.\n", "=3D\n=\n", "a" * 5000])
)
@example("--")
@example("a\n\n")
@example("\x1f\x8b")
def test_any_text_of_a_script_survives_but_for_carriage_returns(text):
    script = f"#!/usr/bin/python3\n{text}"
    wish = with_given(script=script)
    made = render(wish)
    if isinstance(made, Rendered):
        assert arrived(made.content)[0] == ("text/x-shellscript", script.replace("\r", ""))
        assert arrived(made.content)[1][0] == "text/cloud-boothook"
        assert rendered(wish) == made
    else:  # a text that happens to look like a secret, or with half of a character
        assert all(problem.path.startswith(f"{POOL}.userData") for problem in made.problems)


def test_a_script_without_a_first_line_for_the_kernel_is_one_for_bash():
    part = rendered(with_given(script="echo hello\n")).parts[0]
    assert part.text == f"{SHEBANG}echo hello\n"
    assert rendered(with_given(script=SCRIPT)).parts[0].text == SCRIPT


def test_a_boothook_is_told_by_its_first_line_and_always_names_a_program():
    part = rendered(with_given(script=BOOTHOOK)).parts[0]
    assert (part.content_type, part.text) == ("text/cloud-boothook", BOOTHOOK)
    bare = rendered(with_given(script="#Cloud-Boothook\necho hi\n")).parts[0]
    assert bare.text == "#cloud-boothook\n#!/bin/sh\necho hi\n"


@pytest.mark.parametrize(
    ("script", "remedy"),
    [
        ("\n#!/bin/bash\n", "before #!"),
        ("#cloud-config\npackages: []\n", "cloudConfig"),
        ("MIME-Version: 1.0\n\nx", "in mime"),
        ("Content-Type: multipart/mixed\n\nx", "in mime"),
        ("#include https://example.org/x\n", "in mime"),
        ("## template: jinja\n#!/bin/sh\n", "in mime"),
        ("\ud800", "whole character"),
        ("#" * 70_000, "S3"),
    ],
)
def test_what_cloud_init_would_take_for_something_else_is_refused_with_the_right_place(
    script, remedy
):
    (problem,) = refused(with_given(script=script)).problems
    assert problem.path == f"{POOL}.userData.script"
    assert remedy in problem.remedy


def test_what_is_too_long_is_compressed_and_what_still_is_is_refused():
    made = rendered(with_given(script=LONG))
    assert made.compressed
    assert made.size < BYTES_LIMIT < len(made.text)
    assert arrived(made.content)[0][1] == LONG
    assert "sent compressed" in made.warnings[-1]
    random = "".join(f"{number * 2654435761 % 2**32:08x}" for number in range(6000))
    (problem,) = refused(with_given(script=f"#!/bin/bash\n# {random}\n")).problems
    assert problem.path == f"{POOL}.userData"
    assert "16,384" in problem.why


def test_what_nearly_fills_the_limit_is_warned_of_and_the_last_byte_may_be_used():
    empty = rendered(with_given(script="#!/bin/bash\n")).size
    filled = f"#!/bin/bash\n{'#' * (BYTES_LIMIT - empty)}"
    made = rendered(with_given(script=filled))
    assert (made.size, made.compressed) == (BYTES_LIMIT, False)
    assert "more than 90 %" in made.warnings[0]
    assert rendered(with_given(script=f"{filled}#")).compressed
    assert rendered(with_given(script=filled[:-2000])).warnings == ()


def test_all_problems_are_told_at_once_each_with_its_field():
    wish = with_given(script="poweroff\n", cloud_config="x", ecs_config=(("ECS_CLUSTER", "x"),))
    refusal = refused(replace(wish, market="Cheap"))
    assert [problem.path.removeprefix(POOL) for problem in refusal.problems] == [
        "",
        ".userData.ecsConfig.ECS_CLUSTER",
        ".userData.cloudConfig",
        ".userData.script",
    ]
    assert refusal.message().startswith(f"{POOL}: has the market 'Cheap'.")
    assert f"Also wrong: {POOL}.userData.ecsConfig.ECS_CLUSTER, " in refusal.message()
    same = refused(with_given(script="#!/bin/sh\npoweroff\nsystemctl start ecs\nhalt\n"))
    first, second, third = same.problems
    assert f"Also wrong: {second.what}, {third.what}." in same.message()
    assert same.message().count(first.path) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"region": "a b"},
        {"pool": "a\nb"},
        {"image_id": ""},
        {"cluster_id": '"'},
        {"environment_uid": "$x"},
        {"ecs_endpoint": "ecs.example.org\nX=1"},
    ],
)
def test_nothing_is_written_that_the_operator_filled_in_wrongly(wrong):
    assert refused(replace(PLAIN, **wrong)).problems[0].path.startswith("spec.capacity.pools[")


FRAGMENTS = st.sampled_from(
    [
        *("#!/bin/sh", "#cloud-config", "#cloud-boothook", "runcmd:", "power_state:", "systemctl"),
        *("MIME-Version: 1.0", "Content-Type:", "text/x-shellscript", "text/cloud-config"),
        *("multipart/mixed; boundary=X", "Content-Transfer-Encoding:", "base64", "--X", "--X--"),
        *("start", "docker", "if", "fi", "done", "sh", "-c", "<<E", "E", "$(", "`", "'", '"', "\\"),
        *("&&", "||", ">>", "(", ")", "{", "}", "[", "]", ":", "-", "&a", "*a", "!!x", "=?x?q?=?="),
        *("\n", " ", "\t", "\0", "\x1f\x8b", "é", "\ud800", "%", "~", "0"),
    ]
)


@given(
    st.sampled_from(["script", "cloud_config", "mime"]),
    st.lists(FRAGMENTS | st.just("\n"), max_size=40).map("".join),
    st.booleans(),
)
def test_there_is_an_answer_to_whatever_is_given(field, text, headed):
    heads = {"script": "#!/bin/sh\n", "cloud_config": "#cloud-config\n", "mime": "Content-Type: "}
    for given_text in (text, text.replace("\ud800", "")):
        made = render(with_given(**{field: heads[field] * headed + given_text}))
        if isinstance(made, Rendered):
            assert arrived(made.content)[-1][0] == "text/cloud-boothook"
        else:
            assert all(problem.why and problem.remedy for problem in made.problems)
