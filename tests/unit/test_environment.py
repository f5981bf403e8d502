"""The .env file: what it adds to the environment, what comes first, and one sentence for each that cannot be used."""

import os
from pathlib import Path

import pytest

from data import environment
from data.environment import load, origins
from data.schema import FUNCTIONS, TABLES
from data.settings import ENV_FILE, VARIABLES, Settings, SettingsError


@pytest.fixture(autouse=True)
def nothing_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_from_file", {})
    monkeypatch.setattr(environment, "_overruled", {})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.env"


def loaded(file: Path, content: str | bytes, **variables: str) -> dict[str, str]:
    """An environment of these variables after a file of this content was read, without its name."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    environ = {ENV_FILE: str(file), **variables}
    load(environ)
    del environ[ENV_FILE]
    return environ


CONTENTS: dict[str, tuple[str | bytes, dict[str, str]]] = {
    "plain": ("BANDUP_SOURCE=aws\n", {"BANDUP_SOURCE": "aws"}),
    "without an end": ("BANDUP_SOURCE=aws", {"BANDUP_SOURCE": "aws"}),
    "of Windows": (
        b"\xef\xbb\xbfBANDUP_SOURCE=aws\r\nAWS_PROFILE=ops\r\n",
        {"BANDUP_SOURCE": "aws", "AWS_PROFILE": "ops"},
    ),
    "quoted, with a remark": ('BANDUP_ROSTER="my class.csv"  # ours\n', {"BANDUP_ROSTER": "my class.csv"}),
    "exported": ("export BANDUP_SOURCE=aws\n", {"BANDUP_SOURCE": "aws"}),
    "remarks and blank lines": ("# BANDUP_SOURCE=aws\n\n", {}),
    "a dollar sign": ("AWS_SECRET_ACCESS_KEY=a${HOME}$b\n", {"AWS_SECRET_ACCESS_KEY": "a${HOME}$b"}),
    "letters of any language": ("BANDUP_ROSTER=/lớp/học.csv\n", {"BANDUP_ROSTER": "/lớp/học.csv"}),
    "others'": ("HTTPS_PROXY=http://proxy\n", {"HTTPS_PROXY": "http://proxy"}),
}


@pytest.mark.parametrize(("content", "expected"), CONTENTS.values(), ids=CONTENTS)
def test_the_file_sets_what_is_not_set(file: Path, content: str | bytes, expected: dict[str, str]) -> None:
    assert loaded(file, content) == expected


def test_a_variable_comes_before_the_file(file: Path) -> None:
    assert loaded(file, "BANDUP_SOURCE=aws\n", BANDUP_SOURCE="demo") == {"BANDUP_SOURCE": "demo"}


def test_an_empty_variable_is_not_set(file: Path) -> None:
    assert loaded(file, "BANDUP_SOURCE=aws\n", BANDUP_SOURCE="", AWS_PROFILE=" ") == {"BANDUP_SOURCE": "aws"}


def test_an_empty_line_of_the_file_sets_nothing(file: Path) -> None:
    assert loaded(file, "BANDUP_SOURCE=aws\nAWS_PROFILE=\nBANDUP_SCHOOL=' '\n") == {"BANDUP_SOURCE": "aws"}


def test_an_empty_endpoint_is_refused_even_if_the_file_has_one(file: Path) -> None:
    url = "AWS_ENDPOINT_URL_DYNAMODB"
    environ = loaded(file, f"{url}=http://127.0.0.1:8000\n", **{url: "", "BANDUP_SOURCE": "aws"})
    with pytest.raises(SettingsError, match=f"{url} is set but empty"):
        Settings.read(environ)


UNUSABLE: dict[str, tuple[str | bytes, str]] = {
    "no value": ("# one\nBANDUP_SOURCE\n", "Line 2 of "),
    "no name": ("\n\n=aws\n", "Line 3 of "),
    "of PowerShell": ('\n$env:BANDUP_SOURCE="aws"\n', "Line 2 of "),
    "a hyphen in the name": ("BANDUP-SOURCE=aws\n", "Line 1 of "),
    "a letter of another alphabet": ("BАNDUP_SOURCE=aws\n", "Line 1 of "),
    "of cmd": ("set BANDUP_SOURCE=aws\n", "Line 1 of "),
    "an open quote": ('A=1\nBANDUP_ROSTER="class.csv\n', "Line 2 of "),
    "twice": ("BANDUP_SOURCE=aws\n\nBANDUP_SOURCE=demo\n", "twice, in lines 1 and 3"),
    "UTF-16": ("BANDUP_SOURCE=aws\n".encode("utf-16"), "not in UTF-8"),
    "a zero byte": ("BANDUP_SCHOOL=a\0b\n", "has a zero byte"),
    "Streamlit's": ("STREAMLIT_SERVER_PORT=80\n", "comes too late"),
}


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(file: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(file, content)
    message = str(caught.value)
    assert sentence in message
    assert str(file) in message
    assert message.endswith(".")


@pytest.mark.parametrize("value", ['"C:\\new\\table.csv"', "'C:\\new\\table.csv'", "C:\\new\\table.csv"])
def test_a_path_of_windows_is_taken_letter_for_letter(file: Path, value: str) -> None:
    assert loaded(file, f"A=1\nBANDUP_ROSTER={value}\n")["BANDUP_ROSTER"] == "C:\\new\\table.csv"


def test_a_misspelt_name_in_the_file_is_refused(file: Path) -> None:
    with pytest.raises(SettingsError, match="the nearest is BANDUP_ROSTER"):
        Settings.read(loaded(file, "BANDUP_ROSTERS=class.csv\n"))


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.env cannot be read"):
        load({ENV_FILE: str(tmp_path / "none.env")})


def test_a_home_folder_of_nobody_is_a_sentence() -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        environment.load({"BANDUP_ENV_FILE": "~nobody-of-that-name/settings"})


def test_the_file_beside_the_dashboard_need_not_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_BESIDE", tmp_path / ".env")
    environ: dict[str, str] = {}
    load(environ)
    assert environ == {}
    (tmp_path / ".env").write_text("BANDUP_SOURCE=aws\n", encoding="utf-8")
    load(environ)
    assert environ == {"BANDUP_SOURCE": "aws"}


def test_a_file_beside_the_dashboard_that_is_a_link_to_what_is_not_mounted_is_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, the demo would stand in for the school, and sign-outs would be looked for elsewhere."""
    (tmp_path / ".env").symlink_to(tmp_path / "not mounted" / "settings")
    monkeypatch.setattr(environment, "_BESIDE", tmp_path / ".env")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load({})


