"""MIME messages of users: what is understood, and what is said of the rest."""

import base64
import gzip

import pytest
from tests.unit.userdata.wishes import CLOUD_CONFIG, MIME, refused, rendered, with_given

PATH = "spec.capacity.pools[name=main].userData.mime"
HEAD = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="X"\n\n'


def message(*parts: str, end: str = "--X--\n") -> str:
    return HEAD + "".join(f"--X\n{part}\n" for part in parts) + end


SCRIPT = "Content-Type: text/x-shellscript\n\n#!/bin/sh\ntrue\n"


def kinds(mime: str) -> list[str]:
    """The types of the user's parts."""
    return [part.content_type for part in rendered(with_given(mime=mime)).parts[:-1]]


def test_what_people_get_wrong_without_harm_is_understood():
    assert kinds(f"\n\n{message(SCRIPT)}") == ["text/x-shellscript"]
    assert kinds(message(SCRIPT, end="")) == ["text/x-shellscript"]
    assert kinds(message(SCRIPT).replace("MIME-Version: 1.0\n", "")) == ["text/x-shellscript"]
    assert kinds(message(SCRIPT).replace("\n", "\r\n")) == ["text/x-shellscript"]
    assert kinds(message(SCRIPT, end="--X\n")) == ["text/x-shellscript"]
    assert kinds(SCRIPT) == ["text/x-shellscript"]  # a message of one part
    nested = message(f'Content-Type: multipart/mixed; boundary="Y"\n\n--Y\n{SCRIPT}\n--Y--\n')
    assert kinds(nested) == ["text/x-shellscript"]


def test_a_part_is_taken_for_what_cloud_init_takes_it_for():
    assert kinds(message("Content-Type: text/plain\n\n#cloud-boothook\ntrue\n")) == [
        "text/cloud-boothook"
    ]
    assert kinds(message("Content-Type: text/x-shellscript\n\n#cloud-config\n{}\n")) == [
        "text/cloud-config"
    ]
    packed = base64.b64encode(gzip.compress(b"#!/bin/sh\ntrue\n")).decode()
    head = "Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n"
    assert kinds(message(head + packed)) == ["text/x-shellscript"]


@pytest.mark.parametrize(
    ("mime", "said"),
    [
        ("#!/bin/sh\n", "it has no Content-Type"),
        ("packages: [htop]\n", "it has no Content-Type"),
        ("Content-Type: multipart/mixed\n\n--X\n", "names no boundary"),
        ('Content-Type: multipart/mixed; boundary="Y"\n\n--X\nx\n--X--\n', "begins its first part"),
        (message("Content-Type: text/plain\n\nhello\n"), "part 1 has the type text/plain"),
        (message(SCRIPT, "Content-Type: image/png\n\nx\n"), "part 2 has the type image/png"),
        (
            message("Content-Type: text/x-shellscript; charset=ascii\n\n#!/bin/sh\n# é\n"),
            "part 1 is no text",
        ),
        (
            message("Content-Type: application/gzip\n\nnot packed\n"),
            "part 1 is no text",
        ),
    ],
)
def test_what_cloud_init_would_not_understand_is_refused(mime, said):
    (problem,) = refused(with_given(mime=mime)).problems
    assert problem.path == PATH
    assert said in problem.what


@pytest.mark.parametrize(
    "nested",
    [
        "".join(f"Content-Type: multipart/x; boundary=X{n}\n\n--X{n}\n" for n in range(900)),
        "Content-Type: message/rfc822\n\n" * 2000,
    ],
)
def test_messages_in_messages_without_end_are_refused(nested):
    assert refused(with_given(mime=nested)).problems[0].what == "nests too many messages"


def test_parts_are_looked_through_like_the_fields_and_named_by_their_number():
    bad = message(SCRIPT, "Content-Type: text/cloud-config\n\nruncmd: [systemctl start ecs]\n")
    (problem,) = refused(with_given(mime=bad)).problems
    assert problem.path == f"{PATH}, part 2"
    assert problem.what.startswith("runcmd[0] starts ecs")
    hidden = base64.b64encode(b"#!/bin/sh\nsystemctl start docker\n").decode()
    encoded = f"Content-Type: text/x-shellscript\nContent-Transfer-Encoding: base64\n\n{hidden}\n"
    assert "starts docker" in refused(with_given(mime=message(encoded))).problems[0].what


def test_what_cannot_be_looked_through_is_sent_with_a_warning():
    include = message("Content-Type: text/x-include-url\n\nhttps://example.org/x\n")
    assert rendered(with_given(mime=include)).warnings[0].startswith(f"{PATH}, part 1 is text/x-in")


def test_two_scripts_of_one_name_or_one_of_ours_are_refused():
    named = 'Content-Disposition: attachment; filename="a.sh"\n' + SCRIPT
    assert (
        "two parts named a.sh" in refused(with_given(mime=message(named, named))).problems[0].what
    )
    ours = 'Content-Disposition: attachment; filename="awsbatch-ecs-config"\n' + SCRIPT
    assert "awsbatch-ecs-config" in refused(with_given(mime=message(ours))).problems[0].what


def test_two_cloud_configs_are_warned_of_unless_they_say_how_they_merge():
    config = "Content-Type: text/cloud-config\n\npackages: [htop]\n"
    assert "only the later counts" in rendered(with_given(mime=message(config, config))).warnings[0]
    assert rendered(with_given(mime=MIME)).warnings == ()


def test_a_cloud_config_beside_one_in_the_message_is_refused():
    (problem,) = refused(with_given(mime=MIME, cloud_config=CLOUD_CONFIG)).problems
    assert problem.path.endswith(".userData.cloudConfig")
