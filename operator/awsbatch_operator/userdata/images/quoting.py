"""Texts of others inside a script of ours: every one a word or a quoted here-document.

The script stays in ASCII without carriage returns: cloud-init turns a script's line ends into its
own, and a part with other characters would be sent in base64, which hardly compresses.
"""

import base64
import shlex

from awsbatch_operator.api.names import short_hash

_LABEL_CHARACTERS = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/@+-"
)
_LABEL_LENGTH = 64
_FSTAB = {" ": "\\040", "\t": "\\011", "\n": "\\012", "\\": "\\134", "#": "\\043"}
_LINE = 76  # characters of base64
_END = "END_OF_CONTENT"


def word(text: str) -> str:
    """The text as one word of bash; a NUL, which no word can hold, is left out."""
    if text.isascii() and text.isprintable():
        return shlex.quote(text)
    # Bash reads two digits behind `\\x` and no more, so whatever follows stays what it is.
    return "$'" + "".join(f"\\x{each:02x}" for each in _bytes(text) if each) + "'"


def call(function: str, *words: str) -> str:
    """A line that calls a function of ours with these words."""
    return " ".join([function, *(word(each) for each in words)]) + "\n"


def feeding(function: str, *words: str, content: str) -> str:
    """A call with the content as its standard input, to the byte."""
    line = call(function, *words).rstrip("\n")
    if not _stands_as_it_is(content):
        return f"base64 -d <<'{_END}' | {line}\n{_base64(_bytes(content))}{_END}\n"
    end = _END
    while f"\n{end}\n" in f"\n{content}":
        end = f"{_END}_{short_hash(end, content)}"
    return f"{line} <<'{end}'\n{content}{end}\n"


def _stands_as_it_is(content: str) -> bool:
    """Whether a here-document holds just this: lines of ASCII, the last one ended."""
    if not content.endswith("\n"):
        return False
    return all(each.isprintable() or each in "\n\t" for each in content) and content.isascii()


def _base64(content: bytes) -> str:
    text = base64.b64encode(content).decode("ascii")
    return "".join(f"{text[start : start + _LINE]}\n" for start in range(0, len(text), _LINE))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def label(text: str) -> str:
    """The text as a word of a marker: without blanks, and short."""
    kept = "".join(each if each in _LABEL_CHARACTERS else "-" for each in text[:_LABEL_LENGTH])
    return kept or "-"


def fstab_word(text: str) -> str:
    """The text as one field of /etc/fstab (fstab(5): blanks and the like in octal)."""
    return "".join(_FSTAB.get(each, each) for each in text)


def unit_word(text: str) -> str:
    """The text as one word of a setting in a systemd unit (systemd.syntax(7), systemd.unit(5))."""
    text = text.replace("%", "%%")
    if text.isascii() and all(each.isalnum() or each in "/._-%:@+=," for each in text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'
