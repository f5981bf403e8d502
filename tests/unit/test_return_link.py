"""Where a sign-in leads back to: the page that asked for it, and never anywhere but to a page of ours."""

from base64 import urlsafe_b64encode
from copy import copy

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import config

from ui.server.return_link import COOKIE, ReturnLink

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")
HOST = "http://dashboard.example"


def client(base: str = "") -> TestClient:
    """A browser of a server whose sign-in goes as Streamlit's does: to the provider, back, to the base path."""

    def login(_: Request) -> RedirectResponse:
        return RedirectResponse("https://provider.example/authorize?client_id=x&state=one", 302)

    def callback(_: Request) -> RedirectResponse:
        return RedirectResponse(f"{base}/", 302)

    routes = [Route(f"{base}/auth/login", login), Route(f"{base}/oauth2callback", callback)]
    app = Starlette(routes=routes, middleware=[Middleware(ReturnLink)])
    return TestClient(app, base_url=HOST, follow_redirects=False)


def leads_to(visitor: TestClient, referer: str | None, base: str = "", state: str = "one") -> str:
    """Where somebody is after signing in, who came from a page."""
    there = visitor.get(f"{base}/auth/login?provider=token", headers={"Referer": referer} if referer else {})
    assert there.headers["location"].startswith("https://provider.example/")
    back = visitor.get(f"{base}/oauth2callback?code=1&state={state}")
    assert not visitor.cookies.get(COOKIE)
    return str(back.headers["location"])


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch) -> str:
    option = copy(config.get_config_options()["server.baseUrlPath"])
    option.set_value("/bandup/", "a test")
    monkeypatch.setitem(config.get_config_options(), "server.baseUrlPath", option)
    return "/bandup"


@pytest.mark.parametrize(
    "path", ["/", "/student?user_id=user-101", "/jobs?jobs=30d&state=stuck", "/student?user_id=a%20b%2F%2F..%0d%0aX:1"]
)
def test_a_sign_in_leads_back_to_the_page_that_asked_for_it(path: str) -> None:
    assert leads_to(client(), HOST + path) == path


def test_below_a_path_too(base: str) -> None:
    assert leads_to(client(base), f"{HOST}/bandup/student?user_id=user-101", base) == "/bandup/student?user_id=user-101"
    assert leads_to(client(base), f"{HOST}/bandup/", base) == "/bandup/"


@pytest.mark.parametrize("path", ["/student", "/bandup", "/bandupper/student", "/bandup//evil.example", "/"])
def test_what_lies_beside_that_path_is_not_ours(path: str, base: str) -> None:
    assert leads_to(client(base), HOST + path, base) in ("/bandup/", "/bandup")


ELSEWHERE = {
    "nowhere": None,
    "another host": "https://evil.example/student",
    "our name before another": "http://dashboard.example.evil.example/",
    "our name as a user": "http://dashboard.example@evil.example/",
    "another port": "http://dashboard.example:81/student",
    "another scheme": "ftp://dashboard.example/student",
    "a script": "javascript:alert(1)",
    "two slashes": f"{HOST}//evil.example/student",
    "a backslash": f"{HOST}/\\evil.example",
    "a backslash in the query": f"{HOST}/student?\\",
    "an encoded slash": f"{HOST}/%2Fevil.example",
    "signing out": f"{HOST}/auth/logout",
    "the way back itself": f"{HOST}/oauth2callback?state=one",
    "Streamlit's own": f"{HOST}/_stcore/health",
    "too long": f"{HOST}/student?user_id={'x' * 3000}",
    "no URL": "http://[",
}


@pytest.mark.parametrize("referer", ELSEWHERE.values(), ids=ELSEWHERE)
def test_it_leads_to_the_overview_from_anywhere_else(referer: str | None) -> None:
    assert leads_to(client(), referer) == "/"


def test_a_link_belongs_to_one_sign_in() -> None:
    assert leads_to(client(), f"{HOST}/student?user_id=user-101", state="another") == "/"


def planted(link: str | bytes, state: str = "one") -> str:
    link = urlsafe_b64encode(link if isinstance(link, bytes) else link.encode()).decode()
    return f"{link}.{state}"


@pytest.mark.parametrize(
    "cookie",
    [
        planted("https://evil.example/"),
        planted("//evil.example/"),
        planted("/\\evil.example"),
        planted("/student\r\nSet-Cookie: a=b"),
        planted("/auth/logout"),
        planted(b"\xff\xfe"),
        planted("/student", ""),
        "x",
        "x.one",
        ".one",
        "é.one".encode().decode("latin-1"),
    ],
)
def test_a_planted_cookie_leads_nowhere(cookie: str) -> None:
    answer = client().get("/oauth2callback?state=one", headers={"Cookie": f"{COOKIE}={cookie}".encode("latin-1")})  # type: ignore[dict-item]
    assert answer.headers["location"] == "/"


def test_the_cookie_is_out_of_the_reach_of_scripts_and_short_lived() -> None:
    answer = client().get("/auth/login", headers={"Referer": f"{HOST}/student"})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=600" in cookie
