"""The house rules that a linter does not know: who may import whom, and what every file owes its reader."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("data", "analysis", "queries", "wording", "exports", "bandup", "ui", "pages", "dashboard")
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


@cache
def imports(path: Path) -> list[tuple[str, str]]:
    """Each import as (module, name), wherever it stands in the file; name is empty for a plain `import`."""
    modules: list[tuple[str, str]] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            modules += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            modules += [(node.module or "", alias.name) for alias in node.names]
    return modules


def roots(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {module.split(".")[0] for module, _ in imports(path)}


def of(part: str) -> list[Path]:
    return [path for path in CODE if path.parts[0] == part]


def test_there_is_code_to_look_at() -> None:
    # Guards the other tests: with a wrong folder all of them would pass.
    assert {path.parts[0] for path in CODE} == {
        "data",
        "analysis",
        "queries",
        "wording",
        "exports",
        "bandup",
        "ui",
        "pages",
        "dashboard.py",
    }


@pytest.mark.parametrize(
    ("packages", "places"),
    [
        ({"boto3", "botocore", "mypy_boto3_dynamodb", "moto"}, ("data",)),
        ({"streamlit"}, ("dashboard.py", "pages", "ui")),
        ({"plotly"}, ("ui/components/charts.py",)),
        ({"matplotlib"}, ("exports/report",)),
        ({"genanki"}, ("exports/anki.py",)),
    ],
    ids=[
        "AWS only in data",
        "Streamlit only in ui, pages and dashboard.py",
        "Plotly only in ui/components/charts.py",
        "matplotlib only in exports/report",
        "genanki only in exports/anki.py",
    ],
)
def test_a_library_stays_in_its_place(packages: set[str], places: tuple[str, ...]) -> None:
    strays = [
        str(path)
        for path in SOURCES
        if path.parts[0] not in ("tests", "bench")
        and roots(path) & packages
        and not any(path.is_relative_to(place) for place in places)
    ]
    assert strays == []


@pytest.mark.parametrize(
    ("part", "allowed"),
    [
        ("data", {"data"}),
        ("analysis", {"analysis", "data"}),
        ("wording", {"wording", "analysis", "data"}),
        ("exports", {"exports", "wording", "analysis", "data"}),
        ("queries", {"queries", "analysis", "data"}),
        ("bandup", {"bandup", "queries", "exports", "wording", "analysis", "data"}),
        ("ui", {"ui", "queries", "exports", "wording", "analysis", "data"}),
        ("pages", {"ui", "queries", "analysis", "data", "wording"}),
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
        if module.split(".")[0] == "data"
        and module not in ("data.schema", "data.records.frames", "data.letters")  # what is declared, or reads nothing
        and (module, name) != ("data.records", "frames")
        and not name[:1].isupper()
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


# Streamlit reads these as Markdown: what is said first, and what is said by these names.
MARKDOWN = {
    *("markdown", "write", "write_stream", "caption", "info", "error", "warning", "success", "title", "header", "Page"),
    *("subheader", "metric", "expander", "tabs", "popover", "button", "page_link", "link_button", "download_button"),
    *("form_submit_button", "toggle", "checkbox", "radio", "segmented_control", "pills", "feedback", "toast", "status"),
    *("spinner", "table", "selectbox", "multiselect", "text_input", "text_area", "number_input", "date_input"),
    *("time_input", "datetime_input", "file_uploader", "slider", "select_slider", "progress", "badge", "dialog"),
    *("latex", "set_page_config"),
}
SAID = {"label", "body", "help", "title", "delta_description", "explain", "page_title", "text"}
# Ours that hand what they are told to Streamlit: the same holds where they are called. Which of the arguments it is.
HANDED_ON = {
    **dict.fromkeys(("filters.choice", "filters.option", "filters.number", "filters.day", "filters.switch"), (0,)),
    **dict.fromkeys(("filters.search", "grid.moment", "moment", "choice", "open_page"), (0,)),
    **dict.fromkeys(("finder.id_finder", "id_finder"), (0, 1, 2)),
    **dict.fromkeys(("link", "downloads.report", "profile.ask_whose"), (1,)),
    "grid.right_aligned": (0, 1),
    **dict.fromkeys(("downloads.table", "button"), ()),
    "downloads.button": (0,),
}
COLUMNS = {"TextColumn", "NumberColumn", "DatetimeColumn", "LineChartColumn", "Column", "LinkColumn", "ListColumn"}
# What is said and is neither a literal nor made of formats alone: whose words it is.
OURS_TO_SAY = {
    "names of our own pages": ["ui/shell/navigation.py title"],
    "checked where it is called, see HANDED_ON": {
        *(
            "ui/components/filters.py label",
            "ui/components/filters.py explain",
            "ui/components/grid.py label",
            "ui/components/grid.py explain",
        ),
        *(
            "ui/shell/page.py title",
            "ui/shell/navigation.py label",
            "ui/components/downloads.py label",
            "ui/components/downloads.py explain",
            "ui/components/printing.py label",
            "ui/students/profile.py label",
        ),
        *("ui/students/finder.py label", "ui/students/finder.py explain"),
        *("ui/students/record.py label", "ui/students/side_by_side.py label"),
    },
    "the name of a period, from a list of ours": {
        *("pages/jobs.py period.name", "ui/quality/findings.py period.name"),
        *("ui/students/overview.py period.name", "ui/students/tables.py period"),
    },
    "a time zone that the computer knows": {
        "ui/setup/restore.py clock.zone.key",
    },
    "a number": {"ui/students/cards.py known", "ui/students/cards.py number", "ui/shell/loading.py share"},
    "one of literals some lines above": {
        *(
            "ui/quality/findings.py name",
            "ui/quality/findings.py explain",
            "ui/students/cards.py label",
        ),
        *(
            "ui/jobs/summary.py name",
            "ui/jobs/summary.py explain",
        ),
        *("ui/students/overview.py label", "ui/students/overview.py explain", "ui/setup/templates.py name"),
        *(
            "ui/students/profile.py name",
            "ui/students/tables.py name",
            "ui/students/tables.py low",
            "ui/students/tables.py high",
        ),
    },
    "a criterion or index of the specification": {
        "ui/students/tables.py criterion",
        "ui/setup/plan.py step.detail",
    },
    "the title of a tab, which is plain text": {"ui/shell/page.py foreign_text.short(tab or title, 60)"},
    "an account's number, from AWS": {"ui/setup/plan.py account"},
    "a day, or an id of plain letters and digits alone": {"ui/students/recurring.py label"},
    "the tab's title, which is no Markdown": {"ui/shell/page.py foreign_text.short(tab or title, 60)"},
    "made of numbers or literals near by": {
        *("ui/jobs/marking.py jobs_asked", "ui/components/long_read.py *say(step)"),
        "pages/student.py profile.none_left(of_task, history, period)",
    },
}
PERMITTED = {entry: reason for reason, entries in OURS_TO_SAY.items() for entry in entries}


def foreign(node: ast.expr) -> list[str]:
    """The parts of an expression that may be words of others.

    Literals, constants (in capitals), `formats`, lengths, and what is written as a number are not.
    """
    if isinstance(node, ast.Constant):
        return []
    if isinstance(node, ast.List):
        return [part for element in node.elts for part in foreign(element)]
    if isinstance(node, ast.JoinedStr):
        return [part for value in node.values for part in foreign(value)]
    if isinstance(node, ast.FormattedValue):
        # A text cannot be written with a “,” or as “g”: that would raise.
        numeric = node.format_spec is not None and ast.unparse(node.format_spec).strip("f'\"") in (",", "g", "+,")
        return [] if numeric else foreign(node.value)
    if isinstance(node, ast.IfExp):
        return foreign(node.body) + foreign(node.orelse)
    if isinstance(node, ast.BinOp):
        return foreign(node.left) + foreign(node.right)
    if isinstance(node, ast.Subscript):
        return foreign(node.value)
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if name.lstrip("_").isupper():
            return []
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called == "len" or called.startswith("formats."):
            return []
    return [ast.unparse(node)]


def said_as_markdown(call: ast.Call) -> list[ast.expr]:
    """The arguments of a call that Streamlit reads as Markdown."""
    called = ast.unparse(call.func)
    name = called.rsplit(".", 1)[-1]
    receiver = called.rpartition(".")[0].split(".")[0].split("(")[0]
    if called in HANDED_ON:
        places = HANDED_ON[called]
    elif name in COLUMNS or (name in MARKDOWN and receiver in ("st", "links", "column", "columns", "box", "bar")):
        # A page's file comes first in these.
        places = () if name in ("page_link", "Page") else (0,)
    else:
        return []
    arguments = [argument for place, argument in enumerate(call.args) if place in places]
    return arguments + [keyword.value for keyword in call.keywords if keyword.arg in SAID]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('st.info("ours")', []),
        ('st.info(f"{formats.count(3, name)} and {len(rows):,} {TITLE}")', []),
        ('st.info(f"of {name}")', ["name"]),
        ('st.button("a" if b else row["user_id"])', ["row"]),
        ('st.text_input("a", help="b" + explain)', ["explain"]),
        ("column.markdown(evaluation.transcript)", ["evaluation.transcript"]),
        ("st.metric(str(band), 1)", ["str(band)"]),
        ('filters.choice(name, names, key="a")', ["name"]),
        ("link(STUDENT, user_id)", ["user_id"]),
        ("markup.heading(name)", []),
    ],
)
def test_the_rule_on_markdown_sees_what_it_should(source: str, expected: list[str]) -> None:
    call = ast.parse(source, mode="eval").body
    assert isinstance(call, ast.Call)
    assert [part for argument in said_as_markdown(call) for part in foreign(argument)] == expected


def test_markdown_never_reads_words_of_others() -> None:
    strays, used = [], set()
    for path in [*of("ui"), *of("pages")]:
        if "streamlit" not in roots(path) and path.parts[0] != "pages":
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                for argument in said_as_markdown(node):
                    for part in foreign(argument):
                        entry = f"{path.as_posix()} {part}"
                        used.add(entry)
                        if entry not in PERMITTED:
                            strays.append(f"{path}:{node.lineno} {ast.unparse(node.func)}: {part}")
    assert strays == []
    # What is permitted and not there any more would permit something else one day.
    assert set(PERMITTED) - used == set()


def test_only_one_module_makes_html_and_none_lets_markdown_make_it() -> None:
    strays = [
        f"{path}:{node.lineno}"
        for path in [*of("ui"), *of("pages"), *of("dashboard.py")]
        for node in ast.walk(tree(path))
        if (
            isinstance(node, ast.Attribute)
            and ast.unparse(node) == "st.html"
            and path.as_posix() != "ui/components/markup.py"
        )
        # A template is a literal: what goes into it is escaped by `format`, `join` and `+`.
        or (
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in ("Markup", "markupsafe.Markup")
            and (
                path.as_posix() != "ui/components/markup.py"
                or not (isinstance(node.args[0], ast.Constant) or ast.unparse(node.args[0]) == "PRINTS")
            )
        )
        or (isinstance(node, ast.keyword) and node.arg == "unsafe_allow_html")
        # One script, whose hash the server allows.
        or (
            isinstance(node, ast.keyword)
            and node.arg == "unsafe_allow_javascript"
            and path.as_posix() != "ui/components/markup.py"
        )
        or (isinstance(node, ast.Attribute) and ast.unparse(node).startswith(("st.components", "st.iframe")))
    ]
    assert strays == []


def test_figures_hold_words_of_others_only_escaped() -> None:
    texts = {
        part
        for node in ast.walk(tree(Path("ui/components/charts.py")))
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if isinstance(key, ast.Constant) and key.value in ("text", "name", "hovertemplate", "hovertext", "ticktext")
        for part in foreign(value)
        if not part.startswith(
            ("_literal(", "html.escape(", "[formats.band(", "formats.level(", "[f'{start:%H:%M}<br>")
        )
    }
    # A skill's, a state's or a criterion's name; a model's, made by `_literal`; and what the lines above it made.
    assert texts <= {"name", "[name]", "words", "counted", "labels", "SKILL_NAMES[skill]"}


def test_no_test_module_imports_another() -> None:
    strays = [
        f"{path} imports {module}"
        for path in SOURCES
        if path.parts[0] in ("tests", "bench", "docs", ".ci")
        for module, name in imports(path)
        if module.startswith("tests.") and (module.split(".")[-1].startswith("test_") or name.startswith("test_"))
    ]
    assert strays == []


def test_aws_is_mocked_by_a_fixture_alone_since_that_empties_the_demo_too() -> None:
    assert [str(path) for path in SOURCES if ("moto", "mock_aws") in imports(path)] == ["tests/conftest.py"]


def test_every_package_is_known() -> None:
    folders = {path.parts[0] for path in SOURCES if len(path.parts) > 1}
    assert folders == {*OURS, "tests", "bench", "docs", ".ci"} - {"dashboard"}


def test_values_have_the_names_of_what_they_are() -> None:
    empty = {"found", "said", "shown", "told", "wanted"}
    named = [
        f"{path} has {name}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        for name in [getattr(node, "id", None) or getattr(node, "arg", None) or getattr(node, "name", None)]
        if name in empty
    ]
    assert named == []
