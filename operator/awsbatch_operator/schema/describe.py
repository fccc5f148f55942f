"""Descriptions of AWS's members for `kubectl explain`: a line of ours, and where to read on."""

import re

_REFERENCE = "https://docs.aws.amazon.com/batch/latest/APIReference/API_{page}.html"
_WORD = re.compile(r"[A-Z]?[a-z]+(?=[A-Z0-9]|$)|[A-Z]+(?=[A-Z][a-z]|[0-9]|$)|[A-Z]+[a-z]*|[0-9]+")


def describe(parent: str, name: str, doc: str = "") -> str:
    """The line of the overlay, or one made from the member's name, and its page at AWS.

    `parent` is the name of the shape that the member is in; an operation's input has the
    operation's own page.
    """
    page = parent.removesuffix("Request") if parent.endswith("Request") else parent
    return f"{doc or _sentence(name)} See {_REFERENCE.format(page=page)}"


def _sentence(name: str) -> str:
    words = " ".join(word if word.isupper() else word.lower() for word in _WORD.findall(name))
    return f"{words[:1].upper()}{words[1:]}, as AWS Batch defines it."
