"""MIME messages: the user's read, ours written, and what we wrote read again as a check.

Written so that cloud-init reads back every byte. It decodes the message to a text before it parses
it, and Python's parser then spoils characters beyond ASCII in an 8bit body; so such a part is
base64, and only ASCII stands as it is. Names of files and headers are ours or cleaned.
"""

import binascii
import re
import zlib
from email import message_from_bytes
from email.generator import BytesGenerator
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from io import BytesIO

from awsbatch_operator.api.names import short_hash
from awsbatch_operator.userdata.model import TEXT_LIMIT, Part, Problem

# What cloud-init makes of the first characters of a part (cloudinit.handlers).
_BEGINNINGS = (
    ("#cloud-config-archive", "text/cloud-config-archive"),
    ("#cloud-config-jsonp", "text/cloud-config-jsonp"),
    ("## template: jinja", "text/jinja2"),
    ("#cloud-boothook", "text/cloud-boothook"),
    ("#include-once", "text/x-include-once-url"),
    ("#part-handler", "text/part-handler"),
    ("#cloud-config", "text/cloud-config"),
    ("#include", "text/x-include-url"),
    ("#!", "text/x-shellscript"),
)
TYPES = frozenset(kind for _, kind in _BEGINNINGS) | {
    "text/x-shellscript-per-boot",
    "text/x-shellscript-per-instance",
    "text/x-shellscript-per-once",
}
_TOLD_BY_CONTENT = frozenset({"text/plain", "text/x-not-multipart", "text/x-shellscript"})
_KEPT_HEADERS = ("Merge-Type", "X-Merge-Type", "Launch-Index")
_GZIP = frozenset(f"application/{kind}" for kind in ("gzip", "x-gzip", "x-gunzip"))
_NESTED = 20  # messages in each other; one is enough
_OUTSIDE_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_BROKEN = {
    "StartBoundaryNotFoundDefect": "the line that begins its first part is missing",
    "NoBoundaryInMultipartDefect": "its Content-Type names no boundary",
    "MultipartInvariantViolationDefect": "it has no parts",
    "MissingHeaderBodySeparatorDefect": "a line among its headers is none",
    "FirstHeaderLineIsContinuationDefect": "it begins with a blank",
    "InvalidBase64PaddingDefect": "the base64 of a part is broken",
    "InvalidBase64CharactersDefect": "the base64 of a part is broken",
    "InvalidBase64LengthDefect": "the base64 of a part is broken",
}


def told_by_content(text: str) -> str:
    """What cloud-init takes a text for, by its first characters; empty if for nothing."""
    start = text.lstrip()[:32].lower()
    return next((kind for beginning, kind in _BEGINNINGS if start.startswith(beginning)), "")


def read(text: str, path: str) -> tuple[Part, ...] | Problem:
    """The parts of a message that a user gave, in their order."""
    try:
        return _read(text.lstrip(), path)
    except (RecursionError, LookupError, ValueError, TypeError, AttributeError):
        # Python's parser, which cloud-init uses as well, does not bear every header.
        why = "cloud-init could not read it either"
        return Problem(path, "cannot be read as a MIME message", why, "Write it anew, more plainly")


def _read(text: str, path: str) -> tuple[Part, ...] | Problem:
    lowered = text.lower()
    if lowered.count("multipart/") + lowered.count("message/") > _NESTED:
        why = "Python's parser, which cloud-init uses as well, goes into each by itself"
        return Problem(path, "nests too many messages", why, "Put all parts into one message")
    message = message_from_bytes(text.encode())
    if "Content-Type" not in message:
        why = "cloud-init would take it for something else, or ignore it"
        remedy = "Begin with Content-Type: multipart/mixed, or give a script in script"
        return Problem(path, "is no MIME message: it has no Content-Type", why, remedy)
    parts: list[Part] = []
    for number, leaf in enumerate(_leaves(message), 1):
        made = _part(leaf, number, path)
        if isinstance(made, Problem):
            return made
        parts.append(made)
    if broken := _broken(message):
        why = "cloud-init would see other parts than were meant, or none"
        return Problem(path, f"is no valid MIME message: {broken}", why, "Correct the message")
    return tuple(parts)


