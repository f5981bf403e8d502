"""Where credentials come from programs, files, codes and sign-ins: each failure is a sentence, and none waits."""

import hashlib
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.dynamodb import budget, credentials
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.clients import Clients
from data.schema import EVALUATIONS
from tests.support import engines
from tests.support.answering import Script, serving
from tests.support.app import show, words
from tests.support.settings import settings
from wording import failures

ENDPOINT = "http://127.0.0.1:9"
MFA = "arn:aws:iam::123456789012:mfa/tran"
ROLE = "arn:aws:iam::123456789012:role/teacher"
SECRET = "s3cr3t-0f-th3-pr0gr4m"  # noqa: S105 - invented
KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Writes AWS's configuration file, of which the profile “school” is used; its home is this test's own."""

    def write(text: str, **more: str) -> Path:
        sections = "\n".join(f"[profile {name}]\n{lines}" for name, lines in more.items())
        path = tmp_path / "config"
        path.write_text(f"[profile school]\n{text}\n{sections}\n", encoding="utf-8")
        monkeypatch.setenv("AWS_PROFILE", "school")
        return path

    monkeypatch.setenv("HOME", str(tmp_path))
    return write


def script(folder: Path, text: str) -> Path:
    """A program."""
    path = folder / "credentials-of-school"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def ask(endpoint: str = ENDPOINT) -> Any:
    """The first request of a dashboard that was just started."""
    # A table that no other test has made in the moto of this process.
    return Store.open(replace(settings(endpoint), evaluations="evaluations-of-nobody")).facts(EVALUATIONS)


def failure_of(asking: Callable[[], Any] = ask) -> Failure:
    began = time.monotonic()
    with pytest.raises(Failure) as caught:
        asking()
    assert time.monotonic() - began < 30
    failure = caught.value
    for sentence in (failures.cause(failure), failures.remedy(failure), failures.remedy(failure, "terminal")):
        assert SECRET not in sentence
        assert sentence.endswith(".")
    return failure


@pytest.mark.parametrize(
    ("lines", "case"),
    [
        ("echo no; exit 3", "program_failed"),
        (f"echo {SECRET} >&2; exit 3", "program_failed"),
        (f"echo {SECRET}", "program_failed"),
        ("echo '[1]'", "program_failed"),
        ("echo '{\"Version\": 1}'", "program_failed"),
        ("echo '{\"Version\": 7}'", "program_failed"),
        ("printf '\\377'", "program_failed"),
        ('read code; test -n "$code" || exit 4', "program_failed"),
        ("read code < /dev/tty || exit 4", "program_failed"),
    ],
)
def test_a_program_that_gives_no_credentials(
    lines: str, case: str, profile: Callable[..., Path], tmp_path: Path
) -> None:
    profile(f"credential_process = {script(tmp_path, lines)}")
    failure = failure_of()
    assert (failure.kind, failure.case, failure.detail) == ("credentials", case, "school")


def test_a_program_that_is_not_there_or_may_not_be_run(profile: Callable[..., Path], tmp_path: Path) -> None:
    profile("credential_process = /no/such/program --role teacher")
    failure = failure_of()
    assert (failure.case, failure.detail) == ("program_missing", "/no/such/program")
    program = script(tmp_path, "true")
    program.chmod(stat.S_IRUSR)
    profile(f"credential_process = {program}")
    assert failure_of().case == "program_missing"


def test_a_program_of_another_profile_is_asked_alike(profile: Callable[..., Path]) -> None:
    profile(f"role_arn = {ROLE}\nsource_profile = keys", keys="credential_process = /no/such/program")
    assert failure_of().case == "program_missing"


def test_a_program_that_does_not_end_is_stopped_with_what_it_started(
    profile: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_PROGRAM_SECONDS", 0.5)
    profile(f"credential_process = {script(tmp_path, f'echo $$ > {tmp_path}/pid; sleep 600 & sleep 600')}")
    assert failure_of().case == "program_late"
    group = int((tmp_path / "pid").read_text())
    for _ in range(50):
        listing = subprocess.run(["ps", "-eo", "pgid,stat"], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in listing.splitlines()]
        if not [row for row in rows if row[0] == str(group) and not row[1].startswith("Z")]:
            return
        time.sleep(0.1)
    pytest.fail("what the program had started is still running")


def test_a_program_that_gives_credentials_is_used(profile: Callable[..., Path], tmp_path: Path, moto: str) -> None:
    answer = {"Version": 1, "AccessKeyId": "AKIAEXAMPLE", "SecretAccessKey": "example"}
    program = script(tmp_path, f"echo '{json.dumps(answer)}'")
    profile(f"credential_process = {program}")
    assert failure_of(lambda: ask(moto)).kind == "missing"  # the table: the keys were taken
    expired = {**answer, "SessionToken": "t", "Expiration": "2020-01-01T00:00:00Z"}
    script(tmp_path, f"echo '{json.dumps(expired)}'")
    assert failure_of(lambda: ask(moto)).case == "expired_at_once"


def test_the_file_of_a_web_identity_is_not_there(profile: Callable[..., Path], tmp_path: Path) -> None:
    profile(f"role_arn = {ROLE}\nweb_identity_token_file = {tmp_path}/token")
    failure = failure_of()
    assert (failure.kind, failure.case, failure.detail) == ("credentials", "file", f"{tmp_path}/token")


def test_what_gives_the_credentials_cannot_be_reached(
    profile: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("token")
    profile(f"role_arn = {ROLE}\nweb_identity_token_file = {tmp_path}/token")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", ENDPOINT)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    failure = failure_of()
    assert (failure.kind, failure.case) == ("unreachable", "credentials_unreachable")
    assert ENDPOINT in failures.cause(failure)


def test_an_mfa_code_is_not_asked_for(profile: Callable[..., Path]) -> None:
    profile(f"role_arn = {ROLE}\nsource_profile = keys\nmfa_serial = {MFA}", keys=KEYS)
    failure = failure_of()
    assert (failure.kind, failure.case, failure.detail) == ("expired", "mfa", "school")
    assert "aws sts get-caller-identity --profile school" in failures.remedy(failure)


def test_what_the_aws_cli_got_for_a_code_is_used(
    profile: Callable[..., Path], moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profile(
        f"role_arn = {ROLE}\nsource_profile = keys\nregion = us-east-1\nmfa_serial = {MFA}",
        keys=KEYS,
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    command = [str(Path(sys.executable).parent / "aws"), "sts", "get-caller-identity", "--profile", "school"]
    done = subprocess.run(
        command, input="123456\n", capture_output=True, text=True, check=False, start_new_session=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / ".aws/cli/cache").iterdir())
    assert failure_of(lambda: ask(moto)).kind == "missing"  # the table: the keys were taken


def test_profiles_in_a_circle(profile: Callable[..., Path]) -> None:
    profile(f"role_arn = {ROLE}\nsource_profile = other", other=f"role_arn = {ROLE}\nsource_profile = school")
    failure = failure_of()
    assert (failure.case, failure.detail) == ("profile_loop", "school, other")


@pytest.mark.parametrize(
    "lines",
    [
        f"role_arn = {ROLE}",
        f"role_arn = {ROLE}\nsource_profile = none",
        f"role_arn = {ROLE}\ncredential_source = Mars",
        f"role_arn = {ROLE}\ncredential_source = Environment",
    ],
)
def test_a_profile_that_lacks_what_it_needs(lines: str, profile: Callable[..., Path]) -> None:
    profile(lines)
    assert failure_of().case == "incomplete"


def test_aws_login_needs_a_package(profile: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.credentials.EC", None)
    profile("login_session = arn:aws:iam::123456789012:user/tran")
    failure = failure_of()
    assert (failure.kind, failure.case) == ("credentials", "login")
    assert "botocore[crt]" in failures.remedy(failure)


def test_aws_login_that_was_not_done_or_is_over(profile: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.credentials.EC", object())
    profile("login_session = arn:aws:iam::123456789012:user/tran")
    failure = failure_of()
    assert (failure.kind, failure.case) == ("expired", "sign_in")
    assert "aws login" in failures.remedy(failure)


def sso(folder: Path) -> str:
    """A profile of IAM Identity Center that is signed in."""
    start = "https://school.awsapps.com/start"
    name = hashlib.sha1(start.encode(), usedforsecurity=False).hexdigest()
    cache = folder / ".aws/sso/cache"
    cache.mkdir(parents=True)
    token = {"startUrl": start, "region": "us-east-1", "accessToken": "token", "expiresAt": "2099-01-01T00:00:00Z"}
    (cache / f"{name}.json").write_text(json.dumps(token))
    return f"sso_start_url = {start}\nsso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = teacher"


@pytest.mark.parametrize(
    ("code", "status", "case"), [("ForbiddenException", 403, "sso_role"), ("UnauthorizedException", 401, "sign_in")]
)
def test_a_sign_in_without_the_role(
    code: str, status: int, case: str, profile: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its folder was named when botocore was imported.
    monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(tmp_path / ".aws/sso/cache"))
    profile(sso(tmp_path))
    with serving(Script(status, b'{"message": "no"}', {"x-amzn-ErrorType": code})) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", url)
        failure = failure_of()
    assert failure.case == case


def test_a_role_that_may_not_be_assumed_is_named(profile: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    profile(f"role_arn = {ROLE}\nsource_profile = keys", keys=KEYS)
    message = (
        f"User: arn:aws:iam::123456789012:user/tran is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    )
    body = f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{message}</Message></Error></ErrorResponse>"
    with serving(Script(403, body.encode())) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        failure = failure_of()
    assert (failure.kind, failure.operation, failure.resource) == ("access_denied", "sts:AssumeRole", ROLE)


def test_what_hangs_is_not_waited_for(
    profile: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "token")  # nobody ever writes
    profile(f"role_arn = {ROLE}\nweb_identity_token_file = {tmp_path}/token")
    monkeypatch.setattr(credentials, "_SECONDS", 0.3)
    failure = failure_of()
    assert (failure.kind, failure.case) == ("too_slow", "credentials_late")
    with budget.limited(5):  # on a page, where every call has a time of its own
        assert failure_of().case == "credentials_late"


def test_lambda_and_iam_look_for_credentials_alike(profile: Callable[..., Path], moto: str) -> None:
    profile("credential_process = /no/such/program")
    store = Store.open(settings(moto), **engines.CREDENTIALS)
    assert failure_of(lambda: Clients.open(store)).case == "program_missing"


def test_the_terminal_says_it_without_a_traceback(profile: Callable[..., Path], tmp_path: Path) -> None:
    path = profile(f"role_arn = {ROLE}\nsource_profile = keys\nmfa_serial = {MFA}", keys=KEYS)
    done = subprocess.run(
        [sys.executable, "-m", "bandup", "setup"],
        cwd=engines.ROOT,
        env={**os.environ, "AWS_CONFIG_FILE": str(path), "BANDUP_SOURCE": "aws", "AWS_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "asks for an MFA code" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("page", ["overview", "jobs", "setup"])
def test_a_page_says_it_in_its_place(page: str, profile: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    profile("credential_process = /no/such/program")
    monkeypatch.setenv("BANDUP_SOURCE", "aws")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert "/no/such/program" in words(show(f"pages/{page}.py"))
