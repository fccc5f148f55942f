"""Keep the manifests that hand-written pages show equal to the files of examples/ that they name.

A page shows a file by a line that links to it, ends with a colon, and is followed by a block:

    [`examples/mpi/job.yaml`](../examples/mpi/job.yaml):

    ```yaml
    ```

Without arguments the blocks are filled from the files; with --check it says what would differ, and
fails if anything does. The files themselves are applied by tests.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(
    r"^(?P<head>\[`(?P<path>examples/[\w./-]+)`\]\(\.\./(?P=path)\):\n\n```yaml\n)(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def filled(page: str) -> str:
    """The page with each block that names a file as the file is."""
    return _BLOCK.sub(
        lambda match: f"{match['head']}{(ROOT / match['path']).read_text(encoding='utf-8')}```",
        page,
    )


def shown(page: str) -> list[str]:
    """The files that a page shows."""
    return [match["path"] for match in _BLOCK.finditer(page)]


def main(arguments: Sequence[str]) -> int:
    """Write or check; 1 if something differs."""
    differing = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        page = path.read_text(encoding="utf-8")
        if (wanted := filled(page)) != page:
            differing.append(path)
            if "--check" not in arguments:
                path.write_text(wanted, encoding="utf-8")
    if "--check" not in arguments:
        return 0
    for path in differing:
        print(
            f"{path.relative_to(ROOT)} shows another manifest than examples/; run: make reference"
        )
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
