"""The parts of user data, as cloud-init takes it apart.

Sources: cloud-init's documentation, "User data formats"; EC2 User Guide "Run commands when you
launch an EC2 instance with user data input".
"""

import base64
import binascii
import email
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum

LARGEST = 1_048_576  # bytes of a part, unpacked; more is a mistake or an attack


class Kind(StrEnum):
    """What cloud-init does with a part."""

    BOOTHOOK = "boothook"
    SCRIPT = "shell script"
    PER_BOOT = "per-boot script"
    PER_INSTANCE = "per-instance script"
    PER_ONCE = "per-once script"
    CONFIG = "cloud-config"
    OTHER = "ignored"


@dataclass(frozen=True, slots=True)
class Part:
    """One part, unpacked."""

    kind: Kind
    name: str
    text: str
    type: str  # MIME
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case


_TYPES = {
    "text/cloud-boothook": Kind.BOOTHOOK,
    "text/x-shellscript": Kind.SCRIPT,
    "text/x-shellscript-per-boot": Kind.PER_BOOT,
    "text/x-shellscript-per-instance": Kind.PER_INSTANCE,
    "text/x-shellscript-per-once": Kind.PER_ONCE,
    "text/cloud-config": Kind.CONFIG,
}
# How a text begins that does not say its type; longer beginnings first.
_BEGINNINGS = (
    ("#cloud-config-archive", "text/cloud-config-archive"),
    ("#cloud-config-jsonp", "text/cloud-config-jsonp"),
    ("#cloud-config", "text/cloud-config"),
    ("#cloud-boothook", "text/cloud-boothook"),
    ("#include", "text/x-include-url"),
    ("#part-handler", "text/part-handler"),
    ("#upstart-job", "text/upstart-job"),
    ("## template: jinja", "text/jinja2"),
    ("#!", "text/x-shellscript"),
)
_UNTYPED = frozenset({"text/plain", "text/x-not-multipart", "application/octet-stream"})
_PACKED = frozenset({"application/gzip", "application/x-gzip", "application/x-compressed"})


def content(encoded: str) -> bytes:
    """The bytes of UserData as a request has them: base64. What is none is taken for nothing."""
    try:
        return base64.b64decode(encoded, validate=False)
    except (binascii.Error, ValueError):
        return b""


def parts(data: bytes) -> tuple[Part, ...]:
    """All parts, in their order."""
    return tuple(
        _part(payload, declared, headers, number)
        for number, (payload, declared, headers) in enumerate(_pieces(_unpacked(data)), start=1)
    )


def _unpacked(data: bytes) -> bytes:
    """Out of gzip, if it is in it; of a broken or an endless stream what came first."""
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return zlib.decompressobj(wbits=47).decompress(data, LARGEST)
    except zlib.error:
        return data


def _pieces(data: bytes) -> Iterator[tuple[bytes, str, dict[str, str]]]:
    """Payload, declared type and headers of each part; without MIME it is one part."""
    if not data.strip():
        return
    if b"mime-version:" not in data[:4096].lower():
        yield data, "text/x-not-multipart", {}
        return
    for each in email.message_from_bytes(data).walk():
        if not each.is_multipart():
            yield _payload(each), each.get_content_type(), _headers(each)


def _payload(part: Message) -> bytes:
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _headers(part: Message) -> dict[str, str]:
    found = {name.lower(): str(value) for name, value in part.items()}
    found["filename"] = part.get_filename() or ""
    return found


def _part(payload: bytes, declared: str, headers: dict[str, str], number: int) -> Part:
    if declared in _PACKED or payload.startswith(b"\x1f\x8b"):
        payload, declared = _unpacked(payload), "text/plain"
    text = payload.decode("utf-8", errors="replace")
    if declared in _UNTYPED:
        declared = next((kind for start, kind in _BEGINNINGS if text.startswith(start)), declared)
    name = headers.get("filename", "").rpartition("/")[2].strip(". \n") or f"part-{number:03d}"
    return Part(_TYPES.get(declared, Kind.OTHER), name, text, declared, headers)
