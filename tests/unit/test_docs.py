"""README's claims, and what the configuration files promise: read from the same files that people read."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data import environment
from data.dynamodb.cost import USD_PER_READ_UNIT
from data.settings import COMMAND_VARIABLES, ENV_FILE, VARIABLES, Settings
from queries.access.rules import AccessError, AccessRules
from tests.support.colours import contrast
from tests.support.docs import DOCS, README, ROOT, doc, section
from ui.shell import navigation

TEXT = README.read_text(encoding="utf-8")
CONFIG = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
COMMANDS = (
    "pip install -r requirements.txt && streamlit run dashboard.py",
    "pip install -r requirements-dev.txt && pytest",
)


def table(text: str) -> dict[str, str]:
    """The rows of the tables in `text` whose first cell is code: that code -> its last cell."""
    rows = (line.strip().strip("|").split("|") for line in text.splitlines() if line.startswith("| `"))
    return {cells[0].strip().strip("`"): cells[-1].strip() for cells in rows}


def requirements(name: str) -> Iterator[tuple[str, str]]:
    """Each package that a requirements file names itself, with its bounds."""
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith(("#", "-r ")):
            package, bounds = re.fullmatch(r"([a-z0-9-]+)(?:\[[a-z,]+\])?(.*)", line, re.IGNORECASE).groups()  # type: ignore[union-attr]
            yield package, bounds


@pytest.mark.parametrize("command", COMMANDS)
def test_the_two_commands_are_lines_of_their_own_and_name_files_that_exist(command: str) -> None:
    assert TEXT.splitlines().count(command) == 1
    for name in re.findall(r"\S+\.(?:txt|py)", command):
        assert (ROOT / name).is_file()


def test_the_ci_takes_its_commands_from_the_readme() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "README.md" in script
    assert [command for command in COMMANDS if command in script or command.split(" && ")[0] in script] == []


class Recording(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, **variables: str) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.asked.add(str(key))
        return super().__contains__(key)


def test_the_table_of_settings_is_what_the_code_reads() -> None:
    asked: set[str] = set()
    for source in ("demo", "aws"):
        environ = Recording(BANDUP_SOURCE=source)
        Settings.read(environ)
        asked |= environ.asked
    # Where nothing is set, systemd and the desktop name the folder for what is kept.
    assert asked - {"STATE_DIRECTORY", "XDG_STATE_HOME"} | {ENV_FILE} == set(VARIABLES)
    assert set(table(section("Settings", README))) == set(VARIABLES)


def test_the_tables_of_what_the_commands_read_have_every_variable() -> None:
    named = re.findall(r"^\| `(BANDUP_\w+)` \|", doc("operations").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(COMMAND_VARIABLES)


def test_the_example_of_an_env_file_has_every_variable_and_can_be_used_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = ROOT / ".env.example"
    named = re.findall(r"^# ?([A-Z_]+)=", example.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) == set(VARIABLES) - {ENV_FILE} | {"AWS_PROFILE"}
    environ = {ENV_FILE: str(example)}
    environment.load(environ)
    assert Settings.read(environ) == Settings.read({})


def test_the_example_of_a_secrets_file_is_the_documented_one() -> None:
    block = re.search(r"```toml\n(.*?)```", section("Who may see what", doc("operations")), re.DOTALL)
    assert block
    example = (ROOT / ".streamlit/secrets.toml.example").read_text(encoding="utf-8")
    assert tomllib.loads(example) == tomllib.loads(block[1])


def test_the_table_of_test_variables_is_what_the_tests_read() -> None:
    read = set()
    for path in (ROOT / "tests").rglob("*.py"):
        read |= set(re.findall(r"environ\.get\(\s*\"(BANDUP_\w+)\"", path.read_text(encoding="utf-8")))
    assert {name for name in table(section("Testing", doc("contributing"))) if name.startswith("BANDUP_")} == read


def test_the_example_of_a_secrets_file_is_one_that_the_dashboard_takes() -> None:
    block = re.search(r"```toml\n(.*?)```", section("Who may see what", doc("operations")), re.DOTALL)
    assert block
    example = tomllib.loads(block[1])
    with pytest.raises(AccessError, match="cookie_secret is shorter"):
        AccessRules.read(example)
    example["auth"]["cookie_secret"] = "x" * 48
    rules = AccessRules.read(example)
    assert rules
    # Every name that may be in the file is in the example.
    assert rules == AccessRules(
        ops=frozenset({"olga@school.example"}),
        teachers=frozenset({"tran@school.example", "le@school.example"}),
        claim="groups",
        ops_values=frozenset({"bandup-ops"}),
        teacher_values=frozenset({"bandup-teachers"}),
        classes={"tran@school.example": frozenset({"Monday evening"}), "*": frozenset()},
    )


def test_every_page_has_its_paragraph_and_its_cost() -> None:
    called = {"overview": "Students", "audit": "Data quality"}  # their addresses stay as they were
    names = {called.get(path.stem, path.stem.capitalize()) for path in (ROOT / "pages").glob("*.py")}
    assert set(re.findall(r"^### (.+)$", section("Pages", README), re.MULTILINE)) == names
    described = set(re.findall(r"^## (.+)$", doc("pages").read_text(encoding="utf-8"), re.MULTILINE))
    assert described == names | {"On every page"}
    assert all(len(section(name, doc("pages"))) > 100 for name in described)
    priced = re.findall(r"^\| (\w[\w ]*) \|", section("What it costs", doc("performance")), re.MULTILINE)
    assert set(priced) - {"page"} == names


def test_the_table_of_names_and_addresses_is_that_of_the_menu() -> None:
    menu = {page: title for pages in navigation.MENU.values() for page, (title, _) in pages.items()}
    pages = {**menu, **navigation._UNLISTED}
    expected = {Path(page).name: (title, f"/{navigation._path(page)}") for page, title in pages.items()}
    row = r"^\| `(\w+\.py)` \| ([\w ]+)(?:; [^|]*)? \| `(/\w*)` \|$"
    rows = re.findall(row, doc("architecture").read_text(encoding="utf-8"), re.MULTILINE)
    assert {file: (title, address) for file, title, address in rows} == expected


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_package_is_there_for_a_reason_and_bounded_on_both_sides(name: str) -> None:
    reasons = table(section("Packages", doc("contributing")))
    for package, bounds in requirements(name):
        assert reasons.get(package), f"docs/contributing.md gives no reason for {package}"
        assert re.fullmatch(r">=[\d.]+,<[\d.]+", bounds), f"{package} is not bounded on both sides: {bounds}"


def test_the_readme_names_no_package_that_is_not_required() -> None:
    assert set(table(section("Packages", doc("contributing")))) == {
        package for name in REQUIREMENTS for package, _ in requirements(name)
    }


def test_pyproject_names_the_same_packages_as_the_requirements_files() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = {
        "requirements.txt": project["project"]["dependencies"],
        "requirements-dev.txt": project["dependency-groups"]["dev"],
    }
    for name, packages in named.items():
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert packages == [line for line in lines if line and not line.startswith(("#", "-r "))]


def test_the_policy_allows_what_the_store_calls_and_nothing_else() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "data/dynamodb").glob("*.py")]
    called = {
        "dynamodb:" + node.attr.title().replace("_", "")
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "client"
    }
    block = re.search(r"```json\n(.*?)```", section("Permissions", doc("operations")), re.DOTALL)
    assert block
    statements = json.loads(block[1])["Statement"]
    assert {action for statement in statements for action in statement["Action"]} == called
    # Reading by a click that costs more stands alone, so that it can be left out.
    assert [s["Action"] for s in statements if "dynamodb:Scan" in s["Action"]] == [["dynamodb:Scan"]]


def test_the_readme_is_short() -> None:
    assert len(TEXT.encode()) <= 12 * 1024


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    linked = [*re.findall(r"\]\((?!https?:|#)([^)#]+)", text), *re.findall(r'src="([^"]+)"', text)]
    assert [name for name in linked if not (path.parent / name).exists()] == []
    # What is gone is named in the history alone.
    if path.name in ("decisions.md", "CHANGELOG.md"):
        return
    named = re.findall(r"`((?:[\w.]+/)+[\w.]*|[\w-]+\.(?:txt|toml|json))`", text)
    # What git ignores is for the reader to write.
    own = tuple((ROOT / ".gitignore").read_text(encoding="utf-8").split())
    missing = [name for name in named if not (ROOT / name).exists()]
    assert [name for name in missing if not any(line.endswith(name) for line in own)] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_links_to_headings_lead_to_headings(path: Path) -> None:
    for name, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", path.read_text(encoding="utf-8")):
        target = path if not name else path.parent / name
        headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        assert anchor in anchors, f"{path.name} links to {name}#{anchor}"


FOLDERS = sorted(
    {
        path.parent.relative_to(ROOT).as_posix()
        for top in ("data", "analysis", "queries", "wording", "exports", "bandup", "ui", "pages", "bench")
        for path in (ROOT / top).rglob("[!_]*.py")
    }
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_tables_of_modules_name_those_that_exist(folder: str) -> None:
    rooms = section("Rooms", doc("architecture"))
    listing = re.search(rf"^\| in `{folder}/` \|.*\n\|---\|---\|\n((?:\|.*\n)+)", rooms, re.MULTILINE)
    assert listing
    named = re.findall(r"^\| `(\w+\.py)` \| \w", listing[1], re.MULTILINE)
    assert sorted(named) == sorted(path.name for path in (ROOT / folder).glob("[!_]*.py"))


def test_every_term_is_in_the_glossary_once() -> None:
    terms = re.findall(r"^\| ([a-z][^|]+) \|", section("Glossary", doc("architecture")), re.MULTILINE)
    assert len(terms) > 15
    assert len(terms) == len(set(terms))


def test_the_price_in_the_readme_is_the_one_that_the_footer_uses() -> None:
    assert [
        float(price)
        for price in re.findall(r"US\$ ([\d.]+) per million", doc("performance").read_text(encoding="utf-8"))
    ] == [pytest.approx(USD_PER_READ_UNIT * 1e6)]


def test_each_line_of_the_threat_model_names_its_tests() -> None:
    lines = [line for line in section("Threat model", doc("security")).splitlines() if line.startswith("| ")][1:]
    assert len(lines) > 20
    for line in lines:
        *cells, tests = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 4
        assert all(cells)
        for test in tests.split(", "):
            path, _, name = test.removeprefix("`").removesuffix("`").partition("::")
            text = (ROOT / path).read_text(encoding="utf-8")
            assert re.search(rf"^(?:async )?def {name}\(", text, re.MULTILINE), test


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs").glob("*.png")}
    assert {name: size for name, size in sizes.items() if size > 250_000} == {}


@pytest.mark.parametrize(
    ("part", "option", "value"),
    [
        ("server", "address", "127.0.0.1"),
        ("server", "fileWatcherType", "none"),
        ("browser", "gatherUsageStats", False),
        ("client", "showErrorDetails", "none"),
        ("client", "disableDataExport", True),
        ("runner", "postScriptGC", False),
    ],
)
def test_the_configuration_keeps_the_promises(part: str, option: str, value: object) -> None:
    assert CONFIG[part][option] == value


def test_contrast_is_computed_as_the_specification_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("rgb(11, 83, 148)", "#ffffff") == contrast("#0b5394", "#ffffff")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", ["textColor", "linkColor", "primaryColor"])
@pytest.mark.parametrize("background", ["backgroundColor", "secondaryBackgroundColor"])
def test_the_theme_can_be_read(scheme: str, text: str, background: str) -> None:
    colours = CONFIG["theme"][scheme]
    assert contrast(colours[text], colours[background]) >= 4.5
