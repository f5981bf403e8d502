"""The house rules that a linter does not know: who may import whom, and what every file owes its reader."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("data", "analysis", "ui", "pages", "dashboard")
SOURCES = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.py")
    if not any(
        part in ("node_modules", "venv", "env", "__pycache__") or (part.startswith(".") and part != ".ci")
        for part in path.relative_to(ROOT).parts
    )
)
CODE = [path for path in SOURCES if path.parts[0].removesuffix(".py") in OURS]


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: Path) -> list[tuple[str, str]]:
    """Each import as (module, name), wherever it stands in the file; name is empty for a plain `import`."""
    found: list[tuple[str, str]] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


def roots(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {module.split(".")[0] for module, _ in imports(path)}


def of(part: str) -> list[Path]:
    return [path for path in CODE if path.parts[0] == part]


def test_there_is_code_to_look_at() -> None:
    # Guards the other tests: with a wrong folder all of them would pass.
    assert {path.parts[0] for path in CODE} == {"data", "analysis", "ui", "pages", "dashboard.py"}


@pytest.mark.parametrize(
    ("packages", "places"),
    [
        ({"boto3", "botocore", "mypy_boto3_dynamodb", "moto"}, ("data",)),
        ({"streamlit"}, ("dashboard.py", "pages", "ui")),
        ({"plotly"}, ("ui/charts.py",)),
        ({"matplotlib"}, ("ui/drawing.py",)),
        ({"genanki"}, ("ui/anki.py",)),
    ],
    ids=[
        "AWS only in data",
        "Streamlit only in ui, pages and dashboard.py",
        "Plotly only in ui/charts.py",
        "matplotlib only in ui/drawing.py",
        "genanki only in ui/anki.py",
    ],
)
def test_a_library_stays_in_its_place(packages: set[str], places: tuple[str, ...]) -> None:
    strays = [
        str(path)
        for path in SOURCES
        if path.parts[0] not in ("tests", "bench")
        and roots(path) & packages
        and not any(path.parts[0] == place or path.as_posix() == place for place in places)
    ]
    assert strays == []


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("data", {"data"}),
        ("analysis", {"analysis", "data"}),
        ("ui", {"ui", "analysis", "data"}),
        ("pages", {"ui", "analysis", "data"}),
        ("dashboard.py", {"ui"}),
    ],
)
def test_imports_only_point_downwards(part: str, allowed: set[str]) -> None:
    ours = {*OURS, "tests", "bench", "conftest", "engines"}
    strays = {f"{path} imports {root}" for path in of(part) for root in (roots(path) & ours) - allowed}
    assert strays == set()


def test_analysis_takes_from_data_the_specification_and_types_alone() -> None:
    strays = [
        f"{path} imports {name or 'all'} of {module}"
        for path in of("analysis")
        for module, name in imports(path)
        # A type's name begins with a capital; a function that reads would not.
        if module.split(".")[0] == "data" and module != "data.schema" and not name[:1].isupper()
    ]
    assert strays == []


def test_no_page_imports_another_and_nobody_imports_pages() -> None:
    assert [str(path) for path in SOURCES if roots(path) & {"pages"}] == []


@pytest.mark.parametrize("path", of("pages"), ids=str)
def test_a_page_begins_by_opening_itself(path: Path) -> None:
    first, *rest = [
        node
        for node in tree(path).body
        if not isinstance(node, (ast.Import, ast.ImportFrom))
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
    ]
    assert isinstance(first, ast.With)
    (item,) = first.items
    assert isinstance(item.context_expr, ast.Call)
    assert isinstance(item.context_expr.func, ast.Name)
    assert item.context_expr.func.id == "open_page"
    # What stands after the block would run outside the error boundary.
    assert rest == []


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_module_is_named_after_nothing(path: Path) -> None:
    assert path.stem not in ("utils", "util", "helpers", "helper", "common", "misc")


@pytest.mark.parametrize("path", CODE, ids=str)
def test_every_module_says_in_one_line_what_it_owns(path: Path) -> None:
    text = ast.get_docstring(tree(path))
    assert text
    assert text.split("\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("path", [*of("data"), *of("analysis"), *of("ui")], ids=str)
def test_every_public_function_has_a_docstring_and_says_what_it_returns(path: Path) -> None:
    module = tree(path)
    functions = [node for node in module.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"class {node.name} has no docstring"
            functions += [member for member in node.body if isinstance(member, ast.FunctionDef)]
    for function in functions:
        if function.name.startswith("__"):
            assert function.returns, f"{function.name} does not say what it returns"
        elif not function.name.startswith("_"):
            assert ast.get_docstring(function), f"{function.name} has no docstring"
            assert function.returns, f"{function.name} does not say what it returns"


@pytest.mark.parametrize("path", of("analysis"), ids=str)
def test_analysis_has_no_clock_of_its_own(path: Path) -> None:
    calls = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert not calls & {"now", "utcnow", "today", "monotonic"}
