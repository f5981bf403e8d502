"""Failed calls to AWS as data: kind, code, operation, resource. Their sentences are in wording/failures.py."""

import logging
import re
from dataclasses import KW_ONLY, dataclass, replace
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal
from urllib.parse import urlsplit

import botocore.loaders
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from data.dynamodb.budget import Late

log = logging.getLogger(__name__)

UNREADABLE = (ResponseParserError, ValueError, AttributeError, KeyError, TypeError, RecursionError)
"""What botocore's parsers run into where an answer is not AWS's; they catch none of these themselves."""

Service = Literal["dynamodb", "lambda", "iam", "sts", "sso", "cloudwatch", "sns"]
Kind = Literal[
    "access_denied",
    "busy",
    "changed",
    "credentials",
    "expired",
    "garbled",
    "index_building",
    "index_missing",
    "limit",
    "missing",
    "not_offered",
    "read_only",
    "region",
    "rejected",
    "service",
    "throttled",
    "too_slow",
    "unexpected",
    "unreachable",
]
"""What to do about a failure depends on its kind alone."""
Case = Literal[
    "account",
    "account_endpoint",
    "billing",
    "broken_off",
    "bundle",
    "client",
    "clock",
    "configuration",
    "copy_gone",
    "credentials_late",
    "credentials_unreachable",
    "endpoint",
    "environment",
    "expired_at_once",
    "explicit_deny",
    "file",
    "function",
    "identity_token",
    "in_doubt",
    "incomplete",
    "key",
    "late",
    "login",
    "malformed",
    "maximum",
    "mfa",
    "no_copy",
    "no_credentials",
    "not_asked",
    "plan_changed",
    "plan_unchecked",
    "profile",
    "profile_loop",
    "program_failed",
    "program_late",
    "program_missing",
    "queued",
    "recovery_off",
    "region_name",
    "region_unknown",
    "resource_changed",
    "restore_in_doubt",
    "restore_time",
    "restoring",
    "sign_in",
    "sso_role",
    "table_gone",
    "table_other",
    "table_taken",
    "tls",
    "too_new",
    "unprocessed",
    "unrecognised",
    "unusable",
    "variables_full",
]
"""Which of the causes that a kind has, where it has several."""

_PASSING: frozenset[Kind] = frozenset(
    {"busy", "expired", "garbled", "index_building", "service", "throttled", "too_slow", "unreachable"}
)
_IN_DOUBT: frozenset[Kind] = frozenset({"garbled", "service", "too_slow", "unreachable"})


@dataclass(unsafe_hash=True)
class Failure(Exception):
    """A read or a change that failed.

    `resource` is a table's name, or such as "function:bandup-writing-evaluator". Of a denial, `operation` is the action
    that was denied and `resource` its ARN, as far as they are known. `detail` is what else the sentences name: AWS's
    message, an address, a span of time. `reasons` are failures and facts behind this one. `request_id` is AWS's, for
    the log and for support; empty when no answer came.
    """

    kind: Kind
    _: KW_ONLY
    case: Case | None = None
    code: str = ""
    operation: str = ""
    resource: str = ""
    index: str = ""
    service: Service = "dynamodb"
    detail: str = ""
    reasons: tuple["Failure | str", ...] = ()
    request_id: str = ""

    def __post_init__(self) -> None:
        self.args = (self.kind,)  # what an exception is copied and pickled with

    def to_keep(self) -> "Failure":
        """The same without its traceback, which would hold on to all that the page had read by then."""
        return replace(self)

    @property
    def passing(self) -> bool:
        """Whether it says nothing about the data or who may read it, so that an older answer is still good to show."""
        return self.kind in _PASSING

    @property
    def in_doubt(self) -> bool:
        """Whether what was asked for may have been done: it is the answer that is lost, and boto3 asks again."""
        return self.kind in _IN_DOUBT and self.case != "not_asked"

    def __str__(self) -> str:
        """For the log: no message of AWS's, which may quote a record."""
        parts = (self.kind, self.case, self.code, f"{self.operation} on {self.resource}" if self.operation else "")
        return f"{', '.join(part for part in parts if part)} (request {self.request_id or 'none'})"


