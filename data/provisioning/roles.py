"""Whether a Lambda's role may do what it must on its table, and what it may do beyond that: IAM simulates it."""

from collections.abc import Mapping, Sequence
from typing import Any

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure, explain
from data.provisioning.clients import Clients, call
from data.provisioning.drift import Check, Target
from data.schema import BY_STUDENT, LAMBDA_ACTIONS

NOT_SIMULATED = (
    "The roles are proven by IAM's simulation, which does not know resource policies, VPC endpoint policies and "
    "KMS key policies: what these deny shows only in the Lambdas' logs."
)
_QUERY = "dynamodb:Query"
# What no evaluator needs; a role that may do it is named, for somebody to narrow.
BEYOND = (
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:Scan",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateContinuousBackups",
)


def check_role(store: Store, clients: Clients, target: Target, role: str) -> Check:
    """What the policies of `role` allow on a table and its indexes; unchecked where IAM does not say."""
    if store.settings.source == "demo":
        return Check(target, "Role", "not_offered", "the demo cannot simulate policies; on AWS the role is proven here")
    try:
        arn = store.facts(target.table).arn
        answers = _simulated(clients, role, (*LAMBDA_ACTIONS, *BEYOND), arn)
        on_index = _simulated(clients, role, (_QUERY,), f"{arn}/index/{BY_STUDENT}")[_QUERY]
    except Failure as failure:
        if failure.kind == "missing" and failure.service == "iam":
            return Check(target, "Role", "missing", f"There is no role {role}: the function cannot run without it")
        return Check(target, "Role", "unchecked", failure.to_keep())
    lacking = [action for action in LAMBDA_ACTIONS if answers[action] is False]
    if lacking:
        return Check(target, "Role", "missing", f"{role} may not {', '.join(lacking)} on {target.name}")
    needed = {**{action: answers[action] for action in LAMBDA_ACTIONS}, f"{_QUERY} (by index)": on_index}
    depending = {action: keys for action, keys in needed.items() if isinstance(keys, frozenset)}
    if depending:
        fact = (
            f"could not be checked: whether {role} may {', '.join(depending)} on {target.name} depends on "
            f"{', '.join(sorted(frozenset().union(*depending.values())))}, which only a real call has"
        )
        return Check(target, "Role", "unchecked", fact)
    beyond = [action for action in BEYOND if answers[action] is True]
    also = f"; it may also {', '.join(beyond)}" if beyond else ""
    if on_index is False:
        fact = (
            "may do what it must on the table, but may not query its indexes (the policy that Setup exports adds them)"
        )
        return Check(target, "Role", "recommended", fact + also)
    if beyond:
        return Check(target, "Role", "recommended", f"may do what it must{also}")
    return Check(target, "Role", "ok", "may do what it must, and none of what it need not")


def _simulated(clients: Clients, role: str, actions: Sequence[str], resource: str) -> dict[str, bool | frozenset[str]]:
    """Whether the policies of `role` allow each action on `resource`; where that depends, the context keys it needs.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
    """
    answers: dict[str, bool | frozenset[str]] = {}
    request: dict[str, Any] = {"PolicySourceArn": role, "ActionNames": list(actions), "ResourceArns": [resource]}
    while True:
        simulate = clients.roles.simulate_principal_policy
        answer = call("SimulatePrincipalPolicy", role, simulate, service="iam", **request)
        for result in answer.get("EvaluationResults", []):
            parts = [result, *result.get("ResourceSpecificResults", [])]
            keys = frozenset(key for part in parts for key in part.get("MissingContextValues", []))
            answers[result["EvalActionName"]] = keys or ("EvalDecision" in result and all(map(_allows, parts)))
        if not answer.get("IsTruncated"):
            if unanswered := set(actions) - set(answers):
                error = ValueError(f"no answer about {', '.join(sorted(unanswered))}")
                raise explain(error, "SimulatePrincipalPolicy", role, service="iam")
            return answers
        request["Marker"] = answer["Marker"]


def _allows(result: Mapping[str, Any]) -> bool:
    """Whether a result, or its part about one resource, allows an action, the boundary and the organization too."""
    boundary = result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True)
    organization = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    decision = result.get("EvalDecision", result.get("EvalResourceDecision", "allowed"))
    return decision == "allowed" and bool(boundary) and bool(organization)
