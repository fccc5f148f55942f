"""`make docs-browser` finds what is wrong with a page. It needs Debian's chromedriver."""

import shutil

import pytest
from tools.browse_site import problems

pytestmark = [
    pytest.mark.skipif(not shutil.which("chromedriver"), reason="needs chromedriver"),
    pytest.mark.timeout(300),
]
PAGE = (
    '<!doctype html><meta name="viewport" content="width=device-width">'
    '<link rel="icon" href="data:,">'
)


def told(folder, body):
    (folder / "page.html").write_text(f"{PAGE}<article>{body}</article>")
    return list(problems(folder, (390,), None))


def test_a_page_that_is_as_it_should_be_is_not_told(tmp_path):
    assert told(tmp_path, "<p>words</p>") == []


def test_each_fault_is_told(tmp_path):
    body = '<div style="width:600px">w</div><img src="none.svg"><script>throw Error("oh")</script>'
    found = {each.split(": ")[1]: each for each in told(tmp_path, body)}
    assert found.keys() == {"too wide", "broken pictures", "errors"}
    assert found["too wide"].startswith("page.html at 390: ")
    assert 'style="width:600px"' in found["too wide"]
    assert "none.svg" in found["broken pictures"]
    assert "Error: oh" in found["errors"]


def test_what_is_asked_of_another_host_is_told(tmp_path):
    found = told(tmp_path, '<img src="http://127.0.0.1:9/x.png" style="display:none">')
    assert any("asked of other hosts: http://127.0.0.1:9/x.png" in each for each in found)
