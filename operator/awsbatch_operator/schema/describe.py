"""Descriptions of AWS's members for `kubectl explain`: a line of ours, and where to read on.

A structure points at its own page of AWS's reference; the members below it name themselves there.
"""

import re

_REFERENCE = "https://docs.aws.amazon.com/batch/latest/APIReference/API_{page}.html"
_WORD = re.compile(r"[A-Z]?[a-z]+(?=[A-Z0-9]|$)|[A-Z]+(?=[A-Z][a-z]|[0-9]|$)|[A-Z]+[a-z]*|[0-9]+")


def reference(shape: str) -> str:
    """The page of a shape; an operation's input has the operation's own page."""
    return _REFERENCE.format(page=shape.removesuffix("Request"))


def describe(parent: str, name: str, *, doc: str = "", structure: str = "") -> str:
    """The line of our table, or one made from the member's name, and where to read on.

    `parent` is the name of the shape that the member is in, `structure` that of the structure
    that the member is, or that it is a list of.
    """
    line = doc or _sentence(name)
    if structure:
        return f"{line} See {reference(structure)}"
    return f"{line} AWS API: {parent.removesuffix('Request')}.{name}"


def _sentence(name: str) -> str:
    words = " ".join(word if word.isupper() else word.lower() for word in _WORD.findall(name))
    return f"{words[:1].upper()}{words[1:]}, as AWS Batch defines it."
