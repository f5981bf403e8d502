"""Every way a call to AWS can fail becomes one Failure: of which kind, on what, and by whose word."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import exceptions as aws
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from data.dynamodb import query
from data.dynamodb.budget import Late
from data.dynamodb.client import Store
from data.dynamodb.decode import decode_fast
from data.dynamodb.errors import Failure, explain
from data.dynamodb.facts import TableFacts
from data.provisioning.clients import Clients
from data.provisioning.lambdas import proofs
from data.records import evaluations, flashcards
from data.schema import BY_STUDENT, EVALUATIONS
from data.settings import Settings
from tests.support import engines
from tests.support.answering import Script, serving
from tests.support.settings import settings
from wording import failures


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


# error -> kind, case
ANSWERS: dict[str, tuple[aws.ClientError, str, str | None]] = {
    "denied": (
        answer("AccessDeniedException", "User: arn:aws:sts::1:assumed-role/x is not authorized to perform: Query"),
        "access_denied",
        None,
    ),
    "expired": (answer("ExpiredTokenException", "The security token has expired"), "expired", None),
    "unrecognised": (
        answer("UnrecognizedClientException", "The security token included in the request is invalid."),
        "credentials",
        None,
    ),
    "wrong secret": (
        answer("InvalidSignatureException", "The request signature we calculated does not match the signature you"),
        "credentials",
        None,
    ),
    "clock behind": (
        answer("InvalidSignatureException", "Signature expired: 20240101T000000Z is now earlier than 20240101T001500Z"),
        "credentials",
        "clock",
    ),
    "clock far off": (answer("RequestTimeTooSkewed", "The difference is too large"), "credentials", "clock"),
    "clock ahead": (
        answer("InvalidSignatureException", "Signature not yet current: 20240101T002000Z is still later than 2024010"),
        "credentials",
        "clock",
    ),
    "throttled": (answer("ThrottlingException", "Rate exceeded"), "throttled", None),
    "table throttled": (
        answer("ProvisionedThroughputExceededException", "The level of configured provisioned throughput"),
        "throttled",
        None,
    ),
    "request limit": (answer("RequestLimitExceeded"), "throttled", None),
    "internal": (answer("InternalServerError", status=500), "service", None),
    "503": (answer("503", "Service Unavailable", 503), "service", None),
    "502 of a proxy": (answer("", "<html>Bad Gateway</html>", 502), "service", None),
    "table missing": (answer("ResourceNotFoundException", "Requested resource not found"), "missing", None),
    "index missing": (
        answer("ValidationException", "The table does not have the specified index: by-student"),
        "index_missing",
        None,
    ),
    "index missing, as moto says it": (
        answer("ResourceNotFoundException", "Invalid index: by-student for table: evals. Available indexes are: "),
        "index_missing",
        None,
    ),
    "index building": (
        answer("ValidationException", "Cannot read from backfilling global secondary index: by-student"),
        "index_building",
        None,
    ),
    "rejected": (answer("ValidationException", "One or more parameter values were invalid"), "rejected", None),
    "unknown": (answer("BrandNewException", "Something new"), "unexpected", None),
    "without a code": (answer(""), "unexpected", None),
}


@pytest.mark.parametrize(("error", "kind", "case"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_aws_has_a_kind(error: aws.ClientError, kind: str, case: str | None) -> None:
    failure = explain(error, "Query", "evals", "by-student")
    assert (failure.kind, failure.case, failure.request_id) == (kind, case, "REQ-1")
    check_sentences(failure)
    if kind != "access_denied":
        assert (failure.operation, failure.resource, failure.index) == ("Query", "evals", "by-student")
        assert failure.code == (error.response["Error"]["Code"] or ("502" if kind == "service" else ""))
        assert failure.detail == error.response["Error"]["Message"].strip().rstrip(".")


URL = "http://127.0.0.1:9/"
SILENCES: dict[str, tuple[Exception, str, str | None, str]] = {
    "no credentials": (aws.NoCredentialsError(), "credentials", "no_credentials", ""),
    "half the credentials": (
        aws.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        "credentials",
        "incomplete",
        "AWS_SECRET_ACCESS_KEY",
    ),
    "unknown profile": (aws.ProfileNotFound(profile="teacher"), "credentials", "profile", "teacher"),
    "sign-in": (aws.SSOTokenLoadError(error_msg="not there"), "expired", "sign_in", ""),
    "sign-in expired": (aws.UnauthorizedSSOTokenError(), "expired", "sign_in", ""),
    "token": (aws.TokenRetrievalError(provider="sso", error_msg="x"), "expired", "sign_in", ""),
    "credential process": (
        aws.CredentialRetrievalError(provider="custom-process", error_msg="x"),
        "expired",
        "sign_in",
        "",
    ),
    "no region": (aws.NoRegionError(), "region", None, ""),
    "no such region": (aws.InvalidRegionError(region_name="not a region"), "region", "region_name", ""),
    "refused": (aws.EndpointConnectionError(endpoint_url=URL), "unreachable", None, URL),
    "cut": (aws.ConnectionClosedError(endpoint_url=URL), "unreachable", "broken_off", URL),
    "TLS": (aws.SSLError(endpoint_url=URL, error="bad certificate"), "unreachable", None, ""),
    "proxy": (aws.ProxyConnectionError(proxy_url="http://proxy:1", error="refused"), "unreachable", None, ""),
    "slow answer": (aws.ReadTimeoutError(endpoint_url=URL), "too_slow", None, ""),
    "slow connection": (aws.ConnectTimeoutError(endpoint_url=URL), "too_slow", None, ""),
    "wrong parameter": (aws.ParamValidationError(report="Invalid type"), "unexpected", "malformed", ""),
    "no JSON": (ValueError("Expecting value"), "garbled", None, ""),
    "hangs": (Late(12.0, asked=True), "too_slow", "late", "12 s"),
    "time is over": (Late(30.0, asked=False), "too_slow", "not_asked", "30 s"),
}


@pytest.mark.parametrize(("error", "kind", "case", "detail"), SILENCES.values(), ids=SILENCES)
def test_what_boto3_itself_raises_has_a_kind(error: Exception, kind: str, case: str | None, detail: str) -> None:
    failure = explain(error, "Query", "evals")
    assert (failure.kind, failure.case, failure.request_id) == (kind, case, "")
    assert (failure.operation, failure.resource) == ("Query", "evals")
    assert detail in failure.detail
    check_sentences(failure)


def check_sentences(failure: Failure) -> None:
    """Both are sentences: a capital, a full stop, nothing of a traceback."""
    for sentence in (failures.cause(failure), failures.remedy(failure)):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not sentence.endswith((": .", ".."))
        assert "Traceback" not in sentence


def test_the_log_tells_a_failure_without_what_aws_said() -> None:
    failure = explain(answer("ValidationException", "Bad value: a student's words"), "Query", "evals")
    assert str(failure) == "rejected, ValidationException, Query on evals (request REQ-1)"


def test_denial_without_an_index_names_the_table_alone() -> None:
    failure = explain(answer("AccessDeniedException"), "GetItem", "evals")
    assert (failure.operation, failure.resource) == ("dynamodb:GetItem", "table/evals")


USER = "User: arn:aws:sts::123456789012:assumed-role/teacher/x is not authorized to perform: "
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/evals"
# message, index -> action, resource, policy
DENIALS: dict[str, tuple[str, str | None, tuple[str, str, str]]] = {
    "no policy allows it": (
        f"{USER}dynamodb:Query on resource: {TABLE}/index/by-student because no identity-based policy allows the "
        "dynamodb:Query action",
        "by-student",
        ("dynamodb:Query", f"{TABLE}/index/by-student", "policy"),
    ),
    "nothing is said but who asked": (
        "User: arn:aws:iam::123456789012:user/x is not allowed",
        "by-student",
        ("dynamodb:Query", f"{TABLE}/index/by-student", "policy"),
    ),
    "nothing is said": ("", None, ("dynamodb:Query", "arn:aws:dynamodb:eu-west-1:*:table/evals", "policy")),
    "the key of an encrypted table": (
        f"{USER}kms:Decrypt on resource: arn:aws:kms:eu-west-1:123456789012:key/k because no identity-based policy "
        "allows the kms:Decrypt action",
        None,
        ("kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/k", "policy"),
    ),
    "a boundary": (
        f"{USER}dynamodb:Query on resource: {TABLE} because no permissions boundary allows the dynamodb:Query action",
        None,
        ("dynamodb:Query", TABLE, "permissions boundary"),
    ),
    "an explicit deny": (
        f"{USER}dynamodb:Query on resource: {TABLE} with an explicit deny in a service control policy",
        None,
        ("dynamodb:Query", TABLE, "service control policy"),
    ),
}


@pytest.mark.parametrize(("message", "index", "about"), DENIALS.values(), ids=DENIALS)
def test_denial_has_the_exact_action_and_resource_to_add(
    message: str, index: str | None, about: tuple[str, str, str]
) -> None:
    arn = "arn:aws:dynamodb:eu-west-1:*:table/evals"
    failure = explain(answer("AccessDeniedException", message), "Query", "evals", index, arn=arn)
    assert (failure.operation, failure.resource, failure.detail) == about
    assert failure.case == ("explicit_deny" if "explicit deny" in message else None)
    for words in about:
        assert words in failures.remedy(failure)
    check_sentences(failure)


def test_denial_names_the_arn_that_is_known_from_the_table_itself() -> None:
    store = once("http://127.0.0.1:9")
    store._facts[store.settings.evaluations] = (0.0, TableFacts(store.settings.evaluations, TABLE, 0, 0, {}))

    def refuse(**_: Any) -> Any:
        raise answer("AccessDeniedException")

    with pytest.raises(Failure) as caught:
        store.call("GetItem", store.settings.evaluations, None, refuse)
    assert (caught.value.operation, caught.value.resource) == ("dynamodb:GetItem", TABLE)


# message -> action
KEYS: dict[str, tuple[str, str]] = {
    "on this resource": (
        f"{USER}kms:GenerateDataKey on this resource because the resource does not exist in this Region, no "
        "resource-based policies allow access, or a resource-based policy explicitly denies access",
        "kms:GenerateDataKey",
    ),
    "the ciphertext": (
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are "
        "not allowed to access.",
        "kms:Decrypt",
    ),
    "a sentence": ("KMS key access denied error", "kms:Decrypt"),
}


@pytest.mark.parametrize(("message", "action"), KEYS.values(), ids=KEYS)
def test_a_denied_key_without_an_arn_is_not_taken_for_the_table(message: str, action: str) -> None:
    failure = explain(answer("AccessDeniedException", message), "GetItem", "evals", arn=TABLE)
    assert (failure.kind, failure.case, failure.operation, failure.resource) == (
        "access_denied",
        "key",
        action,
        "evals",
    )
    check_sentences(failure)


def test_credentials_that_are_not_recognised_may_be_of_a_region_that_is_not_enabled() -> None:
    error = answer("UnrecognizedClientException", "The security token included in the request is invalid.")
    failure = explain(error, "Query", "evals", arn="arn:aws:dynamodb:ap-east-1:*:table/evals")
    assert (failure.kind, failure.case, failure.detail) == ("credentials", "unrecognised", "ap-east-1")
    assert "enable it for the account" in failures.remedy(failure)


# host -> kind, case, what the sentence names
HOSTS: dict[str, tuple[str, str, str | None, str]] = {
    "a region that is misspelt": (
        "https://dynamodb.ap-southest-1.amazonaws.com/",
        "region",
        "region_unknown",
        "There is no region ap-southest-1, but ap-southeast-1 is.",
    ),
    "an account's host there": (
        "https://123456789012.ddb.us-eaast-1.amazonaws.com/",
        "region",
        "region_unknown",
        "There is no region us-eaast-1, but us-east-1 is.",
    ),
    "an account's host": (
        "https://123456789012.ddb.us-east-1.amazonaws.com/",
        "unreachable",
        "account_endpoint",
        "https://123456789012.ddb.us-east-1.amazonaws.com/",
    ),
    "the usual host": ("https://dynamodb.us-east-1.amazonaws.com/", "unreachable", None, "dynamodb.us-east-1"),
    "Lambda's, misspelt": (
        "https://lambda.eu-wset-1.amazonaws.com/",
        "region",
        "region_unknown",
        "There is no region eu-wset-1, but eu-west-1 is.",
    ),
    "China": ("https://dynamodb.cn-north-1.amazonaws.com.cn/", "unreachable", None, "cn-north-1"),
    "FIPS": ("https://dynamodb-fips.us-east-1.amazonaws.com/", "unreachable", None, "dynamodb-fips"),
    "a private endpoint": (
        "https://vpce-1-x.dynamodb.us-east-1.vpce.amazonaws.com/",
        "unreachable",
        None,
        "vpce-1-x",
    ),
    "a name of one's own": ("https://dynamodb.school.example/", "unreachable", None, "dynamodb.school.example"),
}


@pytest.mark.parametrize(("url", "kind", "case", "words"), HOSTS.values(), ids=HOSTS)
def test_a_host_that_cannot_be_reached_tells_why_where_it_can(
    url: str, kind: str, case: str | None, words: str
) -> None:
    failure = explain(aws.EndpointConnectionError(endpoint_url=url), "Query", "evals")
    assert (failure.kind, failure.case) == (kind, case)
    assert words in failures.cause(failure)
    check_sentences(failure)


CHANGES: dict[str, tuple[str, str, str, str | None]] = {
    "billing": (
        "LimitExceededException",
        "Subscriber limit exceeded: Update to PayPerRequest mode are limited to 4 times in 1 day(s). Last update at x",
        "limit",
        "billing",
    ),
    "another limit": ("LimitExceededException", "Subscriber limit exceeded: 10 indexes", "limit", None),
    "maximum": (
        "ThrottlingException",
        "Throughput exceeds the maximum OnDemandThroughput configured on table or index",
        "throttled",
        "maximum",
    ),
    "restore onto": ("TableAlreadyExistsException", "Table already exists: x", "rejected", "table_taken"),
    "restore of the past": ("InvalidRestoreTimeException", "An invalid restore time", "rejected", "restore_time"),
    "restore without PITR": (
        "PointInTimeRecoveryUnavailableException",
        "Point in time recovery is not enabled for table",
        "rejected",
        "recovery_off",
    ),
    "restore of nothing": ("TableNotFoundException", "Table not found: x", "missing", None),
    "restore while it changes": ("TableInUseException", "Table is being restored", "busy", None),
}


@pytest.mark.parametrize(("code", "message", "kind", "case"), CHANGES.values(), ids=CHANGES)
def test_what_a_change_can_be_refused_for_has_its_own_remedy(
    code: str, message: str, kind: str, case: str | None
) -> None:
    failure = explain(answer(code, message), "UpdateTable", "Evals")
    assert (failure.kind, failure.case) == (kind, case)
    check_sentences(failure)


@contextmanager
def intercepting(folder: Path) -> Iterator[tuple[str, Path]]:
    """A TLS server with a certificate of its own authority, as a school's proxy is; its URL and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "proxy.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(certificate.public_bytes(pem) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with serving(Script(body=b'{"ConsumedCapacity": {"CapacityUnits": 0.5}}', headers=JSON), context) as url:
        yield url.replace("http:", "https:"), file


