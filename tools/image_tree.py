"""What of the installed packages goes into the images, and what of their base is taken away.

The Dockerfile runs this, and the tests and `make bench` use the same functions on a tree of their
own, so that no second list of files has to be kept. It needs nothing but Python, because it runs
where nothing else is installed:

    python tools/image_tree.py packages SITE_PACKAGES   the operator's; with that tree's own Python
    python tools/image_tree.py simulator SITE_PACKAGES  moto answers for many services: all data
    python tools/image_tree.py base ROOT
"""

import compileall
import re
import shutil
import sys
from collections.abc import Collection, Iterable
from importlib import import_module
from pathlib import Path, PurePosixPath
from py_compile import PycInvalidationMode

# Of use to who compiles against a package, checks types with it, or tests it.
SOURCES = frozenset({".c", ".cpp", ".h", ".pxd", ".pxi", ".pyi", ".pyx"})
TESTS = frozenset({"test", "tests"})
# What installs packages. Nothing is installed into an image that runs.
INSTALLERS = re.compile(r"(pip|setuptools|pkg_resources|wheel|_distutils_hack)([-_.].*)?")
# What must never be there: parts of the repository for trials, and what only tests need.
TRIALS = ("awsbatch_node", "awsbatch_sandbox", "awsbatch_simulator", "hypothesis", "moto", "pytest")

# What is read when a client is made (aws/models.py), with what botocore adds to the model.
_MODELS = re.compile(r"(service-2(\.sdk-extras)?|endpoint-rule-set-1)\.json(\.gz)?")
_BASE = re.compile(
    r"usr/(local/)?("
    r"lib/python3(\.\d+)?/(ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo|config-[^/]*)"
    r"|lib/python3(\.\d+)?/(site|dist)-packages/(pip|setuptools|pkg_resources|wheel)([-.][^/]*)?"
    r"|share/python-wheels|include"
    r"|bin/(pip|idle|2to3|pydoc|python3?(\.\d+)?-config)[\d.]*"
    r")"
)
# A C compiler, an assembler or a linker of any distribution, and what drives them.
COMPILER = re.compile(r"(.*-)?(gcc|g\+\+|cc|c\+\+|clang(\+\+)?|as|ld|tcc|make|rustc|go)(-[\d.]+)?")


def unwanted(
    files: Iterable[PurePosixPath], services: Collection[str] | None
) -> list[PurePosixPath]:
    """Which of these files under site-packages are left out.

    `services`: those of AWS that are called, of whose models the newest is kept; None: all.
    """
    every = list(files)
    models = [path for path in every if path.match("botocore/data/*/*/*")]
    newest: dict[str, str] = {}
    for path in models:
        service, version = path.parts[2:4]
        newest[service] = max(newest.get(service, ""), version)
    kept = {
        path
        for path in models
        if services is None
        or (
            path.parts[2] in services
            and path.parts[3] == newest[path.parts[2]]
            and _MODELS.fullmatch(path.name)
        )
    }
    refused = set(models) - kept
    return [path for path in every if path in refused or _of_no_use(path)]


def _of_no_use(path: PurePosixPath) -> bool:
    return (
        path.suffix in SOURCES
        or bool(TESTS & set(path.parts[:-1]))
        or bool(INSTALLERS.fullmatch(path.parts[0]))
    )


def unwanted_of_base(directories_and_files: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Which of these under / are taken out of the base, each with all that is in it."""
    return [path for path in directories_and_files if _BASE.fullmatch(str(path))]


def forbidden(files: Iterable[PurePosixPath]) -> list[PurePosixPath]:
    """Which of these files under site-packages must not be in the operator's image."""
    return [
        path
        for path in files
        if _of_no_use(path)
        or path.parts[0].partition("-")[0] in TRIALS
        or COMPILER.fullmatch(path.name)
    ]


def uncompiled(site: Path) -> list[PurePosixPath]:
    """Modules that each start would compile anew, because nothing can be written there."""
    return [
        path
        for path in files_of(site)
        if path.suffix == ".py" and not any((site / path.parent).glob(_compiled_name(path)))
    ]


def _compiled_name(path: PurePosixPath) -> str:
    return f"__pycache__/{path.stem}.{sys.implementation.cache_tag}.pyc"


def files_of(root: Path) -> list[PurePosixPath]:
    """All files under a directory, in order."""
    found = (path for path in root.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(PurePosixPath(path.relative_to(root)) for path in found)


def prune(site: Path, services: Collection[str] | None) -> None:
    """Take out of site-packages what no image needs, and compile the rest.

    What is compiled is valid without a look at its source: whatever times the files get when they
    are copied from layer to layer, no start compiles them again.
    """
    for path in unwanted(files_of(site), services):
        (site / path).unlink()
    _remove_empty(site)
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        there = (line for line in lines if (site / line.partition(",")[0].strip('"')).exists())
        record.write_text("".join(there), encoding="utf-8")
    compiled = compileall.compile_dir(
        site, quiet=1, force=True, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
    )
    if not compiled:
        raise SystemExit(f"something in {site} cannot be compiled")


def _remove_empty(site: Path) -> None:
    directories = (path for path in site.rglob("*") if path.is_dir() and not path.is_symlink())
    for directory in sorted(directories, reverse=True):  # what is in one comes before it
        if not any(directory.iterdir()):
            directory.rmdir()


def prune_base(root: Path) -> None:
    """Take out of a base what installs, builds, documents and tests."""
    below = (PurePosixPath(path.relative_to(root)) for path in (root / "usr").rglob("*"))
    for path in unwanted_of_base(below):
        if (root / path).is_dir() and not (root / path).is_symlink():
            shutil.rmtree(root / path)
        else:
            (root / path).unlink()


def called_services() -> frozenset[str]:
    """The services that the operator of this tree calls."""
    table = import_module("awsbatch_operator.aws.call_table")
    return frozenset(call.service for call in table.CALLS)


def main(what: str, place: str) -> None:
    """Do one of the three things that this module is for."""
    match what:
        case "packages":
            prune(Path(place), called_services())
        case "simulator":
            prune(Path(place), None)
        case "base":
            prune_base(Path(place))
        case _:
            raise SystemExit(f"there is no {what!r}: packages, simulator or base")


if __name__ == "__main__":
    main(*sys.argv[1:])
