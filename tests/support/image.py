"""The tree of packages that the operator's image has, made here without a container engine.

The files are those that are installed here, of the packages in requirements/runtime.txt and no
others; what is left out and compiled is decided by the code that the Dockerfile runs.
"""

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from tools import image_tree

from awsbatch_sandbox.paths import REPOSITORY

ENTRY = "import sys; from awsbatch_operator.__main__ import main; sys.exit(main())"


class Tree:
    """A Python of its own under a directory, with the operator's packages and nothing else."""

    def __init__(self, directory: Path) -> None:
        words = [sys.executable, "-m", "venv", "--without-pip", str(directory)]
        subprocess.run(words, check=True)
        self.python = directory / "bin" / "python"
        variables = {"base": str(directory), "platbase": str(directory)}
        self.site = Path(sysconfig.get_path("purelib", "venv", variables))
        for name in locked():
            _copy(metadata.distribution(name), self.site)
        ours = "awsbatch_operator"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / "operator" / ours, self.site / ours, ignore=ignored)
        image_tree.prune(self.site, image_tree.called_services())

    @property
    def bytes(self) -> int:
        """The sizes of all files together."""
        return sum((self.site / path).stat().st_size for path in image_tree.files_of(self.site))

    def words(self, *arguments: str) -> list[str]:
        """Command line of the operator in this tree; nothing comes from anywhere else."""
        return [str(self.python), "-I", "-c", ENTRY, *arguments]

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script in this tree."""
        words = [str(self.python), "-I", "-W", "error::ImportWarning", "-c", script]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)


def locked() -> list[str]:
    """The packages of the image that this platform needs."""
    text = (REPOSITORY / "requirements" / "runtime.txt").read_text(encoding="utf-8")
    lines = re.findall(r"^([\w.-]+)==\S+(.*)$", text, re.MULTILINE)
    return [name for name, more in lines if "win32" not in more]


def _copy(package: metadata.Distribution, site: Path) -> None:
    for file in package.files or ():
        source = Path(str(package.locate_file(file)))
        if ".." in file.parts or not source.is_file() or "__pycache__" in file.parts:
            continue  # a script in bin, or what is compiled anew
        target = site / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
