"""Check the house rules that no linter knows: sizes, the layout, and sums that lose parts."""

import ast
import subprocess
import sys
from pathlib import Path

MODULE_LINES = 300
FUNCTION_LINES = 40
ROOT = Path(__file__).resolve().parent.parent


def python_files() -> list[Path]:
    """All Python files that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).exists()]


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its `def` to its end, the docstring aside."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def loses(node: ast.AugAssign) -> bool:
    """Whether it reads what tasks share, waits, and writes the sum: what came meanwhile is lost."""
    waits = any(isinstance(part, ast.Await) for part in ast.walk(node.value))
    return waits and not isinstance(node.target, ast.Name)


def problems(path: Path) -> list[str]:
    """What one file has against the house rules."""
    name = path.relative_to(ROOT)
    text = path.read_text(encoding="utf-8")
    found = []
    lines = text.count("\n")
    if lines > MODULE_LINES:
        found.append(f"{name}: {lines} lines; a module has up to {MODULE_LINES}: split it")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.AugAssign) and loses(node):
            found.append(f"{name}:{node.lineno}: await first, then add: the sum is shared")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = code_lines(node)
            if size > FUNCTION_LINES:
                found.append(
                    f"{name}:{node.lineno}: {node.name} has {size} lines; "
                    f"a function has up to {FUNCTION_LINES}"
                )
    return found


def main() -> int:
    """Print every problem; 1 if there is any."""
    found = [problem for path in python_files() for problem in problems(path)]
    if (ROOT / "operator" / "__init__.py").exists():
        found.append("operator/__init__.py: it shadows the standard library's operator; remove it")
    print("\n".join(found) if found else "house rules: nothing to mend")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
