"""Messages to people: by a web hook, an SNS topic or SMTP. What the environment says of each, and how they are sent."""

import json
import re
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import getaddresses
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from data.dynamodb import budget
from data.dynamodb.budget import Late
from data.dynamodb.credentials import open_session
from data.dynamodb.errors import UNREADABLE, Failure
from data.settings import TOPIC, SettingsError, value_of

Format: TypeAlias = Literal["slack", "teams", "json"]
Security: TypeAlias = Literal["starttls", "tls", "none"]

_FORMATS: tuple[Format, ...] = ("slack", "teams", "json")
_HOSTS: Mapping[Format, tuple[str, ...]] = {
    "slack": ("hooks.slack.com", "hooks.slack-gov.com"),
    # https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
    "teams": (".webhook.office.com", ".logic.azure.com", ".api.powerplatform.com"),
}
_SECURITIES: tuple[Security, ...] = ("starttls", "tls", "none")
_PORTS: Mapping[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
_LOCAL = ("localhost", "127.0.0.1", "::1")
# As RFC 5322, 3.4.1, has them without quotes, comments and brackets: of those the e-mail package makes another address,
# or stumbles over them.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?|[0-9a-fA-F:.]{2,45}")
_NOT_IN_URLS = re.compile(r"""[^!-~]|["<>\\^`{|}]""")  # RFC 3986, 2
WAITS = (1.0, 2.0, 4.0)
"""Seconds between the attempts at a message; one more attempt than waits."""
SECONDS = 10.0
"""What one attempt may take, whatever hangs."""
_MOST_WAIT = 30.0
_SUBJECT = 100  # characters that SNS takes
_MOST_ANSWER = 2_000  # bytes of an answer that are looked at

_sleep = time.sleep


class NotSent(Exception):
    """A message that nobody took; the text is a sentence without its address's secret part."""


class InDoubt(NotSent):
    """Nobody knows whether a message was taken."""


class _Passing(NotSent):
    """One that may be taken the next time; `wait` is what the other side asked for, in seconds."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Message:
    """What to say: one line, the text below it, where to look, the same as data; `code` is its own alone."""

    title: str
    text: str
    link: str
    data: Mapping[str, Any]
    code: str


@dataclass(frozen=True, slots=True)
class Hook:
    """A web hook. Whoever knows its URL can write there, so that it is in no message and no log."""

    url: str = field(repr=False)
    format: Format

    name = "web hook"

    @property
    def parts(self) -> SplitResult:
        """The parts of its URL."""
        return urlsplit(self.url)

    def send(self, message: Message) -> None:
        """Send it, again after a while where that may help; NotSent when it does not."""
        body = json.dumps(_payload(message, self.format)).encode()
        _retried(lambda: self._post(body), f"The web hook at {self.parts.hostname}")

    def _post(self, body: bytes) -> None:
        parts = self.parts
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
        try:
            path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            connection.request("POST", path, body, {"Content-Type": "application/json", "User-Agent": "bandup"})
            response = connection.getresponse()
            status, wait = response.status, response.getheader("Retry-After") or ""
            answer = response.read(_MOST_ANSWER) if self.format == "teams" else b""
        except (OSError, HTTPException) as error:
            raise _Passing(f"did not answer: {type(error).__name__}") from error
        except ValueError as error:
            raise NotSent("cannot be written to: BANDUP_NOTIFY_URL holds what no URL does") from error
        finally:
            connection.close()
        if status == 429 or status >= 500:
            raise _Passing(f"answered {status}", float(wait) if wait.isdecimal() else 0.0)
        # Teams' connectors say so with status 200, https://learn.microsoft.com/en-us/microsoftteams/platform/
        # webhooks-and-connectors/how-to/connectors-using#rate-limiting-for-connectors
        if b"HTTP error" in answer:
            raise _Passing("answered that Teams did not take it")
        # A redirect would be followed without the message.
        if not 200 <= status < 300:
            raise NotSent(f"answered {status}")


@dataclass(frozen=True, slots=True)
class Topic:
    """An SNS topic."""

    arn: str

    name = "SNS topic"

    def send(self, message: Message) -> None:
        """Publish it, again after a while where that may help; NotSent when it does not."""
        _retried(lambda: self._publish(message), f"SNS topic {self.arn}")

    def _publish(self, message: Message) -> None:
        match = TOPIC.fullmatch(self.arn)
        once = {"MessageGroupId": "bandup", "MessageDeduplicationId": message.code} if match and match[2] else {}
        try:
            client: Any = open_session(match[1] if match else None).create_client(
                "sns",
                config=Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1}),
            )
            client.publish(
                TopicArn=self.arn,
                Subject=message.title[:_SUBJECT],
                Message=f"{message.text}\n{message.link}".strip(),
                **once,
            )
        except Failure as failure:
            raise NotSent("found no credentials that can be used") from failure
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            passing = status >= 500 or status == 429 or "Throttl" in code
            raise (_Passing if passing else NotSent)(f"refused the message: {code}") from error
        except (BotoCoreError, *UNREADABLE) as error:
            raise _Passing(f"could not be reached: {type(error).__name__}") from error


Target: TypeAlias = Hook | Topic


@dataclass(frozen=True, slots=True)
class Notifications:
    """Where incidents are told. `url` is the dashboard's own address for links, `state` the file of what was told."""

    targets: tuple[Target, ...]
    url: str
    state: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Notifications":
        """What the environment says; SettingsError names the first variable that cannot be used."""
        targets: list[Target] = []
        if address := value_of(environ, "BANDUP_NOTIFY_URL").strip():
            parts = _url(address, "BANDUP_NOTIFY_URL")
            targets.append(Hook(address, _format(environ, parts.hostname or "")))
        if arn := value_of(environ, "BANDUP_NOTIFY_TOPIC").strip():
            if not TOPIC.fullmatch(arn):
                raise SettingsError(
                    f"BANDUP_NOTIFY_TOPIC is “{arn}”: give a topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME."
                )
            targets.append(Topic(arn))
        if not targets:
            raise SettingsError("Set BANDUP_NOTIFY_URL or BANDUP_NOTIFY_TOPIC: --notify has nowhere to write to.")
        return cls(tuple(targets), dashboard_url(environ), value_of(environ, "BANDUP_NOTIFY_STATE").strip())


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mail server, and who writes."""

    host: str
    port: int
    security: Security
    user: str
    password: str = field(repr=False)
    sender: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Mailbox":
        """What the environment says; SettingsError names the first variable that cannot be used."""
        host, sender = (value_of(environ, f"BANDUP_SMTP_{name}").strip() for name in ("HOST", "FROM"))
        if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}|[0-9a-fA-F:]{2,45}", host):
            value = f"is “{host}”" if host and "@" not in host else "is none" if host else "is not set"
            raise SettingsError(f"BANDUP_SMTP_HOST {value}: give the name of a mail server.")
        several = getaddresses([sender])
        if len(several) != 1 or not is_address(several[0][1]) or not sender.isprintable() or "=?" in sender:
            value = f"is “{sender}”" if sender else "is not set"
            raise SettingsError(f"BANDUP_SMTP_FROM {value}: give an e-mail address.")
        security = value_of(environ, "BANDUP_SMTP_SECURITY").strip().lower() or "starttls"
        if security not in _SECURITIES:
            raise SettingsError(f"BANDUP_SMTP_SECURITY is “{security}”: set it to starttls, tls or none.")
        user, password = value_of(environ, "BANDUP_SMTP_USER"), value_of(environ, "BANDUP_SMTP_PASSWORD")
        if bool(user) != bool(password):
            raise SettingsError("BANDUP_SMTP_USER and BANDUP_SMTP_PASSWORD go together: set both or neither.")
        if security == "none" and (user or host not in _LOCAL):
            raise SettingsError(
                "BANDUP_SMTP_SECURITY is “none”: without encryption only a mail server on this computer, without a "
                "password, can be used."
            )
        port = value_of(environ, "BANDUP_SMTP_PORT").strip() or str(_PORTS[security])
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise SettingsError(f"BANDUP_SMTP_PORT is “{port}”: give a port from 1 to 65535.")
        return cls(host, int(port), security, user, password, sender)

    def send(self, mail: EmailMessage) -> None:
        """Hand a mail to the server; NotSent where it was not taken. It is tried once: a second could arrive twice.

        InDoubt where the answer is lost.
        """
        is_taken = is_under_way = False
        try:
            kind = smtplib.SMTP_SSL if self.security == "tls" else smtplib.SMTP
            secure: Any = {"context": ssl.create_default_context()} if self.security == "tls" else {}
            with kind(self.host, self.port, timeout=30, **secure) as server:
                if self.security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                is_under_way = True
                server.send_message(mail)
                is_taken = True
        except (OSError, smtplib.SMTPException) as error:
            if is_taken:  # it is the farewell that has failed
                return
            name = type(error).__name__
            is_answer = isinstance(error, smtplib.SMTPException)
            if is_under_way and (isinstance(error, smtplib.SMTPServerDisconnected) or not is_answer):
                text = f"The mail server {self.host} did not say whether it took it: {name}. It may arrive."
                raise InDoubt(text) from error
            code = f" {error.smtp_code}" if isinstance(error, smtplib.SMTPResponseException) else ""
            raise NotSent(f"The mail server {self.host} did not take it: {name}{code}.") from error


def dashboard_url(environ: Mapping[str, str]) -> str:
    """Where the dashboard is, for links; empty where nobody says. SettingsError when it cannot be."""
    address = value_of(environ, "BANDUP_URL").strip()
    if address:
        try:
            parts = urlsplit(address)
            usable = parts.scheme in ("http", "https") and _is_whole(address, parts)
        except ValueError:
            usable = False
        if not usable or "@" in address or parts.query or parts.fragment:
            value = "has a user in it" if "@" in address else f"is “{address}”"
            raise SettingsError(f"BANDUP_URL {value}: give the dashboard's address, https://bandup.example.org.")
    return address.rstrip("/")


def is_address(text: str) -> bool:
    """Whether this is one e-mail address and nothing else; "=?" would begin a word in code, line breaks and all."""
    return "=?" not in text and bool(_ADDRESS.fullmatch(text))


def _url(address: str, variable: str) -> SplitResult:
    """The parts of a URL. Its path is a secret, so it is in no message; unencrypted only on this computer."""
    try:
        parts = urlsplit(address)
        usable = _is_whole(address, parts)
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or parts.fragment:
        raise SettingsError(f"{variable} is not a whole URL: give one that begins with https://.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise SettingsError(f"{variable} must begin with https://; http:// is for this computer alone.")
    return parts


def _is_whole(address: str, parts: SplitResult) -> bool:
    """Whether it has a host and nothing that a URL may not hold; ValueError where its port is none."""
    return bool(_HOST.fullmatch(parts.hostname or "")) and parts.port != 0 and not _NOT_IN_URLS.search(address)


def _format(environ: Mapping[str, str], host: str) -> Format:
    asked = value_of(environ, "BANDUP_NOTIFY_FORMAT").strip().lower()
    if asked:
        if asked not in _FORMATS:
            raise SettingsError(f"BANDUP_NOTIFY_FORMAT is “{asked}”: set it to slack, teams or json.")
        return asked
    return next((name for name, ends in _HOSTS.items() if host.casefold().endswith(ends)), "json")


def _payload(message: Message, form: Format) -> dict[str, Any]:
    lines = [message.text, *([message.link] if message.link else [])]
    if form == "json":
        return {"title": message.title, "text": message.text, "link": message.link or None, **message.data}
    if form == "slack":
        # https://docs.slack.dev/messaging/formatting-message-text#escaping
        text = "\n".join([f"*{message.title}*", *lines])
        return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    blocks: list[dict[str, Any]] = [
        {"type": "TextBlock", "text": message.title, "weight": "Bolder", "size": "Medium", "wrap": True},
        {"type": "TextBlock", "text": message.text, "wrap": True},
    ]
    actions = [{"type": "Action.OpenUrl", "title": "Open incident", "url": message.link}] if message.link else []
    card = {"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4"}
    content = {**card, "body": blocks, "actions": actions}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": content}
    return {"type": "message", "attachments": [attachment]}


def _retried(send: Callable[[], None], what: str) -> None:
    """Send, and again after each wait while that may help."""
    for wait in (*WAITS, None):
        try:
            with budget.limited(SECONDS):
                budget.answer(send, what)
        except Late as late:
            problem: _Passing = _Passing(f"did not answer in {late.span}")
        except _Passing as error:
            problem = error
        except NotSent as error:
            raise NotSent(f"{what} {error}.") from error
        else:
            return
        if wait is None:
            raise NotSent(f"{what} {problem}, {len(WAITS) + 1} times.") from problem
        _sleep(min(max(wait, problem.wait), _MOST_WAIT))
