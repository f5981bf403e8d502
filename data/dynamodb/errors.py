"""What went wrong with a call to AWS, said so that a person can act on it."""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from botocore import exceptions as aws

from data.dynamodb.budget import Late

Service = Literal["dynamodb", "lambda", "iam", "sts"]
_SERVICES: dict[Service, str] = {"dynamodb": "DynamoDB", "lambda": "Lambda", "iam": "IAM", "sts": "STS"}

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

_PASSING: frozenset[Kind] = frozenset(
    {"busy", "expired", "garbled", "index_building", "service", "throttled", "too_slow", "unreachable"}
)


@dataclass
class Failure(Exception):
    """A read or a change that failed. `what` happened and what to `do` are whole sentences; never a traceback.

    `request_id` is AWS's, for the log and for support; empty when no answer came.
    """

    kind: Kind
    what: str
    do: str
    request_id: str = ""

    def to_keep(self) -> "Failure":
        """The same without its traceback, which would hold on to all that the page had read by then."""
        return replace(self)

    @property
    def passing(self) -> bool:
        """Whether it says nothing about the data or who may read it, so that an older answer is still good to show."""
        return self.kind in _PASSING

    def __str__(self) -> str:
        return f"{self.what} {self.do}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kind, self.what, self.do, self.request_id)


_EXPIRED = {"ExpiredTokenException", "ExpiredToken", "RequestExpired"}
_SKEWED = "RequestTimeTooSkewed"
_UNRECOGNISED = {
    _SKEWED,
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "InvalidClientTokenId",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "SignatureDoesNotMatch",
}
_THROTTLED = {
    "ThrottlingException",
    "Throttling",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}
_DENIED = {"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"}
_BROKEN_OFF = re.compile(r"Connection broken|IncompleteRead|Connection aborted|Connection reset", re.IGNORECASE)
_SIGN_IN = "Sign in again (aws sso login or new keys), then press Refresh."


def explain(
    error: Exception,
    operation: str,
    table: str,
    index: str | None = None,
    service: Service = "dynamodb",
    *,
    arn: str = "",
    request_id: str = "",
) -> Failure:
    """A Failure for what boto3 raised on `operation` (such as "Query") against `table` and `index`.

    For a service other than DynamoDB, `table` is the whole resource, such as "function:bandup-writing-evaluator".
    `arn` is the table's, as far as it is known, with * in place of what is not. `request_id` is that of an answer which
    could not be read; an answer of AWS's own has it inside.
    """
    if isinstance(error, Failure):
        return error
    if isinstance(error, aws.ClientError):
        return _answered(error, operation, table, index, service, arn=arn)
    return _unanswered(error, operation, table, _SERVICES[service], request_id)


