"""Every way a call to AWS can fail becomes one Failure: what happened, to what, and what to do."""

import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore import exceptions as aws
from botocore.config import Config

from data.dynamodb.budget import Late
from data.dynamodb.decode import decode_fast
from data.dynamodb.errors import Failure, explain
from data.dynamodb.store import Store, TableFacts
from data.provisioning.lambdas import Clients, proofs
from data.records import evaluations, flashcards
from data.schema import BY_STUDENT, EVALUATIONS
from data.settings import Settings
from tests.support import engines
from tests.support.settings import settings


def answer(code: str, message: str = "", status: int = 400) -> aws.ClientError:
    """What boto3 raises when AWS answers with an error."""
    metadata: Any = {
        "RequestId": "REQ-1",
        "HTTPStatusCode": status,
        "HTTPHeaders": {},
        "HostId": "",
        "RetryAttempts": 0,
    }
    return aws.ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, "Query")


# error -> kind, and what the two sentences must say
ANSWERS: dict[str, tuple[aws.ClientError, str, list[str]]] = {
    "denied": (
        answer("AccessDeniedException", "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: Query"),
        "access_denied",
        ["dynamodb:Query", "table/evals/index/by-student"],
    ),
    "expired": (answer("ExpiredTokenException", "The security token has expired"), "expired", ["expired"]),
    "unrecognised": (
        answer("UnrecognizedClientException", "The security token included in the request is invalid."),
        "credentials",
        ["does not recognise", "AWS_PROFILE"],
    ),
    "wrong secret": (
        answer("InvalidSignatureException", "The request signature we calculated does not match the signature you"),
        "credentials",
        ["does not recognise"],
    ),
    "clock behind": (
        answer("InvalidSignatureException", "Signature expired: 20240101T000000Z is now earlier than 20240101T001500Z"),
        "credentials",
        ["clock"],
    ),
    "clock far off": (answer("RequestTimeTooSkewed", "The difference is too large"), "credentials", ["clock"]),
    "clock ahead": (
        answer("InvalidSignatureException", "Signature not yet current: 20240101T002000Z is still later than 2024010"),
        "credentials",
        ["clock"],
    ),
    "throttled": (answer("ThrottlingException", "Rate exceeded"), "throttled", ["evals", "Wait"]),
    "table throttled": (
        answer("ProvisionedThroughputExceededException", "The level of configured provisioned throughput"),
        "throttled",
        ["evals"],
    ),
    "request limit": (answer("RequestLimitExceeded"), "throttled", ["evals"]),
    "internal": (answer("InternalServerError", status=500), "service", ["Query", "evals"]),
    "503": (answer("503", "Service Unavailable", 503), "service", ["Query", "evals", "503"]),
    "502 of a proxy": (answer("", "<html>Bad Gateway</html>", 502), "service", ["502"]),
    "table missing": (
        answer("ResourceNotFoundException", "Requested resource not found"),
        "missing",
        ["evals", "Setup"],
    ),
    "index missing": (
        answer("ValidationException", "The table does not have the specified index: by-student"),
        "index_missing",
        ["evals", "by-student", "scan"],
    ),
    "index missing, as moto says it": (
        answer("ResourceNotFoundException", "Invalid index: by-student for table: evals. Available indexes are: "),
        "index_missing",
        ["by-student"],
    ),
    "index building": (
        answer("ValidationException", "Cannot read from backfilling global secondary index: by-student"),
        "index_building",
        ["by-student", "evals"],
    ),
    "rejected": (
        answer("ValidationException", "One or more parameter values were invalid"),
        "rejected",
        ["Query", "evals", "One or more parameter values were invalid"],
    ),
    "unknown": (answer("BrandNewException", "Something new"), "unexpected", ["Query", "evals", "BrandNewException"]),
    "without a code": (answer(""), "unexpected", ["Query", "evals", "an unknown error"]),
}


