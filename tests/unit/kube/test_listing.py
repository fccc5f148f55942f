"""A list is read object by object, however it is cut into pieces."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awsbatch_operator.kube.listing import ListReader

ITEMS = [
    {"metadata": {"name": "a"}, "spec": {"text": 'ends with ], "items": [ and a \\ "quote"'}},
    {"metadata": {"name": "ü€😀"}, "spec": {"items": [1, 2, [3]], "empty": {}}},
    {},
]


def read(*pieces: bytes) -> tuple[list, bool]:
    reader = ListReader()
    items = [item for piece in pieces for item in reader.feed(piece)]
    return items, reader.complete


def document(items: object, *, indent: int | None = None, ascii_only: bool = False) -> bytes:
    body = {
        "apiVersion": "v1",
        "items": items,
        "kind": "List",
        "metadata": {"resourceVersion": "9"},
    }
    return json.dumps(body, indent=indent, ensure_ascii=ascii_only).encode()


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_pieces_of_any_size_give_the_same_items(size: int, indent: int | None):
    text = document(ITEMS, indent=indent)
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert read(*pieces) == (ITEMS, True)


@pytest.mark.parametrize("items", [[], None])
def test_an_empty_list_is_whole(items: object):
    assert read(document(items)) == ([], True)


def test_a_list_that_breaks_off_is_not_whole():
    text = document(ITEMS)
    for end in range(text.index(b'"kind"') - 2):
        items, complete = read(text[:end])
        assert not complete
        assert items == ITEMS[: len(items)]


@pytest.mark.parametrize("text", [b"", b"<html>", b"{}", b'{"kind":"Status"}'])
def test_what_is_no_list_is_not_whole(text: bytes):
    assert read(text) == ([], False)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=4), st.data())
def test_any_items_cut_anywhere_come_out_as_they_are(items: list, data: st.DataObject):
    text = document(items, ascii_only=data.draw(st.booleans()))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    edges = [0, *cuts, len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]
    assert read(*pieces) == (items, True)
