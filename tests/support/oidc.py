"""A small OpenID Connect provider on loopback. It asks for no password: whoever stands in front of it chooses a name.

What it does check is what a dashboard could get wrong: client, redirect address, code, PKCE, nonce.
"""

import base64
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwk, jwt

CLIENT, SECRET = "bandup-dashboard", "the-client-secret"


@dataclass
class Provider:
    """A running provider: `people` maps the name on the button to the claims in the identity token."""

    url: str
    people: dict[str, dict[str, Any]]
    age: int = 0
    """How many seconds ago tokens were issued, for sign-ins that are old."""
    key: jwk.RSAKey = field(default_factory=lambda: jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    ended: int = 0
    """How often somebody signed out here."""

    def metadata(self) -> dict[str, Any]:
        """What `server_metadata_url` answers."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def secrets(self) -> str:
        """The section `[auth]` of a secrets.toml for a dashboard that signs in here."""
        return (
            '[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_urlsafe(48)}"\nclient_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{self.url}/.well-known/openid-configuration"\n'
        )

    def code_for(self, name: str, asked: Mapping[str, str]) -> str:
        """A code that can be exchanged once for this person's token."""
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "name": name}
        return code

    def token_for(self, sent: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a code; ValueError when it is not to be had."""
        asked = self.codes.pop(sent.get("code", ""), None)
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if not asked or challenge != asked["code_challenge"] or sent.get("redirect_uri") != asked["redirect_uri"]:
            raise ValueError("invalid_grant")
        now = int(time.time()) - self.age
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": int(time.time()) + 60, "nonce": asked["nonce"]}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, {**claims, **self.people[asked["name"]]}, self.key)
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": token}


@contextmanager
def provider(people: dict[str, dict[str, Any]]) -> Iterator[Provider]:
    """A provider, until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path == "/.well-known/openid-configuration":
                self.answer(running.metadata())
            elif parts.path == "/keys":
                self.answer({"keys": [running.key.as_dict(private=False)]})
            elif parts.path == "/authorize" and "name" in asked:
                code = running.code_for(asked.pop("name"), asked)
                self.go(asked["redirect_uri"], code=code, state=asked["state"])
            elif parts.path == "/authorize":
                links = (
                    f'<p><a href="?{html.escape(urlencode({**asked, "name": name}))}">{html.escape(name)}</a>'
                    for name in running.people
                )
                self.answer("".join(links))
            elif parts.path == "/end":
                running.ended += 1
                self.go(asked["post_logout_redirect_uri"])
            else:
                self.send_error(404)

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            if self.path != "/token" or self.headers["Authorization"] != expected:
                self.answer({"error": "invalid_client"}, 401)
                return
            try:
                self.answer(running.token_for({name: values[0] for name, values in parse_qs(sent).items()}))
            except ValueError as error:
                self.answer({"error": str(error)}, 400)

        def answer(self, content: dict[str, Any] | str, status: int = 200) -> None:
            is_page = isinstance(content, str)
            body = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_page else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def go(self, url: str, **query: str) -> None:
            self.send_response(302)
            self.send_header("Location", f"{url}?{urlencode(query)}" if query else url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Provider(f"http://127.0.0.1:{server.server_port}", people)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