@pytest.mark.parametrize(("error", "kind", "said"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_aws_is_explained(error: aws.ClientError, kind: str, said: list[str]) -> None:
    failure = explain(error, "Query", "evals", "by-student")
    assert failure.kind == kind
    assert failure.request_id == "REQ-1"
    for words in said:
        assert words in str(failure)
    check_sentences(failure)


URL = "http://127.0.0.1:9/"
SILENCES: dict[str, tuple[Exception, str, list[str]]] = {
    "no credentials": (aws.NoCredentialsError(), "credentials", ["no AWS credentials", "BANDUP_SOURCE=demo"]),
    "half the credentials": (
        aws.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        "credentials",
        ["credentials"],
    ),
    "unknown profile": (aws.ProfileNotFound(profile="teacher"), "credentials", ["teacher", "AWS_PROFILE"]),
    "sign-in": (aws.SSOTokenLoadError(error_msg="not there"), "expired", ["Sign in again"]),
    "sign-in expired": (aws.UnauthorizedSSOTokenError(), "expired", ["Sign in again"]),
    "token": (aws.TokenRetrievalError(provider="sso", error_msg="x"), "expired", ["Sign in again"]),
    "credential process": (
        aws.CredentialRetrievalError(provider="custom-process", error_msg="x"),
        "expired",
        ["Sign in again"],
    ),
    "no region": (aws.NoRegionError(), "region", ["AWS_REGION"]),
    "no such region": (aws.InvalidRegionError(region_name="not a region"), "region", ["AWS_REGION"]),
    "refused": (aws.EndpointConnectionError(endpoint_url=URL), "unreachable", [URL, "endpoint"]),
    "cut": (aws.ConnectionClosedError(endpoint_url=URL), "unreachable", [URL, "broke off", "Query on evals"]),
    "TLS": (aws.SSLError(endpoint_url=URL, error="bad certificate"), "unreachable", ["could not be reached"]),
    "proxy": (
        aws.ProxyConnectionError(proxy_url="http://proxy:1", error="refused"),
        "unreachable",
        ["could not be reached"],
    ),
    "slow answer": (aws.ReadTimeoutError(endpoint_url=URL), "too_slow", ["Query", "evals"]),
    "slow connection": (aws.ConnectTimeoutError(endpoint_url=URL), "too_slow", ["Query", "evals"]),
    "wrong parameter": (aws.ParamValidationError(report="Invalid type"), "unexpected", ["Query", "evals"]),
    "no JSON": (ValueError("Expecting value"), "garbled", ["Query", "evals"]),
    "hangs": (Late(12.0, asked=True), "too_slow", ["did not answer Query on evals within 12 s"]),
    "time is over": (Late(30.0, asked=False), "too_slow", ["was not asked for Query on evals", "waited for 30 s"]),
}


@pytest.mark.parametrize(("error", "kind", "said"), SILENCES.values(), ids=SILENCES)
def test_what_boto3_itself_raises_is_explained(error: Exception, kind: str, said: list[str]) -> None:
    failure = explain(error, "Query", "evals")
    assert failure.kind == kind
    assert failure.request_id == ""
    for words in said:
        assert words in str(failure)
    check_sentences(failure)


def check_sentences(failure: Failure) -> None:
    """Both are sentences: a capital, a full stop, nothing of a traceback."""
    for sentence in (failure.what, failure.do):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not sentence.endswith((": .", ".."))
        assert "Traceback" not in sentence
    assert str(failure) == f"{failure.what} {failure.do}"


def test_denial_without_an_index_names_the_table_alone() -> None:
    failure = explain(answer("AccessDeniedException"), "GetItem", "evals")
    assert failure.what == "AWS denied dynamodb:GetItem on table/evals."


USER = "User: arn:aws:sts::123456789012:assumed-role/teacher/x is not authorized to perform: "
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/evals"
DENIALS: dict[str, tuple[str, str | None, str]] = {
    "no policy allows it": (
        f"{USER}dynamodb:Query on resource: {TABLE}/index/by-student because no identity-based policy allows the "
        "dynamodb:Query action",
        "by-student",
        f"Add the action dynamodb:Query on {TABLE}/index/by-student to the policy of these credentials.",
    ),
    "nothing is said but who asked": (
        "User: arn:aws:iam::123456789012:user/x is not allowed",
        "by-student",
        f"Add the action dynamodb:Query on {TABLE}/index/by-student to the policy of these credentials.",
    ),
    "nothing is said": (
        "",
        None,
        "Add the action dynamodb:Query on arn:aws:dynamodb:eu-west-1:*:table/evals to the policy of these credentials.",
    ),
    "the key of an encrypted table": (
        f"{USER}kms:Decrypt on resource: arn:aws:kms:eu-west-1:123456789012:key/k because no identity-based policy "
        "allows the kms:Decrypt action",
        None,
        "Add the action kms:Decrypt on arn:aws:kms:eu-west-1:123456789012:key/k to the policy of these credentials.",
    ),
    "a boundary": (
        f"{USER}dynamodb:Query on resource: {TABLE} because no permissions boundary allows the dynamodb:Query action",
        None,
        f"Add the action dynamodb:Query on {TABLE} to the permissions boundary of these credentials.",
    ),
    "an explicit deny": (
        f"{USER}dynamodb:Query on resource: {TABLE} with an explicit deny in a service control policy",
        None,
        f"Remove the explicit deny of dynamodb:Query on {TABLE} from the service control policy that has it; adding it "
        "would not help.",
    ),
}


@pytest.mark.parametrize(("message", "index", "do"), DENIALS.values(), ids=DENIALS)
def test_denial_says_the_exact_action_and_resource_to_add(message: str, index: str | None, do: str) -> None:
    arn = "arn:aws:dynamodb:eu-west-1:*:table/evals"
    failure = explain(answer("AccessDeniedException", message), "Query", "evals", index, arn=arn)
    assert failure.do == do
    check_sentences(failure)


def test_denial_names_the_arn_that_is_known_from_the_table_itself() -> None:
    store = once("http://127.0.0.1:9")
    store._facts[store.settings.evaluations] = (0.0, TableFacts(store.settings.evaluations, TABLE, 0, 0, {}))

    def refuse(**_: Any) -> Any:
        raise answer("AccessDeniedException")

    with pytest.raises(Failure) as caught:
        store.call("GetItem", store.settings.evaluations, None, refuse)
    assert caught.value.do == f"Add the action dynamodb:GetItem on {TABLE} to the policy of these credentials."


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        ("throttled", True),
        ("internal", True),
        ("expired", True),
        ("denied", False),
        ("unrecognised", False),
        ("clock behind", False),
        ("table missing", False),
        ("index missing", False),
    ],
)
def test_an_older_answer_is_good_enough_only_where_nothing_is_said_about_the_data_or_who_may_read_it(
    error: str, passing: bool
) -> None:
    assert explain(ANSWERS[error][0], "Query", "evals", "by-student").passing is passing


