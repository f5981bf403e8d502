"""The alarms of tables, indexes and Lambdas, as declared and as CloudWatch has them; none where no topic is named.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Best_Practice_Recommended_Alarms_AWS_Services.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure, explain
from data.provisioning.clients import Clients, call
from data.provisioning.drift import STACK_TAG, Check, Step, Target
from data.provisioning.lambdas import Proof
from data.schema import BY_STATUS, FUNCTIONS, LAMBDA_ACTIONS, PARTITION_WRITE_UNITS, TABLES, Function, Table
from data.settings import FunctionName, Settings

Dimensions: TypeAlias = tuple[tuple[str, str], ...]

SUBJECTS = ("Alarm topic", "Alarms")
_PERIOD = 300
_LONGEST_NAME = 255
_NAMED = 3  # alarms that a fact names one by one
# What is compared, as CloudWatch calls it and in words.
_COMPARED = {
    "Statistic": "statistic",
    "Period": "period",
    "EvaluationPeriods": "evaluation periods",
    "DatapointsToAlarm": "datapoints to alarm",
    "Threshold": "threshold",
    "ComparisonOperator": "comparison",
    "TreatMissingData": "missing data as",
}


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm on the sum of a metric in five minutes being above zero, in `datapoints` of `periods` in a row.

    `ending` is its name without that of the table or function.
    """

    name: str
    ending: str
    metric: str
    dimensions: Dimensions
    description: str
    datapoints: int
    periods: int

    def request(self, topic: str) -> dict[str, Any]:
        """The PutMetricAlarm request, which CloudFormation takes as properties too."""
        return {
            "AlarmName": self.name,
            "AlarmDescription": self.description,
            "ActionsEnabled": True,
            "AlarmActions": [topic],
            "Namespace": "AWS/Lambda" if self.dimensions[0][0] == "FunctionName" else "AWS/DynamoDB",
            "MetricName": self.metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions],
            "Statistic": "Sum",
            "Period": _PERIOD,
            "EvaluationPeriods": self.periods,
            "DatapointsToAlarm": self.datapoints,
            "Threshold": 0.0,
            "ComparisonOperator": "GreaterThanThreshold",
            # Where nothing happens, DynamoDB and Lambda send nothing.
            "TreatMissingData": "notBreaching",
        }


def of_table(table: Table, name: str) -> tuple[Alarm, ...]:
    """The alarms of a table: throttles of the table and of each index, which are counted apart; and system errors,
    which are counted by operation: of those that the Lambdas need.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    """
    own: Dimensions = (("TableName", name),)
    alarms = _throttles(name, "", f"the table {name}", own, "")
    for index in table.indexes:
        effect = " While it is throttled, writes to the table fail too."
        if index.name == BY_STATUS:
            effect += (
                f" Records of one status share a partition, which takes {PARTITION_WRITE_UNITS:,} write units a second."
            )
        dimensions = (*own, ("GlobalSecondaryIndexName", index.name))
        alarms += _throttles(name, f"{index.name}-", f"the index {index.name} of {name}", dimensions, effect)
    for action in LAMBDA_ACTIONS:
        operation = action.partition(":")[2]
        text = f"DynamoDB fails to answer {operation} on the table {name}."
        dimensions = (*own, ("Operation", operation))
        alarms.append(_lasting(name, f"{operation}-system-errors", "SystemErrors", dimensions, text))
    return tuple(alarms)


def of_function(name: str) -> tuple[Alarm, ...]:
    """The alarms of a Lambda, all of its versions and aliases together."""
    own: Dimensions = (("FunctionName", name),)
    return tuple(
        Alarm(_name(name, ending), ending, metric, own, text, 1, 1)
        for ending, metric, text in (
            ("errors", "Errors", f"Runs of the Lambda {name} end with an error."),
            ("throttles", "Throttles", f"Lambda turns calls of {name} away."),
        )
    )