_CODES: dict[str, tuple[Kind, Case | None]] = {
    "AccessDenied": ("access_denied", None),
    "AccessDeniedException": ("access_denied", None),
    "UnauthorizedOperation": ("access_denied", None),
    "KMSAccessDeniedException": ("access_denied", "key"),
    "ExpiredToken": ("expired", None),
    "ExpiredTokenException": ("expired", None),
    "RequestExpired": ("expired", None),
    "IncompleteSignature": ("credentials", None),
    "InvalidClientTokenId": ("credentials", None),
    "InvalidIdentityToken": ("credentials", "identity_token"),
    "InvalidSignatureException": ("credentials", None),
    "MissingAuthenticationTokenException": ("credentials", None),
    "SignatureDoesNotMatch": ("credentials", None),
    "UnrecognizedClientException": ("credentials", None),
    "RequestTimeTooSkewed": ("credentials", "clock"),
    "ProvisionedThroughputExceededException": ("throttled", None),
    "RequestLimitExceeded": ("throttled", None),
    "Throttling": ("throttled", None),
    "ThrottlingException": ("throttled", None),
    "TooManyRequestsException": ("throttled", None),
    "NoSuchEntity": ("missing", None),
    "NotFound": ("missing", None),
    "ResourceNotFoundException": ("missing", None),
    "TableNotFoundException": ("missing", None),
    "TableAlreadyExistsException": ("rejected", "table_taken"),
    "InvalidRestoreTimeException": ("rejected", "restore_time"),
    "PointInTimeRecoveryUnavailableException": ("rejected", "recovery_off"),
    "UnknownOperationException": ("not_offered", None),
    "ConditionalCheckFailedException": ("changed", None),
    "ContinuousBackupsUnavailableException": ("busy", "too_new"),
    "PreconditionFailedException": ("busy", "resource_changed"),
    "ResourceConflictException": ("busy", "resource_changed"),
    "ResourceInUseException": ("busy", None),
    "TableInUseException": ("busy", None),
    "LimitExceeded": ("limit", None),
    "LimitExceededException": ("limit", None),
    "InternalServerError": ("service", None),
    "ServiceUnavailable": ("service", None),
    "ValidationException": ("rejected", None),
}
# What a message tells of an index, whatever its code: moto has another one than DynamoDB.
_INDEX_MESSAGES: dict[str, Kind] = {
    "does not have the specified index": "index_missing",
    "Invalid index: ": "index_missing",
    "backfilling": "index_building",
}
# Causes that a kind's message tells, whatever the code.
_CAUSES: tuple[tuple[Kind, "re.Pattern[str]", Case], ...] = (
    ("limit", re.compile(r"PayPerRequest|billing mode", re.IGNORECASE), "billing"),
    ("throttled", re.compile(r"maximum OnDemandThroughput|MaxOnDemandThroughput", re.IGNORECASE), "maximum"),
)
_KEY = re.compile(r"\bKMS\b|customer master key|encryption key", re.IGNORECASE)
# “Signature expired” from a clock that is behind, “Signature not yet current” from one that is ahead.
_SKEWED = re.compile(r"signature (expired|not yet current)", re.IGNORECASE)
# The first that fits: some are subclasses of later ones.
_EXCEPTIONS: tuple[tuple[tuple[type[Exception], ...], Kind, Case | None], ...] = (
    ((aws.NoCredentialsError,), "credentials", "no_credentials"),
    ((aws.ProfileNotFound,), "credentials", "profile"),
    ((aws.ConfigParseError, aws.ConfigNotFound), "credentials", "configuration"),
    ((aws.InfiniteLoopConfigError,), "credentials", "profile_loop"),
    ((aws.InvalidConfigError, aws.PartialCredentialsError), "credentials", "incomplete"),
    ((aws.MissingDependencyException,), "credentials", "login"),
    ((aws.SSOError, aws.LoginError, aws.TokenRetrievalError, aws.CredentialRetrievalError), "expired", "sign_in"),
    ((aws.NoRegionError,), "region", None),
    ((aws.InvalidRegionError,), "region", "region_name"),
    ((aws.ReadTimeoutError, aws.ConnectTimeoutError), "too_slow", None),
    ((aws.ConnectionClosedError,), "unreachable", "broken_off"),
    ((aws.HTTPClientError, aws.EndpointConnectionError, aws.ConnectionError), "unreachable", None),
)
_BREAKS: tuple[tuple["re.Pattern[str]", Case], ...] = (
    (re.compile(r"CERTIFICATE_VERIFY_FAILED"), "tls"),
    (
        re.compile(
            r"SSL validation failed.{0,500}(\[Errno \d+\] (No such|Is a|Permission|Not a)|\[X509|NO_CERTIFICATE)"
        ),
        "bundle",
    ),
    (re.compile(r"Connection broken|IncompleteRead|Connection aborted|Connection reset", re.IGNORECASE), "broken_off"),
)