def test_the_log_has_the_request_id_of_every_answer_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    identified = {**JSON, "x-amzn-RequestId": "REQ-8"}
    error = b'{"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "message": "no"}'
    scripts = {
        "with a code": Script(status=400, body=error, headers=identified),
        "without a body": Script(status=503, headers=identified),
        "in HTML": Script(status=502, body=PORTAL, headers={**identified, "Content-Type": "text/html"}),
        "that is none of DynamoDB's": Script(body=PORTAL, headers={**identified, "Content-Type": "text/html"}),
        "that breaks off": Script(body=b'{"Items": [{', headers=identified),
    }
    for name, script in scripts.items():
        caplog.clear()
        with serving(script) as url, pytest.raises(Failure) as caught:
            once(url).get(EVALUATIONS, {"evaluation_id": "e", "user_id": "u"})
        assert caught.value.request_id == "REQ-8", name
        assert "GetItem on bandup-evaluations failed" in caplog.text
        assert "(request REQ-8)" in caplog.text


def test_the_log_has_the_request_id_of_lambda_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {
        "Content-Type": "application/json",
        "x-amzn-RequestId": "REQ-9",
        "x-amzn-ErrorType": "AccessDeniedException",
    }
    script = Script(status=403, body=b'{"Message": "no"}', headers=headers)
    with serving(script) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        store = once(url)
        found = proofs(store, Clients.open(store, **engines.CREDENTIALS), ())
    assert "Add the action lambda:GetFunctionConfiguration on function:" in found[0].links[0].fact
    assert caplog.text.count("(request REQ-9)") == 3