def _leaves(message: Message) -> list[Message]:
    """The parts that hold something; an empty one comes of a last line without its `--`."""
    return [
        each
        for each in message.walk()
        if each.get_content_maintype() != "multipart"
        and ("Content-Type" in each or str(each.get_payload()).strip())
    ]


def _broken(message: Message) -> str:
    for each in message.walk():
        for defect in each.defects:
            if words := _BROKEN.get(type(defect).__name__):
                return words
    if message.get_content_maintype() == "multipart" and not message.is_multipart():
        return "it has no parts"
    return ""


def _part(leaf: Message, number: int, path: str) -> Part | Problem:
    text = _text(leaf)
    if text is None:
        why = "cloud-init could not read it either"
        return Problem(
            path, f"part {number} is no text", why, "Encode it as UTF-8, or leave it out"
        )
    kind = leaf.get_content_type()
    if kind in _TOLD_BY_CONTENT or kind in _GZIP:
        # cloud-init leaves x-shellscript as it is when the content tells nothing else.
        kind = told_by_content(text) or kind
    if kind not in TYPES:
        why = "cloud-init ignores parts of this type"
        remedy = "Give it the Content-Type text/x-shellscript, text/cloud-config or the like"
        return Problem(path, f"part {number} has the type {kind}", why, remedy)
    headers = tuple((name, str(leaf[name])) for name in _KEPT_HEADERS if name in leaf)
    name = leaf.get_filename("")
    return Part(kind, _OUTSIDE_NAMES.sub("-", name), text.replace("\r", ""), _clean(headers))


def _clean(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, " ".join(value.split())) for name, value in headers)


def _text(leaf: Message) -> str | None:
    payload = leaf.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return None
    try:
        if leaf.get_content_type() in _GZIP:
            opened = zlib.decompressobj(wbits=31)
            payload = opened.decompress(payload, TEXT_LIMIT)
            if not opened.eof:
                return None
        return payload.decode(leaf.get_content_charset("utf-8"))
    except (LookupError, ValueError, zlib.error, binascii.Error):
        return None


def written(parts: tuple[Part, ...]) -> str:
    """The parts as one multipart message, the same for the same parts."""
    outer = MIMEMultipart("mixed", boundary=_boundary(parts))
    for part in parts:
        outer.attach(_attachment(part))
    to = BytesIO()
    BytesGenerator(to, mangle_from_=False, maxheaderlen=0, policy=compat32).flatten(outer)
    return to.getvalue().decode("ascii")


def compressed(content: bytes) -> bytes:
    """As a gzip file without a time, which cloud-init opens by itself."""
    packer = zlib.compressobj(level=9, wbits=31)
    return packer.compress(content) + packer.flush()


def survives(text: str, parts: tuple[Part, ...]) -> bool:
    """Whether a parser that is given the message finds just these parts."""
    leaves = _leaves(message_from_bytes(text.encode("ascii")))
    found = [
        (leaf.get_content_type(), leaf.get_filename(""), leaf.get_payload(decode=True))
        for leaf in leaves
    ]
    return found == [(part.content_type, part.filename, part.text.encode()) for part in parts]


def _boundary(parts: tuple[Part, ...]) -> str:
    """A line that stands in none of the parts, and is the same for the same parts."""
    content = [text for part in parts for text in (part.content_type, part.filename, part.text)]
    count = 0
    while True:
        boundary = f"awsbatch-{short_hash(str(count), *content, digits=16)}"
        if not any(boundary in part.text for part in parts):
            return boundary
        count += 1


def _attachment(part: Part) -> Message:
    maintype, subtype = part.content_type.split("/", 1)
    made = MIMENonMultipart(maintype, subtype, policy=compat32, charset="utf-8")
    del made["MIME-Version"]  # stands once, at the head of the message
    if part.text.isascii() and "\0" not in part.text:
        made["Content-Transfer-Encoding"] = "7bit"
        made.set_payload(part.text)
    else:
        made["Content-Transfer-Encoding"] = "base64"
        made.set_payload(_base64(part.text.encode()))
    if part.filename:
        made.add_header("Content-Disposition", "attachment", filename=part.filename)
    for name, value in part.headers:
        made[name] = value
    return made


def _base64(content: bytes) -> str:
    """In lines of 76 characters, as MIME wants them."""
    lines = (content[start : start + 57] for start in range(0, len(content), 57))
    return "".join(binascii.b2a_base64(line).decode("ascii") for line in lines)