def test_it_can_be_asked_which_file_said_what_and_no_secret_is_told(file: Path) -> None:
    environ = loaded(
        file,
        "BANDUP_SOURCE=aws\nAWS_SECRET_ACCESS_KEY=hush\nAWS_PROFILE=school\nBANDUP_ROSTER=other.csv\n",
        AWS_REGION="eu-west-1",
        BANDUP_ROSTER="class.csv",
        BANDUP_NOTIFY_URL="https://hooks.example/hush",
        AWS_ENDPOINT_URL="http://me:hush@127.0.0.1:8000",
        HOME="/home/linh",
    )
    settings = {setting.name: setting for setting in origins(environ)}
    assert set(settings) == {*VARIABLES, "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "BANDUP_NOTIFY_URL"}
    path = str(file)
    assert {name: (s.value, s.origin, s.overruled) for name, s in settings.items() if s.origin} == {
        "BANDUP_SOURCE": ("aws", path, ""),
        "AWS_SECRET_ACCESS_KEY": (None, path, ""),
        "AWS_PROFILE": ("school", path, ""),
        "AWS_REGION": ("eu-west-1", "environment", ""),
        "BANDUP_ROSTER": ("class.csv", "environment", path),
        "BANDUP_NOTIFY_URL": (None, "environment", ""),
        "AWS_ENDPOINT_URL": (None, "environment", ""),
    }
    assert "hush" not in str(settings)
    # A second look at the same environment does not change who said it.
    environ[ENV_FILE] = os.devnull
    load(environ)
    again = {setting.name: setting for setting in origins(environ)}
    assert {name for name in settings if again[name] != settings[name]} == {ENV_FILE}


@pytest.mark.parametrize(
    ("variables", "idle"),
    [
        (
            {},
            {
                *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"),
                "BANDUP_ALARM_TOPIC",
            },
        ),
        ({"BANDUP_SOURCE": "AWS"}, set()),
        ({"BANDUP_SOURCE": "aws", "AWS_REGION": "eu-west-1"}, {"AWS_DEFAULT_REGION"}),
    ],
)
def test_a_setting_that_nothing_reads_is_told_apart(variables: dict[str, str], idle: set[str]) -> None:
    assert {setting.name for setting in origins(variables) if not setting.is_read} == idle


def test_the_defaults_are_those_that_count() -> None:
    defaults = {setting.name: setting.value for setting in origins({}) if setting.value}
    environ = {name: value for name, value in defaults.items() if value}
    assert Settings.read(environ) == Settings.read({})
    assert {*(table.variable for table in TABLES), *(f.variable for f in FUNCTIONS), "BANDUP_SOURCE"} <= set(defaults)