def test_tls_that_a_proxy_opens_is_said_and_its_authority_mends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with intercepting(tmp_path) as (url, file):
        with pytest.raises(Failure) as caught:
            evaluations.get(Store.open(settings(url), **engines.CREDENTIALS), "eval-1", "user-1")
        assert (caught.value.kind, caught.value.case) == ("unreachable", "tls")
        assert "AWS_CA_BUNDLE" in failures.remedy(caught.value)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(file))
        assert evaluations.get(Store.open(settings(url), **engines.CREDENTIALS), "eval-1", "user-1").value is None
        monkeypatch.setenv("AWS_CA_BUNDLE", f"{tmp_path}/none.pem")
        with pytest.raises(Failure) as caught:
            evaluations.get(Store.open(settings(url), **engines.CREDENTIALS), "eval-1", "user-1")
        assert (caught.value.kind, caught.value.case) == ("unreachable", "bundle")


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


def test_the_log_names_nothing_where_no_table_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    explain(aws.NoRegionError(), "connect", "")
    assert "connect failed: NoRegionError (request none)" in caplog.text


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
            query.get(once(url), EVALUATIONS, {"evaluation_id": "e", "user_id": "u"})
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
        checks = proofs(store, Clients.open(store, **engines.CREDENTIALS), ())
    failure = checks[0].links[0].fact
    assert isinstance(failure, Failure)
    assert failure.operation == "lambda:GetFunctionConfiguration"
    assert caplog.text.count("(request REQ-9)") == 3


