"""Who the browser's request is from. Asked at every page run, fragment, download and change; nothing of it is kept."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import streamlit as st

from data.roster import Roster, RosterError
from queries import source
from queries.access import secret_files
from queries.access.gate import Gate, Refused, Visitor
from queries.access.rules import README, AccessError, AccessRules, local
from ui.shell.ended import Ended

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What the browser's request says of who sent it; kept by downloads, which run outside a page.

    `user` is what the provider says of somebody signed in; `client` the address it came from, None for this computer.
    """

    user: Mapping[str, Any]
    headers: Mapping[str, str]
    client: str | None


def request() -> Request:
    """The request of this page run."""
    return Request(st.user.to_dict(), dict(st.context.headers), _client())


def recognise(sent: Request) -> Visitor:
    """Who sent this request, by the rules as they are now; Refused with a sentence when they may not look."""
    try:
        rules = AccessRules.read(_secrets())
    except AccessError as error:
        raise Refused(f"{error} So this dashboard shows no data. {README}") from error
    if rules is None:
        if _Process.had_sign_in:
            raise Refused("Sign-in was set up when this dashboard started, and is gone now. So it shows no data.")
        return local(st.get_option("server.address"), sent.headers, sent.client)
    _Process.had_sign_in = True
    if st.get_option("server.trustedUserHeaders"):
        raise Refused("server.trustedUserHeaders is set: anybody could claim to be somebody else. So there is no data.")
    if sent.user in _ended():
        raise Refused("You have signed out.", "sign in")
    return rules.visitor(sent.user, datetime.now(UTC))


def current() -> Visitor:
    """Who is looking right now; Refused with a sentence when they may not."""
    return recognise(request())


def gate_of(visitor: Visitor) -> Gate:
    """What this visitor may see. The class list matters only to those who may see some classes alone.

    Refused when it cannot be read, because their students are told from it.
    """
    if visitor.classes is None:
        return Gate(visitor, Roster())
    try:
        return Gate(visitor, source.class_list())
    except RosterError as error:
        log.warning("The roster cannot be used: %s", error.in_log)
        raise Refused("You may see some classes, but the roster that names their students cannot be read.") from error


def require_ops(what: str) -> Visitor:
    """The visitor, asked for at the moment of a change; Refused when they may not `what`, or not any more."""
    visitor = current()
    visitor.require_ops(what)
    return visitor


def sign_out() -> None:
    """End this sign-in in every tab. Streamlit alone would leave other tabs signed in until they are closed."""
    user = st.user.to_dict()
    if user.get("is_logged_in") is True:  # the second click of two comes from nobody, whom all would be taken for
        end(user)
    st.logout()


def end(user: Mapping[str, Any]) -> None:
    """End the sign-in of somebody, as the provider has named them; a restart does not forget it."""
    _ended().add(user)


class _Process:
    """What this process remembers: that there was sign-in."""

    had_sign_in = False


@cache
def _ended() -> Ended:
    return Ended(source.settings().state)


def _client() -> str | None:
    """The address that the browser's request came from; None for this computer."""
    return st.context.ip_address


def sections() -> dict[str, str]:
    """The sections of secrets.toml, and the file that each is taken from; AccessError when it cannot be read."""
    return secret_files.sections(st.get_option("secrets.files"))


def _secrets() -> dict[str, Any]:
    """The content of secrets.toml as it is now, empty when there is none; AccessError when it cannot be read."""
    return secret_files.read(st.get_option("secrets.files"))