def explain(
    error: Exception,
    operation: str,
    resource: str,
    index: str | None = None,
    service: Service = "dynamodb",
    *,
    arn: str = "",
    request_id: str = "",
) -> Failure:
    """A Failure for what boto3 raised on `operation` (such as "Query") against `resource` and `index`; logs it.

    `resource` is a table, or the whole resource of another service, such as "function:bandup-writing-evaluator"; empty
    where a client is set up. `arn` is the table's, as far as it is known, with * in place of what is not. `request_id`
    is that of an answer which could not be read; an answer of AWS's own has it inside.
    """
    if isinstance(error, Failure):
        return error
    failure = _explained(error, operation, resource, index, service, arn, request_id)
    # Setup asks for what may not be there; that is no failure to it.
    level = logging.INFO if failure.kind in ("missing", "not_offered") else logging.WARNING
    name, request_id = type(error).__name__, failure.request_id or "none"
    where = f" on {resource}" if resource else ""
    log.log(level, "%s%s failed: %s (request %s)", operation, where, name, request_id)
    return failure


def _explained(
    error: Exception, operation: str, resource: str, index: str | None, service: Service, arn: str, request_id: str
) -> Failure:
    about = Failure("unexpected", operation=operation, resource=resource, index=index or "", service=service)
    if isinstance(error, aws.ClientError):
        return _answered(error, about, arn)
    if isinstance(error, Late):
        case: Case = "late" if error.asked else "not_asked"
        return replace(about, kind="too_slow", case=case if resource else "credentials_late", detail=error.span)
    for types, kind, case_or_none in _EXCEPTIONS:
        if isinstance(error, types):
            return _unanswered(error, replace(about, kind=kind, case=case_or_none))
    if not resource:
        return replace(about, case="client", detail=str(error).rstrip("."))
    if isinstance(error, aws.ParamValidationError):
        return replace(about, case="malformed")
    return replace(about, kind="garbled", request_id=request_id)


def _answered(error: aws.ClientError, about: Failure, arn: str) -> Failure:
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    metadata = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode") or 0)
    kind, case = _CODES.get(code, ("service" if status >= 500 else "unexpected", None))
    if about.index:
        kind = next((of_index for words, of_index in _INDEX_MESSAGES.items() if words in message), kind)
    if kind == "credentials" and _SKEWED.search(message):
        case = "clock"
    if kind == "missing" and about.service == "lambda":
        case = "function"
    case = next((of_cause for of, words, of_cause in _CAUSES if kind == of and words.search(message)), case)
    detail = message.strip().rstrip(".")
    if code in ("InvalidClientTokenId", "UnrecognizedClientException") and (region := arn.split(":")[3:4]):
        case, detail = case or "unrecognised", region[0]
    failure = replace(
        about,
        kind=kind,
        case=case,
        code=code or (str(status) if kind == "service" else ""),
        detail=detail,
        # Of an answer without a body, boto3 reads no request id.
        request_id=str(metadata.get("RequestId") or metadata.get("HTTPHeaders", {}).get("x-amzn-requestid", "")),
    )
    return _denied(failure, message, arn) if kind == "access_denied" else failure