def test_a_failure_stays_the_failure_it_is() -> None:
    failure = Failure("throttled")
    assert explain(failure, "Query", "evals") is failure


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
    "scan": lambda store: flashcards.history(store, "user-1", by_scan=True),
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
        query.partition(once(url), EVALUATIONS, ("user_id", "u"), index=BY_STUDENT)
    assert (caught.value.kind, caught.value.request_id) == ("throttled", "REQ-7")


def test_a_refused_port_is_unreachable_and_named() -> None:
    url = f"http://127.0.0.1:{engines.free_port()}"
    with pytest.raises(Failure) as caught:
        evaluations.get(once(url), "eval-1", "user-1")
    assert caught.value.kind == "unreachable"
    assert url in caught.value.detail


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
    assert (caught.value.case, "teacher" in caught.value.detail) == ("profile", True)


def test_no_region_anywhere_fails_when_the_store_is_opened() -> None:
    with pytest.raises(Failure) as caught:
        Store.open(Settings.read({"BANDUP_SOURCE": "aws"}))
    assert caught.value.kind == "region"


def test_a_region_that_cannot_be_one_fails_when_the_store_is_opened() -> None:
    with pytest.raises(Failure) as caught:
        Store.open(replace(Settings.read({"BANDUP_SOURCE": "aws"}), region="not a region!"), **engines.CREDENTIALS)
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
    assert (failure.kind, failure.case, failure.resource) == ("missing", "function", "function:f")
