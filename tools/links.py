"""Check that every link and anchor of our own pages leads somewhere, without asking any network.

Pages are README.md, CONTRIBUTING.md and whatever Markdown lies under docs/, deploy/ and examples/.
Of the manifests under examples/ and deploy/, comments are looked at: a path of this repository that
one names has to be there.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("*.md", "docs/**/*.md", "deploy/**/*.md", "examples/**/*.md")
COMMENTED = ("examples/**/*.yaml", "deploy/**/*.yaml")

FENCE = re.compile(r"^(?P<in> *)```.*?^(?P=in)```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)
# A path below one of our folders, up to a blank or what ends a clause.
_PATH = re.compile(r"(?<![\w./-])((?:docs|deploy|examples|tools)/[\w./-]*\w)")


def pages() -> list[Path]:
    """All pages, in a fixed order."""
    return sorted(path for pattern in PLACES for path in ROOT.glob(pattern))


def outside_fences(text: str) -> str:
    """The text without its blocks of code, in which nothing is a link or a heading."""
    return FENCE.sub("", text)


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site make it."""
    words = re.sub(r"\]\([^)]*\)", "", heading)  # of a link, its text counts
    return re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings; equal ones are numbered."""
    found: set[str] = set()
    for heading in _HEADING.findall(outside_fences(text)):
        first = here = slug(heading)
        number = 0
        while here in found:
            number += 1
            here = f"{first}-{number}"
        found.add(here)
    return found


def links(text: str) -> list[str]:
    """What the links and pictures of a page name within the repository."""
    return [link for link in LINK.findall(outside_fences(text)) if "://" not in link]


def broken_links(page: Path, text: str) -> Iterator[str]:
    """What of the page's links is not there, told with what is wrong."""
    for link in links(text):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(ROOT) or not target.exists():
            yield f"{page.relative_to(ROOT)}: {link}: there is no such file"
        elif anchor and anchor not in anchors(text if target == page else _read(target)):
            yield f"{page.relative_to(ROOT)}: {link}: no heading there has this anchor"


def broken_paths(manifest: Path, text: str) -> Iterator[str]:
    """Paths of this repository that a manifest's comments name and that are not there."""
    for path in _PATH.findall(" ".join(_COMMENT.findall(text))):
        if not (ROOT / path).exists():
            yield f"{manifest.relative_to(ROOT)}: its comment names {path}, which is not there"


def main() -> int:
    """Print every problem; 1 if there is any."""
    found = [problem for page in pages() for problem in broken_links(page, _read(page))]
    manifests = sorted(path for pattern in COMMENTED for path in ROOT.glob(pattern))
    found += [problem for path in manifests for problem in broken_paths(path, _read(path))]
    print("\n".join(found) if found else "links: nothing to mend")
    return 1 if found else 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
