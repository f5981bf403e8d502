"""What stands before Streamlit: who is refused without Streamlit being asked."""

import asyncio
import io
import json
import logging
import time
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from queries.access.gate import Visitor
from ui.server import lifespan, middleware
from ui.server.log import keep_to_lines
from ui.server.sealed import sealed
from ui.shell import rate, sign_in

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")

HERE = "127.0.0.1:8501"
FOREIGN = [
    "http://127.0.0.1:8502",
    "http://127.0.0.1",
    "http://localhost:8501",
    "http://evil.example",
    "http://127.0.0.1:8501.evil.example",
    "http://evil.example@127.0.0.1:8501",
    "http://127.0.0.1:8501/",
    "file://127.0.0.1:8501",
    "127.0.0.1:8501",
    "null",
    "",
]


FORM = {"Content-Type": "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW"}


class Inside:
    """An app within our middleware, which notes what reaches it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        routes = [Route("/{path:path}", self.page, methods=["GET", "PUT", "DELETE", "OPTIONS"])]
        app = Starlette(
            routes=[WebSocketRoute("/_stcore/stream", self.stream), *routes], middleware=lifespan.MIDDLEWARE
        )
        self.client = TestClient(app, base_url=f"http://{HERE}", raise_server_exceptions=False, client=("127.0.0.1", 5))

    def page(self, request: Any) -> Response:
        self.asked.append(request.url.path)
        return Response("")

    async def stream(self, socket: WebSocket) -> None:
        self.asked.append("stream")
        await socket.accept()
        try:
            while True:
                self.asked.append(str(BackMsg.FromString(await socket.receive_bytes()).WhichOneof("type")))
        except WebSocketDisconnect:
            pass


@pytest.fixture
def inside() -> Inside:
    return Inside()


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_origin_reaches_nothing(inside: Inside, origin: str) -> None:
    for method in ("GET", "PUT", "OPTIONS"):
        answer = inside.client.request(method, "/_stcore/health", headers={"Origin": origin})
        assert answer.status_code == 403
        assert answer.headers["content-security-policy"] == middleware.POLICY
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        inside.client.websocket_connect("/_stcore/stream", headers={"Origin": origin, "Host": HERE}),
    ):
        pass
    assert closed.value.code == 1008
    assert inside.asked == []


@pytest.mark.parametrize(
    ("path", "origin", "status"),
    [
        ("/_stcore/health", HERE, 411),
        ("/_stcore/upload_file/a/b", HERE, 411),
        ("/", HERE, 411),
        ("/", "elsewhere", 403),
        ("/%0a", HERE, 403),
    ],
)
def test_a_body_of_an_unknown_length_is_not_read_and_ends_the_connection(
    inside: Inside, path: str, origin: str, status: int
) -> None:
    answer = inside.client.put(path, content=iter([b"x", b"y"]), headers={"Origin": f"http://{origin}"})
    assert (answer.status_code, answer.headers["connection"]) == (status, "close")
    assert inside.asked == []


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        *((host, True) for host in ("school.example", "127.0.0.1:8501", "a_b:1", "[::1]:8501", "[::ffff:1.2.3.4]")),
        *(
            (host, False)
            for host in ("a/b", "a?b", "a#b", "u@a", "a:b", "[", "[::1", "a b", "a\\b", ":80", "a:1:2", "é", "")
        ),
    ],
)
def test_a_host_that_is_none_reaches_nothing(host: str, is_one: bool) -> None:
    """Streamlit would ask the internet for its own address, and answer nobody meanwhile."""
    headers = Headers(raw=[(b"host", host.encode("latin-1")), (b"origin", f"http://{host}".encode("latin-1"))])
    assert middleware._is_same_origin(headers) is is_one
    if is_one:
        assert starlette_websocket._is_origin_allowed(f"http://{host}", host)


def test_an_error_of_the_server_carries_the_headers_of_every_answer(caplog: pytest.LogCaptureFixture) -> None:
    def page(_: Any) -> Response:
        raise RuntimeError("a bug")

    app = Starlette(routes=[Route("/", page)], middleware=lifespan.MIDDLEWARE)
    answer = TestClient(app, base_url=f"http://{HERE}", raise_server_exceptions=False).get("/")
    assert answer.status_code == 500
    assert middleware.HEADERS.items() <= {name: answer.headers.get(name) for name in middleware.HEADERS}.items()
    assert "a bug" not in answer.text
    assert [record.message for record in caplog.records] == ["A request could not be answered"]


def test_who_leaves_in_the_middle_of_a_request_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    def page(_: Any) -> Response:
        raise ClientDisconnect

    app = Starlette(routes=[Route("/", page)], middleware=lifespan.MIDDLEWARE)
    with suppress(RuntimeError, AssertionError, TypeError):  # no answer was made, as nobody waits for one
        TestClient(app, base_url=f"http://{HERE}", raise_server_exceptions=False).get("/")
    assert not caplog.records


def test_two_origins_or_hosts_reach_nothing(inside: Inside) -> None:
    here = f"http://{HERE}"
    for headers in (
        [("Origin", here), ("Origin", "http://evil.example")],
        [("Origin", here), ("Host", "evil.example")],
    ):
        assert inside.client.get("/", headers=[("Host", HERE), *headers]).status_code == 403
    assert inside.asked == []


@pytest.mark.parametrize("headers", [{}, {"Origin": f"http://{HERE}"}, {"Origin": f"https://{HERE}"}], ids=str)
def test_our_own_pages_and_other_programs_get_in(inside: Inside, headers: dict[str, str]) -> None:
    assert inside.client.get("/", headers=headers).status_code == 200
    with inside.client.websocket_connect("/_stcore/stream", headers={**headers, "Host": HERE}):
        pass
    assert inside.asked == ["/", "stream"]


RUN = BackMsg()
RUN.rerun_script.query_string = ""
WIDGETS = BackMsg()
WIDGETS.rerun_script.widget_states.widgets.add(id="a", json_value="1")
LARGE = BackMsg()
LARGE.rerun_script.widget_states.widgets.add(id="a", string_value="a" * middleware.MOST_OF_FRAME)
MANY = BackMsg()
for number in range(900):
    MANY.rerun_script.widget_states.widgets.add(id=f"{number:060x}", trigger_value=True)
TOO_MANY = BackMsg()
for _ in range(1_001):
    TOO_MANY.rerun_script.widget_states.widgets.add(id="a", trigger_value=True)
KEPT = BackMsg()
KEPT.rerun_script.cached_message_hashes.extend(f"{number}" for number in range(1_001))
NAMES = BackMsg(file_urls_request={"file_names": ["a"] * 21})
FILE = BackMsg(backend_operation_request={"deferred_file": {}})
DEVELOPERS = [
    BackMsg(clear_cache=True),
    BackMsg(set_run_on_save=True),
    BackMsg(load_git_info=True),
    BackMsg(debug_disconnect_websocket=True),
    BackMsg(debug_shutdown_runtime=True),
    BackMsg(backend_operation_request={"install_skills": {}}),
    BackMsg(backend_operation_request={"dismiss_skills_nudge": {}}),
    BackMsg(backend_operation_request={}),
    BackMsg(),
]
ASKING = [BackMsg(file_urls_request={}), FILE, BackMsg(app_heartbeat=True)]
SIGN_IN = {
    "auth": {"redirect_uri": "a", "cookie_secret": "b" * 32, "client_id": "c", "client_secret": "d"},
    "roles": {"ops": ["olga@school.example"], "teacher": ["tom@school.example"]},
}


@pytest.fixture
def signed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-in is set up, and nobody is signed in."""
    monkeypatch.setattr(sign_in, "_secrets", lambda: SIGN_IN)


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What Streamlit keeps of uploads."""
    kept: dict[str, dict[str, Any]] = {}
    manager = SimpleNamespace(
        uploaded_file_mgr=SimpleNamespace(
            file_storage=kept, remove_session_files=lambda session: kept.pop(session, None)
        ),
        _session_mgr=SimpleNamespace(get_session_info=lambda session: session if session == "mine" else None),
    )
    monkeypatch.setattr(middleware.Runtime, "instance", lambda: manager)
    return kept


def frames(inside: Inside, *sent: BackMsg | bytes | str) -> list[str]:
    """What reaches Streamlit of these frames."""
    with inside.client.websocket_connect("/_stcore/stream", headers={"Host": HERE}) as socket:
        for one in sent:
            if isinstance(one, str):
                socket.send_text(one)
            else:
                socket.send_bytes(one if isinstance(one, bytes) else one.SerializeToString())
    return inside.asked[1:]


def test_no_developers_frame_reaches_streamlit(inside: Inside, caplog: pytest.LogCaptureFixture) -> None:
    assert frames(inside, *DEVELOPERS * 20, RUN) == ["rerun_script"]
    assert len(caplog.records) == 1


def test_refused_frames_of_many_addresses_are_ten_lines_a_minute(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, written = logging.Logger(middleware.__name__), io.StringIO()
    logger.addHandler(logging.StreamHandler(written))
    monkeypatch.setattr(logging.root.manager, "loggerDict", {logger.name: logger})
    monkeypatch.setattr(middleware, "log", logger)
    keep_to_lines()
    monkeypatch.setattr(middleware, "_visitor", lambda _: None)
    for number in range(15):
        client = TestClient(inside.client.app, base_url=f"http://{HERE}", client=(f"192.0.2.{number}", 5))
        with client.websocket_connect("/_stcore/stream", headers={"Host": HERE}) as socket:
            for _ in range(2):
                socket.send_bytes(BackMsg(clear_cache=True).SerializeToString())
    assert written.getvalue().splitlines() == ["A frame was refused: clear_cache"] * 10


def test_a_visitors_frames_reach_streamlit(inside: Inside, caplog: pytest.LogCaptureFixture) -> None:
    kinds = ["file_urls_request", "backend_operation_request", "app_heartbeat", "rerun_script"]
    assert frames(inside, *ASKING, RUN) == kinds
    assert not caplog.records


@pytest.mark.usefixtures("signed_out")
def test_before_sign_in_only_runs_reach_streamlit(inside: Inside) -> None:
    assert frames(inside, *ASKING, *DEVELOPERS, RUN, BackMsg(stop_script=True)) == ["rerun_script", "stop_script"]


@pytest.mark.usefixtures("signed_out")
def test_before_sign_in_a_run_is_small(inside: Inside) -> None:
    assert frames(inside, RUN, MANY, RUN) == ["rerun_script"]


def test_a_visitors_run_may_have_many_widgets(inside: Inside) -> None:
    assert frames(inside, MANY, RUN) == ["rerun_script", "rerun_script"]


@pytest.mark.usefixtures("signed_out")
def test_before_sign_in_nothing_long_is_looked_at(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """To parse it would keep the server busy, whoever sent it."""
    read: list[int] = []
    monkeypatch.setattr(middleware, "_kind", lambda message: read.append(len(message["bytes"])))
    for long in (MANY, LARGE):
        assert "rerun_script" not in frames(inside, long)
    assert read == []


def test_files_are_not_asked_for_by_the_hundred(inside: Inside) -> None:
    assert frames(inside, *[FILE] * 100, RUN) == ["backend_operation_request"] * 20 + ["rerun_script"]


def test_files_for_all_of_a_visitors_tabs_are_counted_together(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "_visitor", lambda _: Visitor("tom@school.example", "teacher"))
    for _ in range(3):
        with inside.client.websocket_connect("/_stcore/stream", headers={"Host": HERE}) as socket:
            for _ in range(15):
                socket.send_bytes(FILE.SerializeToString())
    assert inside.asked.count("backend_operation_request") == middleware.MOST_FILES


@pytest.mark.usefixtures("signed_out")
def test_whoever_sends_runs_by_the_thousand_is_cut_off(inside: Inside, caplog: pytest.LogCaptureFixture) -> None:
    """Each frame has the server start a thread: ten thousand, of 60 KB, would stop it for twenty seconds."""
    with inside.client.websocket_connect("/_stcore/stream", headers={"Host": HERE}) as socket:
        for _ in range(3_000):
            socket.send_bytes(RUN.SerializeToString())
        assert socket.receive() == {"type": "websocket.close", "code": 1008}
    assert inside.asked.count("rerun_script") < 2 * (middleware._AT_ONCE + middleware._MOST_WAITING)
    assert "too many at once" in caplog.records[-1].getMessage()


def test_frames_of_all_of_a_visitors_tabs_are_counted_together(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "_visitor", lambda _: Visitor("tom@school.example", "teacher"))
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(middleware.asyncio, "sleep", sleep)
    monkeypatch.setattr(rate, "time", SimpleNamespace(monotonic=lambda: 100.0))
    for _ in range(3):
        with inside.client.websocket_connect("/_stcore/stream", headers={"Host": HERE}) as socket:
            for _ in range(20):
                socket.send_bytes(RUN.SerializeToString())
    assert inside.asked.count("rerun_script") == 60
    assert len(waited) == 60 - middleware._AT_ONCE


@pytest.mark.usefixtures("signed_out")
def test_runs_of_all_who_have_not_signed_in_are_counted_together(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(middleware.asyncio, "sleep", sleep)
    monkeypatch.setattr(rate, "time", SimpleNamespace(monotonic=lambda: 100.0))

    def send(address: str) -> list[float]:
        """How long each of 20 runs from an address waited, where it did."""
        waited.clear()
        client = TestClient(inside.client.app, base_url=f"http://{HERE}", client=(address, 5))
        with client.websocket_connect("/_stcore/stream", headers={"Host": HERE}) as socket:
            for _ in range(20):
                socket.send_bytes(RUN.SerializeToString())
        return list(waited)

    # As many at once as one address may send without waiting for its own.
    assert send("192.0.2.1") == []
    assert send("192.0.2.2") == pytest.approx([n / 20 for n in range(1, 21)])
    assert send("192.0.2.3") == pytest.approx([n / 20 for n in range(21, 41)])
    assert inside.asked.count("rerun_script") == 60
    # Whoever has signed in waits for none of them.
    monkeypatch.setattr(middleware, "_visitor", lambda _: Visitor("tom@school.example", "teacher"))
    assert send("192.0.2.4") == []


def test_sign_ins_begin_one_after_the_other(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(middleware.asyncio, "sleep", sleep)
    monkeypatch.setattr(middleware.time, "monotonic", lambda: 100.0)
    codes = [inside.client.get("/auth/login").status_code for _ in range(100)]
    assert codes == [200] * 61 + [503] * 39
    assert waited == [n * 0.25 for n in range(61)]
    # Who comes back or signs out waits for none of these, but for others who do the same.
    for path in ("/oauth2callback?state=x&code=y", "/auth/logout"):
        waited.clear()
        codes = [inside.client.get(path).status_code for _ in range(100)]
        assert codes == [200] * 61 + [503] * 39
        assert waited == [n * 0.25 for n in range(61)]


@pytest.mark.parametrize(
    "path", ["/auth/logout%0A", "/auth/login%0A", "/oauth2callback%0A?state=x", "/_stcore/stream%0A", "/a%7Fb"]
)
def test_a_path_with_a_line_break_reaches_nothing(inside: Inside, path: str) -> None:
    assert inside.client.get(path).status_code == 403
    assert inside.asked == []


@pytest.mark.parametrize(
    "bad",
    [b"\xff" * 40, "text", WIDGETS, LARGE, TOO_MANY, NAMES, KEPT],
    ids=["no protobuf", "text", "widget JSON", "large", "too many widgets", "too many names", "marks"],
)
def test_what_is_no_frame_ends_the_connection_with_one_line(
    inside: Inside, bad: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        assert "rerun_script" not in frames(inside, bad)
    assert len(caplog.records) == 1
    assert "\n" not in caplog.records[0].getMessage()


@pytest.mark.usefixtures("signed_out")
@pytest.mark.parametrize("cookie", ["", "_streamlit_user=forged", '_streamlit_user={"email":"olga@school.example"}'])
def test_nobody_uploads_before_sign_in(inside: Inside, uploads: dict[str, Any], cookie: str) -> None:
    for method in ("PUT", "DELETE"):
        answer = inside.client.request(method, "/_stcore/upload_file/session/file", headers={"Cookie": cookie})
        assert answer.status_code == 403
    assert inside.asked == []


def test_uploads_have_room_in_a_session_and_in_all(inside: Inside, uploads: dict[str, Any]) -> None:
    one = SimpleNamespace(data=bytes(6_000_000))

    def status() -> int:
        return inside.client.put("/_stcore/upload_file/mine/another", headers=FORM).status_code

    uploads["mine"] = {"a": one, "b": one}
    assert status() == 200
    uploads["mine"]["c"] = one
    assert status() == 413
    uploads.update({f"other-{n}": {"a": one} for n in range(40)})
    uploads.pop("mine")
    assert status() == 413


def test_files_of_no_bytes_take_room_too(inside: Inside, uploads: dict[str, Any]) -> None:
    """Streamlit keeps the name, type and id of each, and looks through all of them at each upload."""
    empty = SimpleNamespace(data=b"")
    uploads["mine"] = {str(n): empty for n in range(1_000)}
    assert inside.client.put("/_stcore/upload_file/mine/another", headers=FORM).status_code == 413


@pytest.mark.parametrize("place", ["mine/" + "x" * 65, "mine/%F0%9F%98%80", "mine", "mine/a/b", "mine/", "/a"])
def test_an_upload_goes_where_a_page_would_send_it(inside: Inside, uploads: dict[str, Any], place: str) -> None:
    assert inside.client.put(f"/_stcore/upload_file/{place}", headers=FORM).status_code == 403
    assert inside.client.put("/_stcore/upload_file/mine/0a1b-2c", headers=FORM).status_code == 200
    assert len(inside.asked) == 1


def test_what_is_uploaded_after_its_page_is_gone_is_not_kept(inside: Inside, uploads: dict[str, Any]) -> None:
    for session in ("mine", "gone"):
        uploads[session] = {"a": SimpleNamespace(data=b"late")}
        assert inside.client.put(f"/_stcore/upload_file/{session}/b", headers=FORM).status_code == 200
    assert set(uploads) == {"mine"}


@pytest.mark.usefixtures("uploads")
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FORM["Content-Type"], 200),
        ("multipart/form-data; boundary=---------------------------293582696224464", 200),
        ("multipart/form-data; boundary=b; charset=punycode", 415),
        ("multipart/form-data; charset=" + "x" * 60_000, 415),
        ("application/x-www-form-urlencoded", 415),
        ("text/csv", 415),
        (None, 415),
    ],
)
def test_an_upload_is_a_form_as_browsers_send_it(inside: Inside, kind: str | None, status: int) -> None:
    """What else Starlette reads may name a codec that takes the square of the text, and each that is named is kept."""
    headers = {} if kind is None else {"Content-Type": kind}
    assert inside.client.put("/_stcore/upload_file/mine/a", headers=headers).status_code == status
    assert len(inside.asked) == (status == 200)


@pytest.mark.usefixtures("uploads")
@pytest.mark.parametrize(("parts", "status"), [(1, 200), (2, 400), (500, 400)])
def test_an_upload_of_several_parts_is_refused(parts: int, status: int) -> None:
    async def streamlit(scope: Any, receive: Any, send: Any) -> None:
        form = await Request(scope, receive).form()
        await Response(str(len(form)))(scope, receive, send)

    client = TestClient(middleware.Doors(streamlit), base_url=f"http://{HERE}", client=("127.0.0.1", 5))
    body = b"".join([b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'] * parts) + b"--b--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = client.put("/_stcore/upload_file/mine/a", content=body, headers=kind)
    assert answer.status_code == status
    assert answer.headers.get("connection") == (None if status == 200 else "close")


@pytest.mark.parametrize(("parts", "is_whole"), [(1, True), (2, False), (1_000, False)])
def test_a_form_of_an_upload_has_one_part(parts: int, is_whole: bool) -> None:
    """However it comes in: here a byte at a time."""
    body = b"".join([b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'] * parts) + b"--b--\r\n"
    pieces = [body[at : at + 1] for at in range(len(body))]

    async def come() -> Any:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def read() -> bytes:
        form, whole = middleware._OnePart("b", come), b""
        while pieces:
            message = await form.receive()
            if message["type"] == "http.disconnect":
                break
            whole += message["body"]
        return whole

    assert (asyncio.run(read()) == body) is is_whole
    assert parts < 1_000 or len(pieces) > len(body) * 0.99


@pytest.mark.usefixtures("uploads")
def test_an_upload_that_never_ends_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(*_: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(middleware, "_UPLOAD_SECONDS", 0.01)
    client = TestClient(middleware.Doors(wait), base_url=f"http://{HERE}", client=("127.0.0.1", 5))
    assert client.put("/_stcore/upload_file/mine/a", headers=FORM).status_code == 408


def test_no_program_opens_pages_by_another_way(inside: Inside) -> None:
    for path in ("/_stcore/agent/interact", "/_stcore/agent/mcp", "/bandup/_stcore/agent/openapi.json"):
        assert inside.client.post(path).status_code == 403
    assert inside.asked == []


def test_a_class_list_is_not_larger_than_the_configured_upload() -> None:
    assert st.get_option("server.maxUploadSize") == 5


def test_a_page_s_widgets_are_not_larger_than_a_frame() -> None:
    assert st.get_option("server.maxWidgetStateSize") * 1_000_000 >= middleware.MOST_OF_FRAME


@pytest.mark.parametrize(
    ("headers", "client", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "192.0.2.7", 403),
        ({"X-Forwarded-For": "192.0.2.7"}, "127.0.0.1", 403),
        ({"Host": "dashboard.example.org"}, "127.0.0.1", 403),
    ],
)
@pytest.mark.parametrize("with_sign_in", [False, True])
def test_metrics_are_for_this_computer(
    inside: Inside,
    headers: dict[str, str],
    client: str,
    status: int,
    with_sign_in: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sign_in, "_secrets", lambda: SIGN_IN if with_sign_in else {})
    asking = TestClient(inside.client.app, base_url=f"http://{HERE}", client=(client, 5))
    for path in ("/_stcore/metrics", "/bandup/_stcore/metrics"):
        assert asking.get(path, headers=headers).status_code == status


def test_a_sign_out_that_is_asked_for_directly_ends_the_sign_in_of_every_copy_of_its_cookie(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {
        "redirect_uri": "https://dashboard.example/oauth2callback",
        "server_metadata_url": "https://login.example/.well-known/openid-configuration",
    }
    monkeypatch.setattr(sign_in, "_secrets", lambda: {**SIGN_IN, "auth": {**SIGN_IN["auth"], **places}})
    monkeypatch.setattr("ui.server.sealed.get_cookie_secret", lambda: "b" * 32)
    now = int(time.time())
    person = {"is_logged_in": True, "email": "olga@school.example", "iat": now, "iss": "i", "sub": "1", "nonce": "n"}
    signed = create_signed_value("b" * 32, "_streamlit_user", json.dumps(sealed(person))).decode()
    other = create_signed_value("b" * 32, "_streamlit_user", json.dumps(sealed({**person, "nonce": "m"}))).decode()

    def status(cookie: str) -> int:
        headers = {"Cookie": f"_streamlit_user={cookie}"}
        return inside.client.delete("/_stcore/upload_file/mine/a", headers=headers).status_code

    assert (status(signed), status(other)) == (200, 200)
    inside.client.get("/auth/logout", headers={"Cookie": "_streamlit_user=forged"})
    assert (status(signed), status(other)) == (200, 200)
    inside.client.get("/auth/logout", headers={"Cookie": f"_streamlit_user={signed}"})
    assert (status(signed), status(other)) == (403, 200)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_no_other_site_signs_somebody_out(inside: Inside, site: str) -> None:
    assert inside.client.get("/auth/logout", headers={"Sec-Fetch-Site": site}).status_code == 403
    assert inside.asked == []
    for own in ({"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {}):
        assert inside.client.get("/auth/logout", headers=own).status_code == 200


def test_the_way_back_from_a_sign_out_is_no_sign_in_that_went_wrong(inside: Inside) -> None:
    answer = inside.client.get("/oauth2callback", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "/")
    assert inside.asked == []
    # Nobody is sent to another host.
    elsewhere = f"http://{HERE}//evil.example/oauth2callback"
    assert "location" not in inside.client.get(elsewhere, follow_redirects=False).headers
    inside.asked.clear()
    inside.client.get("/oauth2callback?state=x&code=y", follow_redirects=False)
    assert inside.asked == ["/oauth2callback"]
