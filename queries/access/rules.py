"""The rules of access: what secrets.toml says about who may do what, and who may look without sign-in.

Without sign-in the dashboard is for the one who started it: on this computer, and never through a proxy. With `[auth]`
in secrets.toml, Streamlit signs people in, and `[roles]` and `[classes]` say what they may do.
"""

import ipaddress
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from string import ascii_lowercase, ascii_uppercase
from typing import Any
from urllib.parse import urlsplit

from queries.access.gate import Refused, Role, Visitor

EVERYBODY_ELSE = "*"
"""In `[classes]`: the teachers who are not named there."""

_AUTH = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")
_SHORTEST_SECRET = 32  # characters; whoever guesses it can write sign-ins of his own
_HOURS = 12
MOST_HOURS = 24 * 30  # Streamlit's cookie lives no longer
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)
_SKEW = timedelta(minutes=5)
_FORWARDED = (
    *("forwarded", "via", "true-client-ip", "x-forwarded-", "x-real-ip", "x-client-ip", "x-cluster-client-ip"),
    *("x-original-", "x-envoy-", "x-amzn-", "cf-", "fastly-"),
)
"""How the headers begin that proxies add."""
README = "docs/operations.md, “Who may see what”, says how."


class AccessError(ValueError):
    """secrets.toml cannot be used; the message is a sentence that names the place, and no value of it."""


@dataclass(frozen=True, slots=True)
class AccessRules:
    """What secrets.toml says about who may do what."""

    ops: frozenset[str]
    teachers: frozenset[str]
    claim: str | None = None
    ops_values: frozenset[str] = frozenset()
    teacher_values: frozenset[str] = frozenset()
    classes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lasts: timedelta = timedelta(hours=_HOURS)

    @classmethod
    def read(cls, secrets: Mapping[str, Any]) -> "AccessRules | None":
        """The rules in the content of secrets.toml; None when it sets up no sign-in, AccessError when it is wrong."""
        if "auth" not in secrets:
            if stray := [f"[{name}]" for name in ("roles", "classes") if name in secrets]:
                raise AccessError(f"secrets.toml has {' and '.join(stray)} but no [auth], so nobody could sign in.")
            return None
        _check_auth(_table(secrets, "auth"))
        roles = _table(secrets, "roles")
        _only(roles, "[roles]", ("ops", "teacher", "hours", "claim"))
        ops, teachers = (_emails(roles, role) for role in ("ops", "teacher"))
        if ops & teachers:
            raise AccessError("In secrets.toml, [roles] has the same e-mail address under ops and under teacher.")
        claim = _table(roles, "claim", "roles.") if "claim" in roles else {}
        _only(claim, "[roles.claim]", ("name", "ops", "teacher"))
        if claim and not (isinstance(claim.get("name"), str) and claim["name"].strip()):
            raise AccessError("In secrets.toml, [roles.claim] has no name.")
        ops_values, teacher_values = (frozenset(_texts(claim, role, "[roles.claim]")) for role in ("ops", "teacher"))
        if not (ops or teachers or ops_values or teacher_values):
            raise AccessError("In secrets.toml, [roles] gives nobody a role.")
        return cls(ops, teachers, claim.get("name"), ops_values, teacher_values, _classes(secrets, ops), _lasts(roles))

    def visitor(self, user: Mapping[str, Any], now: datetime) -> Visitor:
        """Who the provider says this is (`user` is Streamlit's st.user); Refused without a valid sign-in or a role."""
        if user.get("is_logged_in") is not True:
            raise Refused("This dashboard shows students' work. Sign in to see it.", "sign in")
        since = _moment(user.get("iat"))
        if since is not None and since - now > _SKEW:
            raise Refused(
                "By the dashboard's clock, this sign-in is later than now. Sign in again; if that does not help, the "
                "clock of the computer where it runs is wrong.",
                "sign in",
            )
        if since is None or now - since >= self.lasts:
            raise Refused("This sign-in has expired. Sign in again.", "sign in")
        email = user.get("email")
        if not isinstance(email, str) or "@" not in email:
            raise Refused("Your sign-in came without an e-mail address, so nobody knows who you are.", "sign out")
        # Not every provider says it; where one does, an address that nobody checked may be somebody else's.
        if user.get("email_verified", True) not in (True, "true"):
            raise Refused("Your e-mail address is not verified. Verify it where you signed in.", "sign out")
        email = comparable_address(email)
        role = self._role(email, user.get(self.claim) if self.claim else None)
        if role is None:
            raise Refused(f"{email} has no role in this dashboard. Whoever runs it can give you one.", "sign out")
        limit = self.classes.get(email, self.classes.get(EVERYBODY_ELSE)) if role == "teacher" else None
        return Visitor(email, role, limit)

    def _role(self, email: str, claimed: object) -> Role | None:
        """By address before by claim, so that one person can be set right; ops before teacher."""
        if email in self.ops:
            return "ops"
        if email in self.teachers:
            return "teacher"
        several = claimed if isinstance(claimed, list) else [claimed]
        values = {value for value in several if isinstance(value, str)}
        return "ops" if values & self.ops_values else "teacher" if values & self.teacher_values else None


