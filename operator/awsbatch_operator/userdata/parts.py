"""The user's parts: what was given in script, cloudConfig and mime, each checked."""

from collections.abc import Mapping
from dataclasses import replace

from awsbatch_operator.userdata import cloud_config, lint, message
from awsbatch_operator.userdata.lint import Place, Runs
from awsbatch_operator.userdata.model import (
    AGENT_PART,
    BOOTHOOK,
    CLOUD_CONFIG,
    DEADLINE_PART,
    SHELL_SCRIPT,
    TEXT_LIMIT,
    Checked,
    Part,
    Problem,
    UserData,
)

SCRIPT_PART = "script"
CLOUD_CONFIG_PART = "cloud-config"
BOOTHOOK_PART = "boothook"
# Without a first line that names a program the kernel would not run it.
SHEBANG = "#!/bin/bash\n"
BOOTHOOK_SHEBANG = "#!/bin/sh\n"

_MARKER = "#cloud-boothook"
_OURS = (AGENT_PART, DEADLINE_PART)
_ELSEWHERE: Mapping[str, str] = {
    CLOUD_CONFIG: "Give it in cloudConfig",
    "text/jinja2": "Give it in mime, as a part of type text/jinja2",
    "text/cloud-config-archive": "Give it in mime, as a part of type text/cloud-config-archive",
    "text/cloud-config-jsonp": "Give it in mime, as a part of type text/cloud-config-jsonp",
    "text/x-include-url": "Give it in mime, as a part of type text/x-include-url",
    "text/x-include-once-url": "Give it in mime, as a part of type text/x-include-once-url",
    "text/part-handler": "Give it in mime, as a part of type text/part-handler",
}
_UNSEEN = frozenset(_ELSEWHERE) - {CLOUD_CONFIG}
_SCRIPTS = frozenset(
    {
        SHELL_SCRIPT,
        BOOTHOOK,
        "text/x-shellscript-per-boot",
        "text/x-shellscript-per-instance",
        "text/x-shellscript-per-once",
    }
)
_AT_EVERY_BOOT = frozenset({BOOTHOOK, "text/x-shellscript-per-boot"})


def users_parts(wish: UserData) -> tuple[tuple[Part, ...], Checked]:
    """The user's parts in the order in which they are sent, and what is wrong with them."""
    looks: list[Checked] = []
    parts: list[Part] = []
    for field, given in _texts(wish).items():
        if not given:
            continue
        path = wish.path("userData", field)
        made = _too_large(path, given) or _read(field, path, given)
        if isinstance(made, Problem):
            looks.append(Checked((made,)))
            continue
        looks.append(_checked(made, path, numbered=field == "mime"))
        parts += [_runnable(part) for part in made]
    looks.append(_together(parts, wish))
    return tuple(parts), Checked.all_of(looks)


def _texts(wish: UserData) -> dict[str, str]:
    given = wish.given
    return {
        field: text.replace("\r", "")
        for field, text in (
            ("mime", given.mime),
            ("cloudConfig", given.cloud_config),
            ("script", given.script),
        )
    }


def _too_large(path: str, text: str) -> Problem | None:
    if len(text) > TEXT_LIMIT:
        what = f"has {len(text):,} characters, more than {TEXT_LIMIT:,}"
        why = "EC2 takes 16 KiB of user data, which so long a text does not fit even compressed"
        return Problem(path, what, why, "Bake it into the image, or load it from S3 in the script")
    if any("\ud800" <= character <= "\udfff" for character in text):
        why = "It cannot be written as UTF-8"
        return Problem(path, "has half of a character", why, "Write the whole character")
    return None


