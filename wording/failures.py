"""Sentences for failures: what happened, and what to do about it from where the reader is."""

from typing import Literal

from data.dynamodb.errors import Case, Failure, Kind, Service

Medium = Literal["page", "terminal"]
_AGAIN: dict[Medium, str] = {"page": "press Refresh", "terminal": "run this again"}
_SETUP: dict[Medium, str] = {"page": "on the Setup page", "terminal": "with “python -m bandup setup --apply”"}
_SERVICES: dict[Service, str] = {
    "dynamodb": "DynamoDB",
    "lambda": "Lambda",
    "iam": "IAM",
    "sts": "STS",
    "sso": "IAM Identity Center",
    "cloudwatch": "CloudWatch",
    "sns": "SNS",
}

_DENIED = "AWS denied {operation} on {resource}."
_SIGN_IN = "Sign in again (aws sso login, aws login, or new keys), then {again}."
_NETWORK = "Check the network and the endpoint, then {again}."
_WAIT = "Wait a minute, then {again}."
_PLAN_LATER = "Wait a minute, then plan again."

SENTENCES: dict[Kind | Case, tuple[str, str]] = {
    "access_denied": (_DENIED, "Add the action {operation} on {resource} to the {detail} of these credentials."),
    "explicit_deny": (
        _DENIED,
        "Remove the explicit deny of {operation} on {resource} from the {detail} that has it; adding it would not "
        "help.",
    ),
    "key": (
        "AWS denied {operation} on the KMS key that encrypts {resource}; it does not say which key that is.",
        "Look up the key (aws dynamodb describe-table, SSEDescription) and allow {operation} on it to these "
        "credentials, in its own policy and in theirs.",
    ),
    "busy": ("{resource} is being changed by somebody else right now.", _PLAN_LATER),
    "resource_changed": ("{name} was changed by somebody else just now.", "Plan again."),
    "too_new": ("{resource} is too new for backups yet.", _PLAN_LATER),
    "changed": ("A record of {resource} was changed meanwhile.", "{Again} to see how it is now."),
    "plan_changed": (
        "The account has changed since this plan was made: {detail}.",
        "Nothing was done. Look at the new plan, then apply that.",
    ),
    "plan_unchecked": (
        "Whether this is still to be done {reasons} It is about: {detail}.",
        "Nothing was done. Look at the new plan, then apply that.",
    ),
    "credentials": (
        "AWS does not recognise these credentials.",
        "Check AWS_PROFILE or the access keys of the computer that runs the dashboard.",
    ),
    "unrecognised": (
        "AWS does not recognise these credentials in the region {detail}.",
        "Check AWS_PROFILE or the access keys of the computer that runs the dashboard; if {detail} is a region that "
        "has to be enabled first, enable it for the account.",
    ),
    "account": (
        "STS could not be reached at {detail}, which is asked for the account while there is no table yet.",
        "Give this network an endpoint for STS of its own, beside DynamoDB's, then {again}.",
    ),
    "clock": (
        "AWS refused the request's signature because this computer's clock is wrong.",
        "Set the clock of the computer that runs the dashboard, then {again}.",
    ),
    "configuration": ("AWS's configuration file cannot be read.", "Correct it, then restart."),
    "no_credentials": (
        "There are no AWS credentials on the computer that runs the dashboard.",
        "Set AWS_PROFILE or access keys there, or start with BANDUP_SOURCE=demo.",
    ),
    "profile": ("{detail}.", "Correct AWS_PROFILE, then restart the dashboard."),
    "profile_loop": (
        "AWS profiles take their credentials from each other in a circle: {detail}.",
        "Correct source_profile of one of them in AWS's configuration file, then {again}.",
    ),
    "incomplete": (
        "The AWS variables and profile cannot be used as they are: {detail}.",
        "Correct them, then {again}.",
    ),
    "program_missing": (
        "The program {detail}, which credential_process of the AWS profile starts, is not there or may not be run.",
        "Install it for the user who runs the dashboard, or correct credential_process, then {again}.",
    ),
    "program_failed": (
        "The program that credential_process of the AWS profile {detail} starts gave no credentials.",
        "Run it in a terminal to see what it says, mend that, then {again}.",
    ),
    "program_late": (
        "The program {detail}, which credential_process of the AWS profile starts, did not end and was stopped.",
        "It must not ask for anything: sign in with it in a terminal first, then {again}.",
    ),
    "file": (
        "The file {detail}, which the AWS variables or the profile name, cannot be read.",
        "Correct its path, or let the user who runs the dashboard read it, then {again}.",
    ),
    "identity_token": (
        "AWS did not accept the web identity token.",
        "Check AWS_WEB_IDENTITY_TOKEN_FILE and the role's trust policy, then {again}.",
    ),
    "mfa": (
        "The AWS profile {detail} asks for an MFA code, which cannot be typed here.",
        "Run “aws sts get-caller-identity --profile {detail}” in a terminal and type the code there; the dashboard "
        "uses what that got, until it expires. Then {again}.",
    ),
    "login": (
        "The AWS profile was signed in with aws login, which needs a package that is not installed.",
        'Run pip install "botocore[crt]" in the dashboard\'s environment, then restart.',
    ),
    "sso_role": (
        "IAM Identity Center gives this sign-in no access to the role that the AWS profile names.",
        "Correct sso_account_id and sso_role_name, or have an administrator assign the role, then {again}.",
    ),
    "unusable": (
        "The AWS credentials could not be had ({detail}).",
        "Check AWS_PROFILE and what it names on the computer that runs the dashboard, then {again}.",
    ),
    "expired": ("The AWS credentials have expired.", _SIGN_IN),
    "sign_in": ("The AWS sign-in could not be used or has expired.", _SIGN_IN),
    "expired_at_once": (
        "The AWS credentials that were just had have expired already.",
        "Check the clock of the computer that runs the dashboard, and what gives it credentials, then {again}.",
    ),
    "garbled": (
        "{service} answered {operation} on {resource} with what could not be read, even after retries.",
        "Check that no proxy or network sign-in page stands in between, then {again}.",
    ),
    "index_building": (
        "The index {index} of {resource} is still being built.",
        "Wait until {service} has finished it, then {again}.",
    ),
    "index_missing": (
        "The table {resource} has no index {index}.",
        "Add it {setup}; until then this question needs a scan of the whole table.",
    ),
    "limit": (
        "AWS refused {operation} on {resource}, because a limit is reached{message}.",
        "Wait for other changes to finish, or ask AWS for a higher limit (Service Quotas, {service}).",
    ),
    "billing": (
        "The table {resource} has changed to on-demand too often{message}.",
        "AWS allows that four times in 24 hours: apply this step tomorrow.",
    ),
    "missing": (
        "There is no table {resource} in this account and region.",
        "Create it {setup}, or correct the variable that names it.",
    ),
    "function": (
        "There is no function {name} in this account and region.",
        "Deploy it, or correct the variable that names it.",
    ),
    "table_other": (
        "Somebody else has made a table {resource} meanwhile, with other keys.",
        "Choose another name in the variable that names it, or ask whose it is.",
    ),
    "table_gone": ("There is no table {resource} any more.", "Plan again."),
    "not_offered": ("{operation} is not offered by this endpoint.", "Nothing: real AWS offers it."),
    "endpoint": (
        "This endpoint is a DynamoDB alone, without Lambda and IAM.",
        "Nothing: against real AWS the Lambdas are checked.",
    ),
    "read_only": (
        "This dashboard may not change anything.",
        "Start it with BANDUP_ALLOW_CHANGES=1 to allow it.",
    ),
    "region": ("No AWS region is set.", "Set AWS_REGION, such as ap-southeast-1, and restart."),
    "region_name": ("AWS_REGION is not a region's name.", "Set it to one, such as ap-southeast-1."),
    "region_unknown": (
        "There is no region {detail}.",
        "Correct AWS_REGION, AWS_DEFAULT_REGION or the profile's region, then restart.",
    ),
    "rejected": ("{service} rejected {operation} on {resource}{message}.", "Check the id or the filter."),
    "in_doubt": (
        "{service} did not say whether {operation} on {resource} was done.",
        "It may have been done: {again} to see.",
    ),
    "restore_in_doubt": (
        "Whether the restore to {resource} has begun is not known.",
        "It may have: wait a minute, then ask for the same again. What has begun does not begin twice.",
    ),
    "table_taken": ("There is a table {resource} already.", "Choose a name that is not taken."),
    "no_copy": (
        "There is a table {resource}, which was not restored from {detail}.",
        "Delete it if nobody needs it, or start the drill tomorrow: its copy then has another name.",
    ),
    "copy_gone": ("There is no table {resource} any more.", "Start the drill again: it makes a new copy."),
    "restoring": (
        "{resource} is still being restored.",
        "Start the drill again within 24 hours of the first start: it goes on with this copy.",
    ),
    "restore_time": (
        "The table {resource} cannot be restored to that time.",
        "Choose a time between the earliest and the latest restorable one.",
    ),
    "recovery_off": (
        "Point-in-time recovery of {resource} is off, so there is nothing to restore from.",
        "Turn it on (Setup's plan has the step); from then on there is.",
    ),
    "service": (
        "{service} failed to answer {operation} on {resource} ({code}), even after retries.",
        "This is on AWS's side: wait a minute, then {again}.",
    ),
    "throttled": (
        "{service} is answering too many requests on {resource} and turned this one away, even after retries.",
        _WAIT,
    ),
    "maximum": (
        "The maximum that is set for the on-demand throughput of {resource} is reached.",
        "Raise it in the AWS console (the table's capacity settings), or wait a minute, then {again}.",
    ),
    "unprocessed": ("DynamoDB left some records of {resource} unread, even after retries.", _WAIT),
    "too_slow": ("{service} did not answer {operation} on {resource} in time.", _NETWORK),
    "credentials_late": (
        "The AWS credentials could not be had within {detail}.",
        "Check AWS_PROFILE and what it names on the computer that runs the dashboard, then {again}.",
    ),
    "credentials_unreachable": (
        "The AWS credentials could not be had, because what gives them could not be reached{at}.",
        "Give this network a way to it, or use credentials that need none, then {again}.",
    ),
    "late": ("{service} did not answer {operation} on {resource} within {detail}.", _NETWORK),
    "not_asked": (
        "{service} was not asked for {operation} on {resource}, because this page has waited for {detail} already.",
        _NETWORK,
    ),
    "queued": ("Another visitor of this dashboard is waiting for the same answer.", "Wait a moment, then {again}."),
    "unexpected": (
        "{service} answered {operation} on {resource} with {code}{message}.",
        "{Again}; if it stays, the log has the request id.",
    ),
    "client": (
        "The AWS client could not be set up: {detail}.",
        "Check the AWS variables of the computer that runs the dashboard, then restart.",
    ),
    "environment": (
        "The environment of {resource} cannot be read, so nothing was sent: it would be lost.",
        "Give these credentials kms:Decrypt on the function's key, then plan again.",
    ),
    "variables_full": (
        "With one more variable, those of {resource} would be larger than the 4 KB that Lambda allows, so nothing was "
        "changed.",
        "Shorten or remove another of its variables, then plan again.",
    ),
    "malformed": (
        "{operation} on {resource} was not sent, because the request is malformed.",
        "Check the id or the filter; the log has the details.",
    ),
    "unreachable": (
        "{service} could not be reached{at}.",
        "Check the network, AWS_ENDPOINT_URL_DYNAMODB and that the endpoint is running, then {again}.",
    ),
    "account_endpoint": (
        "{service} could not be reached{at}.",
        "Where a firewall lets only the older host names through, set AWS_ACCOUNT_ID_ENDPOINT_MODE=disabled and "
        "restart; else check the network, then {again}.",
    ),
    "bundle": (
        "The certificate authorities of this computer cannot be read, so no TLS connection can be made{at}.",
        "Correct AWS_CA_BUNDLE (or ca_bundle in the profile): it names a file in PEM format. Then restart.",
    ),
    "tls": (
        "The certificate{at} was not accepted.",
        "Where a proxy of your network opens TLS connections, set AWS_CA_BUNDLE to a file with its certificate "
        "authority, then restart.",
    ),
    "broken_off": (
        "The connection to {service}{at} broke off before {operation} on {resource} was answered, even after retries.",
        _NETWORK,
    ),
}