def _denied(message: str, action: str, resource: str) -> tuple[str, str]:
    """What AWS denied and what to do about it, by its own words where it says more than is known here.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    if named := re.search(r"not authorized to perform: (\w+:\w+)", message):
        action = named[1]
    if named := re.search(r"on resource: (arn:[^\s,]+)", message):
        resource = named[1].rstrip(".")
    elif account := re.search(r"User: arn:[\w-]+:\w+::(\d{12}):", message):
        resource = re.sub(r"^(arn:[\w-]+:\w+:[\w-]*):\*:", rf"\1:{account[1]}:", resource)
    policy = re.search(r"explicit deny in (?:an? )?([\w -]+? policy|permissions boundary)", message)
    if policy or "explicit deny" in message:
        where = f"the {policy[1]}" if policy else "the policy"
        do = f"Remove the explicit deny of {action} on {resource} from {where} that has it; adding it would not help."
    else:
        lacking = re.search(r"because no ([\w -]+? policy|permissions boundary) allows", message)
        to = lacking[1] if lacking and "identity" not in lacking[1] else "policy"
        do = f"Add the action {action} on {resource} to the {to} of these credentials."
    return f"AWS denied {action} on {resource}.", do


def _answered(
    error: aws.ClientError, operation: str, table: str, index: str | None, service: Service, *, arn: str
) -> Failure:
    name = _SERVICES[service]
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", ""))
    metadata = error.response.get("ResponseMetadata", {})
    said = f": {message.strip().rstrip('.')}" if message.strip() else ""
    # Of an answer without a body, boto3 reads no request id.
    request_id = str(metadata.get("RequestId") or metadata.get("HTTPHeaders", {}).get("x-amzn-requestid", ""))
    status = int(metadata.get("HTTPStatusCode") or 0)

    def failure(kind: Kind, what: str, do: str) -> Failure:
        return Failure(kind, what, do, request_id)

    if code in _DENIED:
        resource = table
        if service == "dynamodb":
            resource = (arn or f"table/{table}") + (f"/index/{index}" if index else "")
        return failure("access_denied", *_denied(message, f"{service}:{operation}", resource))
    if code in _EXPIRED:
        return failure("expired", "The AWS credentials have expired.", _SIGN_IN)
    if code in _UNRECOGNISED:
        # “Signature expired” from a clock that is behind, “Signature not yet current” from one that is ahead.
        if code == _SKEWED or re.search(r"signature (expired|not yet current)", message, re.IGNORECASE):
            return failure(
                "credentials",
                "AWS refused the request's signature because this computer's clock is wrong.",
                "Set the clock of the computer that runs the dashboard, then press Refresh.",
            )
        return failure(
            "credentials",
            "AWS does not recognise these credentials.",
            "Check AWS_PROFILE or the access keys of the computer that runs the dashboard.",
        )
    if code in _THROTTLED:
        return failure(
            "throttled",
            f"{name} is answering too many requests on {table} and turned this one away, also after retries.",
            "Wait a minute, then press Refresh.",
        )
    if index and (
        "does not have the specified index" in message
        or (code == "ResourceNotFoundException" and "Invalid index" in message)
    ):
        return failure(
            "index_missing",
            f"The table {table} has no index {index}.",
            "Add it on the Setup page; until then this question needs a scan of the whole table.",
        )
    if index and "backfilling" in message:
        return failure(
            "index_building",
            f"The index {index} of {table} is still being built.",
            f"Wait until {name} has finished it, then press Refresh.",
        )
    if code == "ResourceNotFoundException" and service == "lambda":
        return failure(
            "missing",
            f"There is no {table.replace(':', ' ')} in this account and region.",
            "Deploy it, or correct the variable that names it.",
        )
    if code == "ResourceNotFoundException":
        return failure(
            "missing",
            f"There is no table {table} in this account and region.",
            "Create it on the Setup page, or correct the variable that names it.",
        )
    if code == "UnknownOperationException":
        return failure("not_offered", f"{operation} is not offered by this endpoint.", "Nothing: real AWS offers it.")
    if code == "ConditionalCheckFailedException":
        return failure("changed", f"A record of {table} was changed meanwhile.", "Press Refresh to see how it is now.")
    if code == "ContinuousBackupsUnavailableException":
        return failure("busy", f"{table} is too new for backups yet.", "Wait a minute, then plan again.")
    if code == "ResourceInUseException":
        return failure(
            "busy", f"{table} is being changed by somebody else right now.", "Wait a minute, then plan again."
        )
    if code == "LimitExceededException":
        return failure(
            "limit",
            f"AWS refused {operation} on {table}, because a limit is reached: {message}",
            f"Wait for other changes to finish, or ask AWS for a higher limit (Service Quotas, {name}).",
        )
    if status >= 500 or code in {"InternalServerError", "ServiceUnavailable"}:
        return failure(
            "service",
            f"{name} failed to answer {operation} on {table} ({code or status}), also after retries.",
            "This is on AWS's side: wait a minute, then press Refresh.",
        )
    if code == "ValidationException":
        return failure("rejected", f"{name} rejected {operation} on {table}{said}.", "Check the id or the filter.")
    return failure(
        "unexpected",
        f"{name} answered {operation} on {table} with {code or 'an unknown error'}{said}.",
        "Press Refresh; if it stays, the log has the request id.",
    )


def _unanswered(error: Exception, operation: str, table: str, name: str, request_id: str) -> Failure:
    if isinstance(error, Late):
        return _late(error, operation, table, name)
    if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError)):
        return Failure(
            "credentials",
            "There are no AWS credentials on the computer that runs the dashboard.",
            "Set AWS_PROFILE or access keys there, or start with BANDUP_SOURCE=demo.",
        )
    if isinstance(error, aws.ProfileNotFound):
        return Failure("credentials", f"{error}.", "Correct AWS_PROFILE, then restart the dashboard.")
    if isinstance(error, (aws.SSOError, aws.TokenRetrievalError, aws.CredentialRetrievalError)):
        return Failure("expired", "The AWS sign-in could not be used or has expired.", _SIGN_IN)
    if isinstance(error, aws.NoRegionError):
        return Failure("region", "No AWS region is set.", "Set AWS_REGION, such as ap-southeast-1, and restart.")
    if isinstance(error, aws.InvalidRegionError):
        return Failure("region", "AWS_REGION is not a region's name.", "Set it to one, such as ap-southeast-1.")
    if isinstance(error, (aws.ReadTimeoutError, aws.ConnectTimeoutError)):
        return Failure(
            "too_slow",
            f"{name} did not answer {operation} on {table} in time.",
            "Check the network and the endpoint, then press Refresh.",
        )
    if isinstance(error, (aws.HTTPClientError, aws.EndpointConnectionError, aws.ConnectionError)):
        where = re.search(r'"(https?://[^"]+)"', str(error))
        at = f" at {where[1]}" if where else ""
        if isinstance(error, aws.ConnectionClosedError) or _BROKEN_OFF.search(str(error)):
            return Failure(
                "unreachable",
                f"The connection to {name}{at} broke off before {operation} on {table} was answered, also after "
                "retries.",
                "Check the network and the endpoint, then press Refresh.",
            )
        return Failure(
            "unreachable",
            f"{name} could not be reached{at}.",
            "Check the network, AWS_ENDPOINT_URL_DYNAMODB and that the endpoint is running, then press Refresh.",
        )
    if isinstance(error, (aws.ConfigParseError, aws.ConfigNotFound)):
        return Failure("credentials", "AWS's configuration file cannot be read.", "Correct it, then restart.")
    if not table:
        return Failure(
            "unexpected",
            f"The AWS client could not be set up: {error}.".replace("..", "."),
            "Check the AWS variables of the computer that runs the dashboard, then restart.",
        )
    if isinstance(error, aws.ParamValidationError):
        return Failure(
            "unexpected",
            f"{operation} on {table} was not sent, because the request is malformed.",
            "Check the id or the filter; the log has the details.",
        )
    return Failure(
        "garbled",
        f"{name} answered {operation} on {table} with what could not be read, also after retries.",
        "Check that no proxy or network sign-in page stands in between, then press Refresh.",
        request_id,
    )


def _late(error: Late, operation: str, table: str, name: str) -> Failure:
    if not table:
        return Failure(
            "too_slow",
            f"The AWS credentials could not be had within {error.span}.",
            "Check AWS_PROFILE and what it names on the computer that runs the dashboard, then press Refresh.",
        )
    if error.asked:
        return Failure(
            "too_slow",
            f"{name} did not answer {operation} on {table} within {error.span}.",
            "Check the network and the endpoint, then press Refresh.",
        )
    return Failure(
        "too_slow",
        f"{name} was not asked for {operation} on {table}, because this page has waited for {error.span} already.",
        "Check the network and the endpoint, then press Refresh.",
    )
