"""boto3's chain of credentials, made to answer: it asks nobody, waits for no program, and fails as a Failure."""

import json
import logging
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import botocore.session
from botocore import exceptions as aws
from botocore.credentials import (
    CredentialResolver,
    Credentials,
    ProcessProvider,
    ProfileProviderBuilder,
    RefreshableCredentials,
    create_credential_resolver,
)
from botocore.exceptions import BotoCoreError, ClientError

from data.dynamodb import budget
from data.dynamodb.budget import Late
from data.dynamodb.errors import Failure, explain

# Shorter than a call's own time, so that who waits reads that it is the credentials.
_SECONDS = 10.0
_PROGRAM_SECONDS = 8.0
# Where the AWS CLI keeps what it got for a role, such as after an MFA code.
_CLI_CACHE = Path("~/.aws/cli/cache")

T = TypeVar("T")


def open_session(region: str | None) -> botocore.session.Session:
    """A session that looks for credentials as boto3 does, by variables, profiles, files, programs and servers.

    `region` is also that of the STS that is asked for a role; botocore does not read AWS_REGION by itself.
    """
    # It logs each refresh that fails with its traceback, which a terminal would show; the Failure says it.
    logging.getLogger("botocore.credentials").setLevel(logging.ERROR)
    session = botocore.session.Session()
    if region:
        session.set_config_variable("region", region)
    session.register_component("credential_provider", _Chain(session))
    return session


class _Chain:
    """botocore's chain of providers, built when it is first asked: a broken file fails then."""

    def __init__(self, session: botocore.session.Session) -> None:
        self._session = session
        self._resolver: CredentialResolver | None = None

    def load_credentials(self) -> Any:
        """The first credentials of the chain; None where there are none. Failure where a provider fails."""
        credentials = _in_time(self._load)
        if not isinstance(credentials, RefreshableCredentials):
            return credentials
        return _Renewed(credentials, self._profile)

    @property
    def _profile(self) -> str:
        return str(self._session.get_config_variable("profile") or "default")

    def _load(self) -> Credentials | None:
        if self._resolver is None:
            self._resolver = self._build()
        credentials: Credentials | None = self._resolver.load_credentials()
        return credentials

    def _build(self) -> CredentialResolver:
        resolver = create_credential_resolver(self._session)
        profile = self._profile
        builder = _Builder(self._session, cache={})
        role: Any = resolver.get_provider("assume-role")
        role.cache = _CliCache()
        role._prompter = lambda _: _no_code(profile)
        role._profile_provider_builder = builder
        providers = resolver.providers
        place = [provider.METHOD for provider in providers].index(ProcessProvider.METHOD)
        providers[place] = builder._create_process_provider(profile)
        return resolver


class _Renewed:
    """Credentials that are renewed in time, or fail with a Failure."""

    def __init__(self, credentials: RefreshableCredentials, profile: str) -> None:
        self._credentials = credentials
        self._profile = profile

    def get_frozen_credentials(self) -> Any:
        """Keys to sign with."""
        if not self._credentials.refresh_needed():
            return self._credentials.get_frozen_credentials()
        try:
            return _in_time(self._credentials.get_frozen_credentials)
        except Failure as failure:
            # botocore renews nothing that took a code; a new session finds what the AWS CLI has got meanwhile.
            raise replace(failure, detail=self._profile) if failure.case == "mfa" else failure from failure.__cause__

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """A property, asked for when it is needed."""
        return lambda: getattr(self.get_frozen_credentials(), name, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._credentials, name)


class _Builder(ProfileProviderBuilder):
    """The providers of a profile, of which programs end in time."""

    def _create_process_provider(self, profile_name: str) -> ProcessProvider:
        session: Any = self.__dict__["_session"]
        return _Programs(profile_name, lambda: session.full_config, popen=_Program)