def local(address: str | None, headers: Mapping[str, str], client: str | None = None) -> Visitor:
    """The one who started the dashboard for himself, without sign-in; Refused where others could reach it.

    `address` is where the server listens, as far as Streamlit knows; `headers` what the browser's request carried, and
    `client` the address it came from, None for this computer.
    """
    if not _loopback(address):
        where = "on every network interface" if not address else "on the network"
        raise Refused(
            f"This dashboard listens {where}, and nobody has to sign in. So it shows no data. Set up sign-in, or let "
            f"it listen on 127.0.0.1 only (server.address in .streamlit/config.toml). {README}"
        )
    sent = {name.casefold(): value for name, value in headers.items()}
    host = sent.get("host")
    is_from_here = client is None or _loopback(client)
    is_to_here = host is None or _loopback(_hostname(host))
    if not is_from_here or not is_to_here or any(name.startswith(_FORWARDED) for name in sent):
        raise Refused(
            "This dashboard was reached from elsewhere, by another name or a proxy, and nobody has to sign in. So it "
            f"shows no data. Open it at 127.0.0.1 on the computer where it runs, or set up sign-in. {README}"
        )
    return Visitor(None, "ops")


def _check_auth(auth: Mapping[str, Any]) -> None:
    """That sign-in can work, and that nobody can listen in on it or forge it."""
    for name in _AUTH:
        if not (isinstance(auth.get(name), str) and auth[name].strip()):
            raise AccessError(f"In secrets.toml, [auth] has no {name}.")
    _only(auth, "[auth]", (*_AUTH, "client_kwargs", "expose_tokens"))
    if len(auth["cookie_secret"]) < _SHORTEST_SECRET:
        raise AccessError(f"In secrets.toml, cookie_secret is shorter than {_SHORTEST_SECRET} characters.")
    for name in ("redirect_uri", "server_metadata_url"):
        try:
            parts = urlsplit(auth[name])
            safe = parts.scheme == "https" or (parts.scheme == "http" and _loopback(parts.hostname))
        except ValueError:
            safe = False
        if not safe:
            raise AccessError(f"In secrets.toml, {name} must begin with https:// (http:// only for 127.0.0.1).")
    if not auth["redirect_uri"].endswith("/oauth2callback"):
        raise AccessError("In secrets.toml, redirect_uri must end with /oauth2callback.")


def _classes(secrets: Mapping[str, Any], ops: frozenset[str]) -> dict[str, frozenset[str]]:
    table = _table(secrets, "classes") if "classes" in secrets else {}
    classes: dict[str, frozenset[str]] = {}
    for name in table:
        email = comparable_address(name)
        if email != EVERYBODY_ELSE and "@" not in email:
            raise AccessError("In secrets.toml, a name in [classes] is no e-mail address.")
        if email in classes:
            raise AccessError("In secrets.toml, [classes] names an e-mail address twice.")
        if email in ops:
            raise AccessError("In secrets.toml, [classes] names somebody of ops, who see every class.")
        classes[email] = frozenset(_texts(table, name, "[classes]"))
    return classes


def _lasts(roles: Mapping[str, Any]) -> timedelta:
    hours = roles.get("hours", _HOURS)
    if isinstance(hours, bool) or not isinstance(hours, int | float) or not 0 < hours <= MOST_HOURS:
        raise AccessError(f"In secrets.toml, hours in [roles] must be a number up to {MOST_HOURS}.")
    return timedelta(hours=hours)


def _table(secrets: Mapping[str, Any], name: str, within: str = "") -> Mapping[str, Any]:
    table = secrets.get(name)
    if not isinstance(table, Mapping):
        raise AccessError(f"secrets.toml has no [{within}{name}].")
    return table


def _only(table: Mapping[str, Any], where: str, names: Iterable[str]) -> None:
    """A misspelt name must not leave somebody with more than was meant."""
    if not set(table) <= set(names):
        raise AccessError(f"In secrets.toml, {where} holds something other than {', '.join(names)}.")


def _texts(table: Mapping[str, Any], name: str, where: str) -> list[str]:
    values = table.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
        raise AccessError(f"In secrets.toml, {where} must have lists of texts.")
    return [value.strip() for value in values]


def _emails(roles: Mapping[str, Any], role: str) -> frozenset[str]:
    emails = [comparable_address(text) for text in _texts(roles, role, "[roles]")]
    if not all("@" in email for email in emails):
        raise AccessError(f"In secrets.toml, {role} in [roles] holds something that is no e-mail address.")
    return frozenset(emails)


def comparable_address(email: str) -> str:
    """One spelling of an e-mail address: A to Z in small letters, all else as it is.

    Python's ways to compare texts make ss of ß and k of the Kelvin sign, and with that somebody else's address.
    """
    return email.strip().translate(_SMALL)


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _loopback(host: str | None) -> bool:
    """Whether a host name or address is this computer's own: 127.0.0.0/8, ::1, localhost."""
    if not host:
        return False
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return False
