"""The wire to the demo's engine: what a client of boto3 would send is answered by moto, in this process.

Nothing listens on a port, and nothing leaves: the endpoint is a name that leads nowhere.
"""

import logging
from functools import cache
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

ENDPOINT = "http://demo.invalid"
"""Of all names under .invalid it is known that none exists, https://www.rfc-editor.org/rfc/rfc6761#section-6.4."""

_log = logging.getLogger(__name__)


def connect(client: Any) -> None:
    """Have moto answer each request of a client of DynamoDB, Lambda or IAM."""
    client.meta.events.register("before-send", _answer)


def _answer(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
    """moto's answer to a request, which is not sent. Whatever happens, there is one: without it botocore would send."""
    # Imported here because only the demo needs it, and it takes a quarter of a second.
    from moto.core.botocore_stubber import MockRawResponse  # noqa: PLC0415
    from moto.core.request import normalize_request  # noqa: PLC0415
    from werkzeug.exceptions import HTTPException  # noqa: PLC0415

    try:
        dispatch = _services()[event_name.split(".")[1]]
        status, headers, body = dispatch(normalize_request(request))
    except HTTPException as error:
        status, headers, body = error.code or 500, error.get_headers(), error.get_body()
    except Exception:  # noqa: BLE001 - as moto's server takes a fault of its own
        _log.exception("the demo's engine failed at %s", event_name)
        status, headers, body = 500, {}, b""
    return AWSResponse(request.url, status, headers, MockRawResponse(body))


@cache
def _services() -> dict[str, Any]:
    """What answers the requests to each service."""
    from moto.awslambda.responses import LambdaResponse  # noqa: PLC0415
    from moto.dynamodb.responses import DynamoHandler  # noqa: PLC0415
    from moto.iam.responses import IamResponse  # noqa: PLC0415

    return {"dynamodb": DynamoHandler.dispatch, "lambda": LambdaResponse.dispatch, "iam": IamResponse.dispatch}
