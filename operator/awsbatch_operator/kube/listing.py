"""Read a list as it comes in, object by object.

A list of 20,000 jobs is 70 MB of JSON, and five times that as Python objects; one object at a time
is a few KB. Asking for pages instead is small, too, but costs the API server several times as much:
from the second page on it reads from etcd what it has in its cache (measured: 15.7 s of processor
time in pages of 500, 3.1 s at once, on 1.36).
"""

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NotRequired, TypedDict

import msgspec

from awsbatch_operator.kube.errors import Answer

# In a list's JSON nothing with a key of this name can stand before its items.
_BEGIN = re.compile(r'"items"\s*:\s*\[')
_NO_ITEMS = re.compile(r'"items"\s*:\s*null')
_BETWEEN = re.compile(r"[\s,]*")


class ListReader:
    """Takes the bytes of a list in pieces and gives its items. `complete` after the last one."""

    def __init__(self) -> None:
        self._text = ""
        self._bytes = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()
        self._begun = False
        self.complete = False

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The items that are whole with this piece."""
        self._text += self._bytes.decode(piece)
        at = 0 if self._begun else self._begin()
        while self._begun and not self.complete:
            start = _end_of(_BETWEEN, self._text, at)
            if self._text.startswith("]", start):
                self.complete = True
                break
            try:
                item, at = self._json.raw_decode(self._text, start)
            except json.JSONDecodeError:  # the rest of the item is still to come
                at = start
                break
            yield item
        self._text = self._text[at:]

    def _begin(self) -> int:
        """Where the first item may stand, once that is known."""
        found = _BEGIN.search(self._text)
        if found is not None:
            self._begun = True
            return found.end()
        self.complete = _NO_ITEMS.search(self._text) is not None
        return 0


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()


class ListPage(NamedTuple):
    """One page of a list, and the token for the next; "" after the last one."""

    token: str
    items: Sequence[Mapping[str, Any]]


class _Version(TypedDict):
    name: str
    namespace: NotRequired[str]
    uid: str
    resourceVersion: str


class _Object(TypedDict):
    metadata: _Version


_Continued = TypedDict("_Continued", {"continue": NotRequired[str]})


class _Versions(TypedDict):
    metadata: _Continued
    items: list[_Object] | None


_VERSIONS = msgspec.json.Decoder(_Versions)


def versions_page(answer: Answer) -> ListPage:
    """What identifies each object and its version; UnavailableError if that is not what came.

    All the rest is not even made into values: the managed fields alone would be hundreds of them
    for each object, in a pass over all objects that finds nothing to do (see docs/decisions).
    """
    try:
        read = _VERSIONS.decode(answer.body)
    except msgspec.MsgspecError:
        return whole_page(answer)
    return ListPage(read["metadata"].get("continue", ""), read["items"] or ())


def whole_page(answer: Answer) -> ListPage:
    """Whole objects, or a refusal, which may bring a token; UnavailableError if it is neither."""
    read = answer.json()
    return ListPage(read.get("metadata", {}).get("continue", ""), read.get("items") or ())