def _throttles(name: str, prefix: str, what: str, dimensions: Dimensions, effect: str) -> list[Alarm]:
    reads, writes = (f"DynamoDB turns {kind} {what} away." for kind in ("reads of", "writes to"))
    return [
        _lasting(name, f"{prefix}read-throttles", "ReadThrottleEvents", dimensions, reads),
        _lasting(name, f"{prefix}write-throttles", "WriteThrottleEvents", dimensions, writes + effect),
    ]


def _lasting(name: str, ending: str, metric: str, dimensions: Dimensions, description: str) -> Alarm:
    """An alarm on what lasts: the SDK tries a request again, so that a single event is no incident."""
    return Alarm(_name(name, ending), ending, metric, dimensions, description, 2, 3)


def checks(
    store: Store, clients: Clients | Failure, tables: Sequence[Check], proofs: Sequence[Proof]
) -> tuple[tuple[str, Check], ...]:
    """Each table's and each Lambda's alarms, and the topic that they tell, with what each check is about.

    `tables` are the tables' own checks. Nothing is asked for where no topic is named; nor is there an alarm for what is
    another's, or for a Lambda that is not there or could not be looked at.
    """
    topic = store.settings.alarm_topic
    if not topic:
        return ()
    anywhere = Target(TABLES[0], store.settings.name(TABLES[0]))
    if isinstance(clients, Failure):
        return (("CloudWatch", _unknown(anywhere, "Alarms", clients)),)
    listener = _topic(clients, anywhere, topic)
    lines = [(topic.rpartition(":")[2], listener)]
    if listener.level == "blocked":
        return tuple(lines)
    owners = list(_owners(store, tables, proofs))
    try:
        held = _held(clients, [alarm.name for *_, alarms in owners for alarm in alarms])
    except Failure as failure:
        return (*lines, ("CloudWatch", _unknown(anywhere, "Alarms", failure)))
    for owner, target, name, alarms in owners:
        lines.append((owner, _compare(clients, target, name, alarms, held, topic)))
    return tuple(lines)


def set_alarms(clients: Clients, settings: Settings, step: Step) -> bool:
    """Set those alarms of a step that are not as declared; False when all are so already.

    PutMetricAlarm replaces an alarm, so that what others have added to one is sent along.
    """
    requests = list(_requests(clients, settings, step))
    for request in requests:
        name = request["AlarmName"]
        call("PutMetricAlarm", _arn(clients, name), clients.alarms.put_metric_alarm, "cloudwatch", **request)
    return bool(requests)


def _requests(clients: Clients, settings: Settings, step: Step) -> Iterator[dict[str, Any]]:
    """What makes each alarm as declared that is not; Failure where one has been changed since it was planned."""
    names = step.detail.split(",")
    declared = {alarm.name: alarm for *_, alarms in every(settings) for alarm in alarms}
    held = _held(clients, names)
    for name in names:
        alarm, actual = declared[name], held.get(name)
        request = alarm.request(settings.alarm_topic)
        if actual is not None:
            if not _same_metric(alarm, actual):
                raise Failure("changed", case="plan_changed", detail=step.what)
            differences = _differences(alarm, actual, settings.alarm_topic)
            if not differences:
                continue
            if _set_back(name, differences) not in step.what:  # somebody has changed it since
                raise Failure("changed", case="plan_changed", detail=step.what)
            request["AlarmActions"] = [*dict.fromkeys([*actual.get("AlarmActions", []), settings.alarm_topic])]
            request |= {key: actual[key] for key in ("OKActions", "InsufficientDataActions") if actual.get(key)}
            request["AlarmDescription"] = actual.get("AlarmDescription") or alarm.description
        yield request


def every(settings: Settings) -> Iterator[tuple[Table | Function, tuple[Alarm, ...]]]:
    """All alarms that are declared, by what they watch."""
    for table in TABLES:
        yield table, of_table(table, settings.name(table))
    for function, name in zip(FUNCTIONS, settings.functions, strict=True):
        yield function, of_function(FunctionName.parse(name).name)


