"""Write the pages of the site into .site/pages: what docs/ has, and whatever of ours it links to.

Pages in the repository link to each other as they lie there, so that they can be read there. The
site has docs/ at its top, so links are written anew here. A folder of examples/ becomes one page:
its README, and each of its files. Any other file that is linked becomes a page that shows it, and
any other folder a list.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tools.links import FENCE, LINK, ROOT, slug

PAGES = ROOT / ".site" / "pages"
STYLE = ROOT / "tools" / "site.css"
LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".py": "python", ".sh": "bash"}
# docs/index.md is what the site opens with.
RENAMED = {"README.md": "about.md"}
# In a list, Markdown as GitHub reads it goes on at the text's column; the site's reads four.
_ITEM = re.compile(r"(?P<mark>[-*]|\d+\.) +(?=\S)")
_STEP = 4


@dataclass(slots=True)
class Site:
    """The pages made so far, and what they still link to."""

    made: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, Path] = field(default_factory=dict)
    waiting: list[Path] = field(default_factory=list)

    def add(self, path: Path) -> None:
        """Make a page of a file or folder, and of all that it links to."""
        self.waiting.append(path)
        while self.waiting:
            source = _page_of(self.waiting.pop())
            if (place := place_of(source)) not in self.made:
                self.made[place] = ""  # pages link to each other
                self.made[place] = self._linked(text_of(source), source, place)

    def _linked(self, text: str, source: Path, place: str) -> str:
        """The text with its links as the site has them."""
        here = source if source.is_dir() else source.parent
        parts = _split(text)
        return "".join(
            part
            if is_code
            else LINK.sub(lambda match: self._link(match.group(), here, place), part)
            for part, is_code in parts
        )

    def _link(self, link: str, here: Path, place: str) -> str:
        path, _, anchor = link.partition("#")
        if "://" in link or not path:
            return link
        target = (here / path).resolve()
        if target.suffix == ".svg":
            found = place_of(target)
            self.pictures[found] = target
        else:
            self.waiting.append(target)
            found = place_of(_page_of(target))
            anchor = anchor or _anchor_in_example(target)
        relative = os.path.relpath(found, PurePosixPath(place).parent)
        return f"{relative}#{anchor}" if anchor else relative


def place_of(source: Path) -> str:
    """Where in the site a file or a folder of the repository is."""
    path = source.relative_to(ROOT)
    if source.is_dir():
        path = path / "README.md"
    elif path.suffix not in {".md", ".svg"}:
        path = path.with_name(f"{path.name}.md")
    name = path.as_posix()
    return RENAMED.get(name, name.removeprefix("docs/"))


def _example_of(source: Path) -> Path | None:
    """The folder right below examples/ that a file or folder is in."""
    examples = ROOT / "examples"
    if not source.is_relative_to(examples):
        return None
    top = examples / (*source.relative_to(examples).parts, "")[0]
    return top if top.is_dir() and top != examples else None


def _page_of(target: Path) -> Path:
    """What is shown where something is linked: an example as a whole, a folder by its README."""
    target = _example_of(target) or target
    if _example_of(target) is None and target.is_dir() and (target / "README.md").exists():
        return target / "README.md"
    return target


def _anchor_in_example(target: Path) -> str:
    """Where on the page of its example a file is shown, or the first one of a folder in it."""
    folder = _example_of(target)
    if folder is None or target in {folder, folder / "README.md"}:
        return ""
    shown = target if target.is_file() else next(_files(target))
    return slug(shown.relative_to(folder).as_posix())


def text_of(source: Path) -> str:
    """The page of a file or a folder, in Markdown whose links are the repository's."""
    if source.is_dir():
        return "".join(_example(source) if _example_of(source) else _list(source))
    text = source.read_text(encoding="utf-8")
    return text if source.suffix == ".md" else f"# {source.name}\n\n{_block(source, text)}"


def _example(folder: Path) -> Iterator[str]:
    """The README of an example, or what the list of examples says of it, and its files."""
    readme = folder / "README.md"
    if readme.exists():
        yield readme.read_text(encoding="utf-8")
    else:
        rows = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
        (about,) = re.findall(rf"^\| \[`{folder.name}`\]\S+ \| (.*) \|$", rows, re.MULTILINE)
        yield f"# {folder.name.replace('-', ' ').capitalize()}\n\n{about[0].upper()}{about[1:]}.\n"
    yield "\n## Its files\n\n"
    for path in sorted(folder.rglob("kustomization.yaml")):
        yield f"- `kubectl apply -k {path.parent.relative_to(ROOT).as_posix()}`\n"
    for path in _files(folder):
        text = path.read_text(encoding="utf-8")
        yield f"\n### {path.relative_to(folder).as_posix()}\n\n{_block(path, text)}"


def _files(folder: Path) -> Iterator[Path]:
    """What an example's page shows of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in {"README.md", "kustomization.yaml"} and _ours(path):
            yield path


def _list(folder: Path) -> Iterator[str]:
    """What is in a folder that has no README."""
    yield f"# {folder.name.capitalize()}\n\n"
    for path in filter(_ours, sorted(folder.iterdir())):
        title = path.name
        if path.suffix == ".md":
            title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        yield f"- [{title}]({path.name})\n"


def _ours(path: Path) -> bool:
    """Whether it is something that people wrote, not what tools have left there."""
    return "__pycache__" not in path.parts and not path.name.startswith(".")


def _block(path: Path, text: str) -> str:
    return f"````{LANGUAGES.get(path.suffix, 'text')}\n{text.rstrip()}\n````\n"


def _split(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is a block of code."""
    found, end = [], 0
    for match in FENCE.finditer(text):
        found += [(text[end : match.start()], False), (match.group(), True)]
        end = match.end()
    return [*found, (text[end:], False)]


def deepened(text: str) -> str:
    """The text with what goes on in a list's item indented as far as the site's reader wants."""
    lines, width = [], 0
    for line in text.splitlines():
        if match := _ITEM.match(line):
            width = len(match.group())
        elif line and not line.startswith(" "):
            width = 0
        elif width and line.startswith(" " * width):
            line = " " * (_STEP - width) + line  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


def collected() -> Site:
    """All pages of the site."""
    site = Site()
    for path in sorted((ROOT / "docs").rglob("*.md")):
        site.add(path)
    for path in sorted((ROOT / "examples").iterdir()):
        site.add(path)
    return site


def main() -> None:
    """Write them all, and nothing else."""
    site = collected()
    shutil.rmtree(PAGES, ignore_errors=True)
    for place, text in site.made.items():
        path = PAGES / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(deepened(text), encoding="utf-8")
    for place, source in site.pictures.items():
        path = PAGES / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
    shutil.copyfile(STYLE, PAGES / STYLE.name)


if __name__ == "__main__":
    main()
