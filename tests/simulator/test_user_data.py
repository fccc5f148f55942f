"""User data taken apart, and the order of a boot, as cloud-init has them."""

import base64
import gzip
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from awsbatch_simulator.host import cloudconfig, userdata
from awsbatch_simulator.host.plan import plan
from awsbatch_simulator.host.userdata import Kind, parts

FEW = settings(max_examples=settings().max_examples // 3)
CONFIG = "#cloud-config\nruncmd:\n- echo run\nbootcmd:\n- echo boot\npackages: [jq]\n"


def mime(*given: tuple[str, str, str]) -> bytes:
    """Multipart MIME of (subtype, file name, text)."""
    message = MIMEMultipart()
    for subtype, name, text in given:
        part = MIMEText(text, subtype)
        if name:
            part.add_header("Content-Disposition", "attachment", filename=name)
        message.attach(part)
    return message.as_bytes()


def steps(data: bytes, do: str) -> list[dict[str, Any]]:
    return [step for step in plan(parts(data)).steps if step["do"] == do]


def names(data: bytes) -> list[str]:
    return [step["name"] for step in steps(data, "run")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("#!/bin/sh\necho", Kind.SCRIPT),
        ("#cloud-config\nruncmd: []", Kind.CONFIG),
        ("#cloud-boothook\n#!/bin/sh", Kind.BOOTHOOK),
        ("#include\nhttp://example.com", Kind.OTHER),
        ("#part-handler\n", Kind.OTHER),
        ("## template: jinja\n#cloud-config\n", Kind.OTHER),
        ("echo no first line", Kind.OTHER),
    ],
)
def test_a_single_text_is_known_by_its_beginning(text, kind):
    [part] = parts(text.encode())
    assert part.kind is kind
    assert parts(gzip.compress(text.encode()))[0].kind is kind


def test_parts_of_a_multipart_have_their_declared_type_and_plain_ones_their_beginnings():
    data = mime(
        ("cloud-boothook", "", "#!/bin/sh\n"),
        ("x-shellscript", "mine.sh", "echo\n"),
        ("plain", "", "#cloud-config\n"),
        ("x-other", "", "what\n"),
    )
    found = [(part.kind, part.name) for part in parts(data)]
    assert found == [
        (Kind.BOOTHOOK, "part-001"),
        (Kind.SCRIPT, "mine.sh"),
        (Kind.CONFIG, "part-003"),
        (Kind.OTHER, "part-004"),
    ]


def test_boothooks_run_first_then_bootcmd_and_at_last_scripts_by_name():
    data = mime(
        ("x-shellscript", "z.sh", "#!/bin/sh\n"),
        ("x-shellscript", "", "#!/bin/sh\n"),
        ("cloud-config", "", CONFIG),
        ("cloud-boothook", "", "#cloud-boothook\necho early\n"),
    )
    assert names(data) == ["part-004", "bootcmd", "part-002", "runcmd", "z.sh"]
    hook = steps(data, "run")[0]
    assert hook["content"] == "#!/bin/sh\necho early\n"
    assert [each["call"] for each in steps(data, "record")] == [["dnf", "-y", "install", "jq"]]


def test_of_two_cloud_configs_the_later_member_counts_unless_lists_are_to_be_appended():
    first = "#cloud-config\nruncmd: [echo 1]\nbootcmd: [echo 2]\n"
    later = "#cloud-config\nruncmd: [echo 3]\n"
    merged, _ = cloudconfig.merged(parts(mime(("plain", "", first), ("plain", "", later))))
    assert merged == {"runcmd": ["echo 3"], "bootcmd": ["echo 2"]}
    how = 'merge_how: "list(append)+dict(recurse_array)+str()"\n'
    merged, _ = cloudconfig.merged(parts(mime(("plain", "", first), ("plain", "", later + how))))
    assert merged["runcmd"] == ["echo 1", "echo 3"]


def test_a_cloud_config_that_is_no_yaml_is_left_out_and_the_console_says_so():
    broken = "#cloud-config\n{ no: [yaml\n"
    assert names(mime(("plain", "", broken), ("plain", "", "#!/bin/sh\n"))) == ["part-002"]
    said = " ".join(step["text"] for step in steps(broken.encode(), "say"))
    assert "Failed loading yaml blob of part-001" in said


def test_files_are_decoded_and_deferred_ones_come_late():
    files = [
        {"path": "/late", "content": "a", "defer": True},
        {"path": "/a", "content": base64.b64encode(b"one").decode(), "encoding": "b64"},
        {"path": "/b", "content": base64.b64encode(gzip.compress(b"two")), "encoding": "gz+b64"},
        {"path": "/c", "content": "three", "permissions": "0755", "append": True},
    ]
    text = "#cloud-config\n" + yaml.safe_dump({"write_files": files})
    found = [
        (s["path"], s["content"], s["mode"], s["append"]) for s in steps(text.encode(), "write")
    ]
    assert found == [
        ("/a", "one", 0o644, False),
        ("/b", "two", 0o644, False),
        ("/c", "three", 0o755, True),
        ("/late", "a", 0o644, False),
    ]


def test_a_list_in_runcmd_is_one_command_with_its_words():
    text = '#cloud-config\nruncmd:\n- [echo, "a b"]\n- echo $x\n'
    [script] = steps(text.encode(), "run")
    assert script["content"] == "#!/bin/sh\necho 'a b'\necho $x\n"


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
MEMBERS = st.dictionaries(st.sampled_from([*cloudconfig.DONE, "merge_how"]), WORDS)


@FEW
@given(MEMBERS)
def test_whatever_a_cloud_config_has_the_boot_is_planned(members):
    text = "#cloud-config\n" + yaml.safe_dump(members)
    assert plan(parts(text.encode())).steps


@FEW
@given(st.binary(max_size=200), st.sampled_from([b"", b"#cloud-config\n", b"MIME-Version: 1.0\n"]))
def test_whatever_the_user_data_is_it_is_taken_apart(data, start):
    assert plan(parts(start + data)).steps
    assert isinstance(userdata.content(data.decode("latin-1")), bytes)