def _name(owner: str, ending: str) -> str:
    longest = _LONGEST_NAME - len(ending) - 1
    if len(owner) > longest:
        owner = f"{owner[: longest - 9]}-{sha256(owner.encode()).hexdigest()[:8]}"
    return f"{owner}-{ending}"


def _topic(clients: Clients, target: Target, topic: str) -> Check:
    """Whether the topic can be told, and somebody hears it."""
    region = clients.alarms.meta.region_name
    subject, place = "Alarm topic", topic.split(":")[3]
    if place != region:
        return Check(target, subject, "blocked", f"It is in {place}; alarms of {region} tell topics of {region} alone.")
    try:
        answer = call("GetTopicAttributes", topic, clients.topics.get_topic_attributes, "sns", TopicArn=topic)
        heard_by = int(answer["Attributes"]["SubscriptionsConfirmed"])
    except (KeyError, ValueError) as error:
        return _unknown(target, subject, explain(error, "GetTopicAttributes", topic, service="sns"))
    except Failure as failure:
        if failure.kind == "missing":
            fact = f"There is no topic {topic}. Create it, or correct BANDUP_ALARM_TOPIC."
            return Check(target, subject, "blocked", fact)
        return _unknown(target, subject, failure)
    if not heard_by:
        fact = "Nobody has a confirmed subscription to it, so that no alarm is heard. Subscribe somebody, and confirm."
        return Check(target, subject, "missing", fact)
    return Check(target, subject, "ok", f"{topic}, confirmed subscriptions: {heard_by:,}")


def _owners(
    store: Store, tables: Sequence[Check], proofs: Sequence[Proof]
) -> Iterator[tuple[str, Target, str, tuple[Alarm, ...]]]:
    """What there are to be alarms for: what to call it, its table, its name, its alarms."""
    identity = ("Table", "Partition key", "Sort key")
    foreign = {check.target for check in tables if check.level == "blocked" and check.subject in identity}
    for target in dict.fromkeys(check.target for check in tables):
        if target not in foreign:
            yield target.name, target, target.name, of_table(target.table, target.name)
    for proof in proofs:
        function = FunctionName.parse(proof.name)
        # The variable is looked at where the function is there.
        is_there = any(link.subject == "Variable" for link in proof.links)
        target = Target(proof.function.table, store.settings.name(proof.function.table))
        if is_there and function.account in (None, _account(store, target.table)):
            yield proof.function.label, target, function.name, of_function(function.name)


def _account(store: Store, table: Table) -> str | None:
    """The account of a table; None where it is not known."""
    try:
        return store.facts(table).account
    except Failure:
        return None