class _Programs(ProcessProvider):
    """credential_process: what the program says instead of credentials may be secret, so it is nowhere repeated."""

    def _retrieve_credentials_using(self, credential_process: str) -> dict[str, Any]:
        try:
            credentials: dict[str, Any] = super()._retrieve_credentials_using(credential_process)  # type: ignore[misc]
        except (BotoCoreError, ValueError, AttributeError, TypeError) as error:
            raise Failure("credentials", case="program_failed", detail=_profile_of(self)) from error
        return credentials


class _Program(subprocess.Popen[bytes]):
    """A program without a terminal to ask at, which is ended when it takes too long."""

    def __init__(self, command: list[str], **options: Any) -> None:
        self._name = command[0] if command else ""
        try:
            super().__init__(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        except (OSError, IndexError, ValueError) as error:
            raise Failure("credentials", case="program_missing", detail=self._name) from error

    def communicate(self, input: bytes | None = None, timeout: float | None = None) -> Any:
        """What it writes; Failure where it does not end in time."""
        try:
            return super().communicate(input, timeout or _PROGRAM_SECONDS)
        except subprocess.TimeoutExpired as error:
            self._end()
            raise Failure("credentials", case="program_late", detail=self._name) from error

    def _end(self) -> None:
        """End it with all that it has started."""
        if hasattr(os, "killpg"):
            os.killpg(self.pid, signal.SIGKILL)
        else:
            self.kill()
        self.wait()


class _CliCache(dict[str, Any]):
    """What was got for a role: in this process, else what the AWS CLI has kept. Nothing is written there."""

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or _kept_by_cli(str(key)) is not None

    def __missing__(self, key: str) -> Any:
        kept = _kept_by_cli(key)
        if kept is None:
            raise KeyError(key)
        return kept


def _kept_by_cli(key: str) -> Any:
    try:
        kept = json.loads((_CLI_CACHE.expanduser() / f"{key}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RuntimeError):
        return None
    return kept if isinstance(kept, dict) and isinstance(kept.get("Credentials"), dict) else None


def _no_code(profile: str) -> str:
    raise Failure("expired", case="mfa", detail=profile)


def _profile_of(provider: Any) -> str:
    return str(provider._profile_name)


def _in_time(ask: Callable[[], T]) -> T:
    """What `ask` returns; Failure where it raises anything, or takes too long."""
    try:
        with budget.limited(_SECONDS):
            return budget.answer(ask, "credentials")
    except Late as error:
        raise explain(error, "credentials", "") from error
    except Exception as error:
        raise _explained(error) from error


def _explained(error: Exception) -> Failure:
    """A Failure about credentials for what a provider raised."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, aws.RefreshWithMFAUnsupportedError):
        return Failure("expired", case="mfa")
    if isinstance(error, ClientError):
        return _of_answer(error)
    if isinstance(error, aws.CredentialRetrievalError) and "credential_source" in str(error):
        return Failure("credentials", case="incomplete", detail=str(error).rstrip("."))
    if isinstance(error, BotoCoreError):
        failure = explain(error, "credentials", "")
        unanswered = failure.kind in ("unreachable", "too_slow")
        return replace(failure, case="credentials_unreachable") if unanswered else failure
    if isinstance(error, OSError):
        return Failure("credentials", case="file", detail=str(error.filename or type(error).__name__))
    if isinstance(error, RuntimeError):
        # botocore's own word for credentials that are over as soon as they are there.
        return Failure("expired", case="expired_at_once")
    return Failure("credentials", case="unusable", detail=type(error).__name__)


def _of_answer(error: ClientError) -> Failure:
    """What STS, IAM Identity Center or the sign-in service answered."""
    code = error.response.get("Error", {}).get("Code")
    service: Any = "sts" if error.operation_name.startswith("Assume") else "sso"
    if error.operation_name == "GetRoleCredentials" and code == "ForbiddenException":
        return Failure("credentials", case="sso_role", code=str(code), operation=error.operation_name, service="sso")
    return explain(error, error.operation_name, "the role", service=service)