def test_a_failure_stays_the_failure_it_is() -> None:
    failure = Failure("throttled", "Too much.", "Wait.")
    assert explain(failure, "Query", "evals") is failure


def test_a_failure_survives_pickling() -> None:
    # Streamlit's caches pickle what they keep.
    failure = Failure("service", "It failed.", "Try again.", "REQ-1")
    copy = pickle.loads(pickle.dumps(failure))  # noqa: S301 - our own bytes
    assert copy == failure
    assert (copy.kind, copy.what, copy.do, copy.request_id) == ("service", "It failed.", "Try again.", "REQ-1")
    assert str(copy) == str(failure)


# --- for real, over HTTP


def once(endpoint: str) -> Store:
    """A Store whose client tries once and not for long, so that no test waits for retries."""
    config = Config(
        connect_timeout=2, read_timeout=2, retries={"mode": "standard", "total_max_attempts": 1}, proxies={}
    )
    client = boto3.Session(**engines.CREDENTIALS).client(
        "dynamodb", region_name="us-east-1", endpoint_url=endpoint, config=config
    )
    decode_fast(client)
    return Store(settings(endpoint), client)


@dataclass
class Script:
    """What the little server answers to everything."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


@contextmanager
def serving(script: Script) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if script.hang_up:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(script.status)
            for name, value in script.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(script.body)))
            self.end_headers()
            self.wfile.write(script.body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            """Nothing on the console."""

        def finish(self) -> None:
            if not script.hang_up:
                super().finish()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


JSON = {"Content-Type": "application/x-amz-json-1.0"}
PORTAL = b"<html><body>Please sign in to the school's network</body></html>"
GARBAGE: dict[str, Script] = {
    "nothing": Script(),
    "a network's sign-in page": Script(body=PORTAL, headers={"Content-Type": "text/html"}),
    "a sign-in page that calls itself JSON": Script(body=PORTAL, headers=JSON),
    "half of an answer": Script(body=b'{"Items": [{"evaluation_id": {"S": "e', headers=JSON),
    "a list": Script(body=b"[1, 2]", headers=JSON),
    "a string": Script(body=b'"ok"', headers=JSON),
    "an answer nested too deep": Script(body=b"[" * 100_000, headers=JSON),
    "null": Script(body=b"null", headers=JSON),
    "items that are a number": Script(body=b'{"Items": 5, "Item": 5, "Table": 5}', headers=JSON),
    "items that are text": Script(body=b'{"Items": ["x"], "Item": "x", "Table": "x"}', headers=JSON),
    "values that are text": Script(body=b'{"Items": [{"a": "x"}], "Item": {"a": "x"}, "Table": {}}', headers=JSON),
    "not UTF-8": Script(body=b"\xff\xfe\x00", headers=JSON),
    "an error without a body": Script(status=400),
    "an error in HTML": Script(status=403, body=PORTAL, headers={"Content-Type": "text/html"}),
    "an error that is a list": Script(status=400, body=b"[]", headers=JSON),
    "a gateway's error": Script(status=502, body=PORTAL, headers={"Content-Type": "text/html"}),
    "a redirect": Script(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    "a hang-up": Script(hang_up=True),
}
READS: dict[str, Callable[[Store], Any]] = {
    "history": lambda store: evaluations.history(store, "user-1"),
    "scan": lambda store: flashcards.of_student(store, "user-1", by_scan=True),
    "get": lambda store: evaluations.get(store, "eval-1", "user-1"),
    "facts": lambda store: store.facts(EVALUATIONS),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_a_failure_whatever_was_asked(name: str) -> None:
    with serving(GARBAGE[name]) as url:
        store = once(url)
        for question, read in READS.items():
            with pytest.raises(Failure) as caught:
                read(store)
            assert caught.value.kind in ("unexpected", "garbled", "service", "unreachable", "too_slow"), question
            check_sentences(caught.value)


def test_a_throttled_read_is_said_after_the_retries() -> None:
    body = b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Rate exceeded"}'
    script = Script(status=400, body=body, headers={**JSON, "x-amzn-RequestId": "REQ-7"})
    with serving(script) as url, pytest.raises(Failure) as caught:
        once(url).query(EVALUATIONS, ("user_id", "u"), index=BY_STUDENT)
    assert (caught.value.kind, caught.value.request_id) == ("throttled", "REQ-7")


def test_a_refused_port_is_unreachable_and_named() -> None:
    url = f"http://127.0.0.1:{engines.free_port()}"
    with pytest.raises(Failure) as caught:
        evaluations.get(once(url), "eval-1", "user-1")
    assert caught.value.kind == "unreachable"
    assert url in caught.value.what


def test_a_loopback_endpoint_is_not_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{engines.free_port()}")
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    body = b'{"ConsumedCapacity": {"CapacityUnits": 0.5}}'
    with serving(Script(body=body, headers=JSON)) as url:
        read = evaluations.get(Store.open(settings(url), **engines.CREDENTIALS), "eval-1", "user-1")
    assert read.value is None
    assert read.cost.read_units == 0.5


def test_no_credentials_anywhere_is_said_so() -> None:
    store = Store.open(settings("http://127.0.0.1:9"))
    with pytest.raises(Failure) as caught:
        evaluations.get(store, "eval-1", "user-1")
    assert caught.value.kind == "credentials"


def test_an_unknown_profile_fails_when_the_store_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "teacher")
    with pytest.raises(Failure) as caught:
        Store.open(settings("http://127.0.0.1:9"))
    assert caught.value.kind == "credentials"
    assert "teacher" in caught.value.what


def test_no_region_anywhere_fails_when_the_store_is_opened() -> None:
    with pytest.raises(Failure) as caught:
        Store.open(Settings.read({"BANDUP_SOURCE": "aws"}))
    assert caught.value.kind == "region"


def test_a_region_that_cannot_be_one_fails_when_the_store_is_opened() -> None:
    with pytest.raises(Failure) as caught:
        Store.open(Settings.read({"BANDUP_SOURCE": "aws", "AWS_REGION": "not a region!"}), **engines.CREDENTIALS)
    assert caught.value.kind == "region"


def test_a_broken_profile_file_fails_with_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    config = tmp_path / "broken"
    config.write_text("this is [not a config\n= nothing\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(Failure) as caught:
        Store.open(settings("http://127.0.0.1:9"))
    assert caught.value.kind == "credentials"
    check_sentences(caught.value)


def test_a_function_that_is_not_there_is_no_missing_table() -> None:
    answer: Any = {"Error": {"Code": "ResourceNotFoundException", "Message": "Function not found: arn:aws:lambda:x"}}
    refused = aws.ClientError(answer, "GetFunctionConfiguration")
    failure = explain(refused, "GetFunctionConfiguration", "function:f", service="lambda")
    assert failure.kind == "missing"
    assert failure.what == "There is no function f in this account and region."