def _denied(failure: Failure, message: str, arn: str) -> Failure:
    """What AWS denied, and by which policy, by its own words where it says more than is known here.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    action, resource = f"{failure.service}:{failure.operation}", failure.resource
    if failure.service == "dynamodb":
        resource = (arn or f"table/{resource}") + (f"/index/{failure.index}" if failure.index else "")
    if named := re.search(r"not authorized to perform: (\w+:\w+)", message):
        action = named[1]
    if named := re.search(r"on resource: (arn:[^\s,]+)", message):
        resource = named[1].rstrip(".")
    elif account := re.search(r"User: arn:[\w-]+:\w+::(\d{12}):", message):
        resource = re.sub(r"^(arn:[\w-]+:\w+:[\w-]*):\*:", rf"\1:{account[1]}:", resource)
    # Where no ARN is told, the key's is not known: only the table that it encrypts.
    if failure.case == "key" or (named is None and (action.startswith("kms:") or _KEY.search(message))):
        if not action.startswith("kms:"):
            action = "kms:Decrypt"
        return replace(failure, case="key", operation=action, detail="")
    lacking = re.search(r"because no ([\w -]{1,80}? policy|permissions boundary) allows", message)
    policy = lacking[1] if lacking and "identity" not in lacking[1] else "policy"
    case: Case | None = None
    if "explicit deny" in message:
        denying = re.search(r"explicit deny in (?:an? )?([\w -]{1,80}? policy|permissions boundary)", message)
        case, policy = "explicit_deny", denying[1] if denying else "policy"
    return replace(failure, case=case, operation=action, resource=resource, detail=policy)


def _unanswered(error: Exception, failure: Failure) -> Failure:
    if failure.case in ("profile", "incomplete"):
        return replace(failure, detail=str(error).rstrip("."))
    if isinstance(error, aws.InfiniteLoopConfigError):
        return replace(failure, detail=", ".join(error.kwargs["visited_profiles"]))
    if failure.kind != "unreachable":
        return failure
    address = re.search(r'"(https?://[^"]+)"|(https?://\S+)', str(error))
    if address and failure.case is None and (reason := _host_tells((address[1] or address[2]).rstrip(":."))):
        return replace(failure, **reason)
    case = next((of_words for words, of_words in _BREAKS if words.search(str(error))), failure.case)
    return replace(failure, case=case, detail=(address[1] or address[2]).rstrip(":.") if address else "")


def _host_tells(url: str) -> dict[str, Any]:
    """What the name of a host of Amazon's says about why it cannot be reached; empty where it says nothing."""
    host = urlsplit(url).hostname or ""
    of_account = re.fullmatch(r"\d{12}\.ddb\.([\w-]+)\.amazonaws\.com(\.cn)?", host)
    named = of_account or re.fullmatch(r"[\w.-]+?\.([a-z]+-[\w-]+)\.amazonaws\.com(\.cn)?", host)
    if named and named[1] not in _regions():
        near = get_close_matches(named[1], _regions(), n=1)
        detail = named[1] + (f", but {near[0]} is" if near else "")
        return {"kind": "region", "case": "region_unknown", "detail": detail}
    return {"case": "account_endpoint", "detail": url} if of_account else {}


@cache
def _regions() -> frozenset[str]:
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    return frozenset(name for partition in partitions for name in partition["regions"])