def _held(clients: Clients, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The alarms of these names that there are."""
    held: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(names), 100):
        request: dict[str, Any] = {"AlarmNames": list(names[start : start + 100]), "AlarmTypes": ["MetricAlarm"]}
        while True:
            answer = call("DescribeAlarms", _arn(clients), clients.alarms.describe_alarms, "cloudwatch", **request)
            held |= {alarm["AlarmName"]: alarm for alarm in answer.get("MetricAlarms", [])}
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
    return held


def _compare(
    clients: Clients,
    target: Target,
    name: str,
    alarms: Sequence[Alarm],
    held: Mapping[str, Mapping[str, Any]],
    topic: str,
) -> Check:
    missing = [alarm for alarm in alarms if alarm.name not in held]
    there = [(alarm, held[alarm.name]) for alarm in alarms if alarm.name in held]
    foreign = [alarm.name for alarm, actual in there if not _same_metric(alarm, actual)]
    changed = {
        alarm.name: differences
        for alarm, actual in there
        if alarm.name not in foreign and (differences := _differences(alarm, actual, topic))
    }
    facts = []
    if foreign:
        facts.append(f"alarms of these names watch something else: {', '.join(foreign)}. Rename or delete these")
    if missing:
        which = f": {', '.join(alarm.name for alarm in missing)}" if len(missing) <= _NAMED else ""
        facts.append(f"{len(missing)} of {len(alarms)} missing{which}")
    facts += [f"{alarm}: {', '.join(differences)}" for alarm, differences in changed.items()]
    if not facts:
        return Check(target, "Alarms", "ok", f"{len(alarms)} alarms, which tell {topic.rpartition(':')[2]}")
    due = [alarm.name for alarm in missing] + list(changed)
    step = None
    if due:
        stacks = [_stack(clients, held[alarm]) for alarm in changed]
        step = _step(target, name, len(missing), changed, due, topic, next(filter(None, stacks), ""))
    return Check(target, "Alarms", "blocked" if foreign else "recommended", "; ".join(facts), step)


def _step(
    target: Target,
    name: str,
    missing: int,
    changed: Mapping[str, Sequence[str]],
    due: Sequence[str],
    topic: str,
    stack: str,
) -> Step:
    whom = topic.rpartition(":")[2]
    parts = [f"set {missing} alarms of {name}, which tell {whom}"] if missing else []
    parts += [f"set {_set_back(alarm, is_so)}" for alarm, is_so in changed.items()]
    what = "; ".join(parts)
    cost = "Per alarm and month (US$ 0.10 in us-east-1; the first ten of an account are free)"
    undo = "Yes, by deleting the alarms (not from here)" if missing else "Yes, in the AWS console"
    return Step("alarms", target, ",".join(due), what[0].upper() + what[1:], False, cost, undo, stack)


def _set_back(name: str, differences: Sequence[str]) -> str:
    return f"the alarm {name} back ({', '.join(differences)})"


def _same_metric(alarm: Alarm, actual: Mapping[str, Any]) -> bool:
    dimensions = {(one.get("Name"), one.get("Value")) for one in actual.get("Dimensions", [])}
    request = alarm.request("")
    return dimensions == set(alarm.dimensions) and all(
        actual.get(name) == request[name] for name in ("Namespace", "MetricName")
    )


def _differences(alarm: Alarm, actual: Mapping[str, Any], topic: str) -> list[str]:
    """In what an alarm is not as declared."""
    # What CloudWatch leaves out is so.
    usual = {"DatapointsToAlarm": actual.get("EvaluationPeriods"), "TreatMissingData": "missing"}
    request = alarm.request(topic)
    differences = []
    for name, words in _COMPARED.items():
        value = usual.get(name) if actual.get(name) is None else actual[name]
        if value != request[name]:
            differences.append(f"{words} {_number(value)} instead of {_number(request[name])}")
    if (unit := actual.get("Unit", "Count")) != "Count":
        # No data point has it, so that the alarm would never fire.
        differences.append(f"unit {unit} instead of Count")
    if not actual.get("ActionsEnabled", True):
        differences.append("its actions are turned off")
    if topic not in actual.get("AlarmActions", []):
        differences.append(f"it does not tell {topic.rpartition(':')[2]}")
    return differences


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | int) else str(value)


def _stack(clients: Clients, actual: Mapping[str, Any]) -> str:
    """The CloudFormation stack that owns an alarm, as far as these credentials may see."""
    arn = str(actual.get("AlarmArn", ""))
    try:
        answer = call("ListTagsForResource", arn, clients.alarms.list_tags_for_resource, "cloudwatch", ResourceARN=arn)
    except Failure:
        return ""
    return next((str(tag["Value"]) for tag in answer.get("Tags", []) if tag.get("Key") == STACK_TAG), "")


def _arn(clients: Clients, name: str = "*") -> str:
    """What IAM would have to allow it on, with * for the account, which is not known here."""
    meta = clients.alarms.meta
    return f"arn:{meta.partition}:cloudwatch:{meta.region_name}:*:alarm:{name}"


def _unknown(target: Target, subject: str, failure: Failure) -> Check:
    return Check(target, subject, "not_offered" if failure.kind == "not_offered" else "unchecked", failure.to_keep())