def cause(failure: Failure, medium: Medium = "page") -> str:
    """What happened."""
    return _filled(SENTENCES[failure.case or failure.kind][0], failure, medium)


def remedy(failure: Failure, medium: Medium = "page") -> str:
    """What to do about it."""
    return _filled(SENTENCES[failure.case or failure.kind][1], failure, medium)


def sentences(text: Failure | str, medium: Medium = "page") -> str:
    """What happened and what to do, or what is in words already."""
    return text if isinstance(text, str) else f"{cause(text, medium)} {remedy(text, medium)}"


def note(text: Failure | str) -> str:
    """A note of a read: a failure in it kept us from knowing an index."""
    if isinstance(text, str):
        return text
    return f"It could not be checked what the index {text.index} carries. {sentences(text)}"


def not_known(reason: Failure | str, medium: Medium = "page") -> str:
    """Why something is not known, or what is in words already."""
    return reason if isinstance(reason, str) else f"could not be checked. {sentences(reason, medium)}"


def _filled(template: str, failure: Failure, medium: Medium) -> str:
    again = _AGAIN[medium]
    return template.format(
        again=again,
        setup=_SETUP[medium],
        Again=again[0].upper() + again[1:],
        service=_SERVICES[failure.service],
        operation=failure.operation,
        resource=failure.resource,
        name=failure.resource.removeprefix("function:"),
        index=failure.index,
        code=failure.code or "an unknown error",
        detail=failure.detail,
        at=f" at {failure.detail}" if failure.detail else "",
        message=f": {failure.detail}" if failure.detail else "",
        reasons=" ".join(sorted(not_known(reason, medium) for reason in failure.reasons)),
    )