def _read(field: str, path: str, text: str) -> tuple[Part, ...] | Problem:
    if field == "mime":
        return message.read(text, path)
    if field == "cloudConfig":
        return (Part(CLOUD_CONFIG, CLOUD_CONFIG_PART, text),)
    kind = message.told_by_content(text)
    why = "script holds a script or, if it begins with #cloud-boothook, a boothook"
    if kind in _ELSEWHERE:
        return Problem(path, f"holds {kind}", why, _ELSEWHERE[kind])
    if text.lstrip()[:13].lower() in {"mime-version:", "content-type:"}:
        return Problem(path, "holds a MIME message", why, "Give it in mime")
    if kind == BOOTHOOK:
        return (Part(BOOTHOOK, BOOTHOOK_PART, text),)
    return (Part(SHELL_SCRIPT, SCRIPT_PART, text),)


def _runnable(part: Part) -> Part:
    """With a first line that names the program which runs it: the kernel runs nothing without."""
    if part.content_type not in _SCRIPTS:
        return part
    text = part.text
    if part.content_type == BOOTHOOK:
        body = _body(text)
        shebang = "" if body.lstrip().startswith("#!") else BOOTHOOK_SHEBANG
        text = f"{_MARKER}\n{shebang}{body.removeprefix(chr(10))}"
    elif not text.lstrip().startswith("#!"):
        text = SHEBANG + text
    return replace(part, text=text)


def _body(boothook: str) -> str:
    """A boothook without its marker, which cloud-init takes away as well."""
    text = boothook.lstrip()
    return text[len(_MARKER) :] if text.lower().startswith(_MARKER) else text


def _checked(parts: tuple[Part, ...], path: str, *, numbered: bool) -> Checked:
    return Checked.all_of(
        [
            _look(part, f"{path}, part {number}" if numbered else path, header=not numbered)
            for number, part in enumerate(parts, 1)
        ]
    )


def _look(part: Part, path: str, *, header: bool) -> Checked:
    if part.content_type == CLOUD_CONFIG:
        return cloud_config.check(part.text, path, header=header)
    if part.content_type not in _SCRIPTS:
        return Checked.all_of([lint.lines(part.text, path), _unseen(part, path)])
    program = _body(part.text).lstrip() if part.content_type == BOOTHOOK else part.text
    if program.lstrip().startswith("#!") and not program.startswith("#!"):
        why = "The kernel finds the program that runs a script only by its very first characters"
        remedy = "Take away the blanks and empty lines before #!"
        return Checked((Problem(path, "has something before #!", why, remedy),))
    runs = Runs.ALWAYS if part.content_type in _AT_EVERY_BOOT else Runs.ONCE
    return lint.script(part.text, Place(path, runs), shell=lint.is_shell(program))


def _unseen(part: Part, path: str) -> Checked:
    said = f"{path} is {part.content_type}: what it brings to the instance cannot be checked here."
    return Checked(warnings=(said,) if part.content_type in _UNSEEN else ())


def _together(parts: list[Part], wish: UserData) -> Checked:
    """What is wrong with the parts beside each other."""
    path = wish.path("userData", "mime")
    problems = []
    names = [part.filename for part in parts if part.filename and part.content_type in _SCRIPTS]
    for name in sorted({name for name in names if names.count(name) > 1 or name in _OURS}):
        why = "cloud-init keeps each script under its name, so that one would replace the other"
        problems.append(Problem(path, f"has two parts named {name}", why, "Rename the part"))
    configs = [part for part in parts if part.content_type == CLOUD_CONFIG]
    if len(configs) > 1 and wish.given.cloud_config:
        why = "cloud-init lets the later of two replace what the earlier says under the same name"
        remedy = "Put what cloudConfig says into that part"
        there = wish.path("userData", "cloudConfig")
        problems.append(Problem(there, "is given beside a cloud-config in mime", why, remedy))
    merged = all(part.headers or "merge_" in part.text for part in configs[1:])
    said = (
        f"{path} has {len(configs)} parts of cloud-config: of what two say under the same name "
        "only the later counts, unless it has a Merge-Type header."
    )
    return Checked(tuple(problems), (said,) if len(configs) > 1 and not merged else ())
