"""The account in words, checks, steps and verdict: the same on the page, in the terminal and in JSON."""

from collections.abc import Sequence

from data.dynamodb.cost import restore_price
from data.dynamodb.errors import Failure
from data.dynamodb.facts import TableFacts
from data.provisioning.apply import Event
from data.provisioning.drift import Check
from data.provisioning.drill import Drill
from data.provisioning.place import Place
from data.provisioning.plan import Look
from data.provisioning.verdict import Problem, State, Verdict
from data.settings import Settings
from wording import failures, formats
from wording.failures import Medium

_COUNTED: dict[State, tuple[str, str]] = {
    "broken": ("problem", "problems"),
    "changes pending": ("change pending", "changes pending"),
    "could not be checked": ("thing could not be checked", "things could not be checked"),
}


def headline(verdict: Verdict, medium: Medium = "page") -> str:
    """The verdict in a line that stands alone: how many problems of each kind, and the worst one."""
    if verdict.problems:
        return f"{counts(verdict)}: {problem(verdict.problems[0], medium)}"
    return counts(verdict)


def counts(verdict: Verdict) -> str:
    """How many problems there are of each kind: the headline over a list of them."""
    if not verdict.problems:
        missing = ", ".join(verdict.not_offered)
        return (
            f"Up to date, as far as this endpoint can show it: it does not offer {missing}" if missing else "Up to date"
        )
    numbers = {state: sum(problem.state == state for problem in verdict.problems) for state in _COUNTED}
    return ", ".join(formats.count(number, *_COUNTED[state]) for state, number in numbers.items() if number)


def fact(check: Check, medium: Medium = "page") -> str:
    """The fact behind a check, or why it is not known."""
    if isinstance(check.fact, Failure) and check.level == "not_offered":
        return failures.cause(check.fact, medium)
    return failures.not_known(check.fact, medium)


def message(event: Event, medium: Medium = "page") -> str:
    """What happened to a step: while it waits to be tried again, there is nothing to do."""
    if isinstance(event.message, Failure) and event.state == "waiting":
        return failures.cause(event.message, medium)
    return failures.sentences(event.message, medium)


def stopped(events: Sequence[Event]) -> str:
    """What is known of a plan that somebody stopped: whether a step was under way, and what to do."""
    if not events:
        return "Stopped. No step was begun."
    last = events[-1]
    if last.state not in ("running", "waiting"):
        return f"Stopped after “{last.step.what}”. Run it again: it does what is left."
    return f"Stopped during “{last.step.what}”, which AWS may still finish. Run it again: it does what is left."


def problem(of: Problem, medium: Medium = "page") -> str:
    """What one problem is about, and the fact."""
    return f"{of.owner} · {of.check.subject}: {fact(of.check, medium)}"


def sample_warnings(sample: Look) -> list[str]:
    """What a sample of the records says against an index, a sentence per attribute and reason."""
    refuses = "once the index exists, DynamoDB refuses such writes of the Lambdas."
    return [
        f"{count:,} of {sample.sampled:,} sampled records {'has' if count == 1 else 'have'} "
        f"{what.format(attribute)}{end}"
        for counts, what, end in (
            (sample.missing, "no {}", " and would not be in the index."),
            (sample.wrong, "a {} of another type", f": {refuses}"),
            (sample.refused, "a {} that is empty or too long for a key", f": {refuses}"),
        )
        for attribute, count in counts.items()
    ]


def place(of: Place, medium: Medium = "page") -> str:
    """Where a change would land, in a line."""
    account = of.account if isinstance(of.account, str) else f"not known: {failures.sentences(of.account, medium)}"
    parts = ["Real AWS"] if of.real_aws else ["Not real AWS"]
    parts += [f"account {account}"] if account else []
    parts += [f"region {of.region}", f"partition {of.partition}", of.endpoint or "in this process"]
    return " · ".join([*parts, *of.tables])


def not_restorable(checks: Sequence[Check]) -> str:
    """Why a table cannot be restored to an earlier time, or that nobody knows, by its checks."""
    name = checks[0].target.name
    of = {check.subject: check for check in checks}
    # Of a table that is another's, or that nobody may look at, nothing else has been asked.
    check = of.get("Point-in-time recovery", of["Table"])
    if check.level == "unchecked":
        return f"Whether {name} can be restored {fact(check)}"
    if check.level == "not_offered":
        return f"{name} cannot be restored: this endpoint does not offer point-in-time recovery."
    if of["Table"].level == "missing":
        return f"There is no table {name}."
    if check is of["Table"]:
        return f"{name} cannot be restored from here: the checklist says what is wrong with it."
    if check.pitr and check.pitr.enabled:
        return f"Point-in-time recovery of {name} is on, but DynamoDB names no time to restore to."
    return f"Point-in-time recovery of {name} is off."


def restore_cost(table: TableFacts, settings: Settings) -> str:
    """What restoring a table costs: DynamoDB bills each GB of it, and from then on the new table as any other."""
    if settings.source == "demo":
        return "A restore costs nothing in the demo."
    size = table.size_bytes / 1e9
    price = restore_price(table.region)
    money = f", about US$ {formats.usd(size * price)}" if price and table.size_bytes else ""
    amount = f"about {formats.size(table.size_bytes)}{money}" if table.size_bytes else "its size is not counted yet"
    return f"A restore is billed per GB of the table ({amount}). The new table then costs like any other."


def drill_cost(table: TableFacts, settings: Settings) -> str:
    """What a restore drill costs: the restore, and reading table and copy whole, with their indexes."""
    reading = formats.estimate(table.whole_cost if table.size_bytes else None, settings)
    return f"{restore_cost(table, settings)} Comparing reads both whole, with their indexes: for each, {reading}."


def drill(result: Drill, region: str, settings: Settings) -> list[str]:
    """What a restore drill came to, line by line, and how its copy is deleted: that is left to a person."""
    as_of = f"as of {result.at:%Y-%m-%d %H:%M} UTC" if result.at else "as of a time that AWS does not tell"
    outcome = "passed" if result.passed else "found differences"
    return [
        f"The restore drill of {result.target.name} {outcome}: {result.copy}, {as_of}.",
        *(
            f"{'✓' if line.is_same else '✕'} {line.subject}: {line.source}"
            + ("" if line.is_same else f"; in the copy: {line.copy}")
            for line in result.lines
        ),
        f"Comparing cost {formats.cost(result.cost)}.",
        _copy_stays(result.copy, region, settings),
    ]


def drill_unfinished(name: str, copy: str, why: str, region: str, settings: Settings) -> list[str]:
    """That a table's copy could not be compared, and how it is deleted. `why` is a sentence or two."""
    return [f"{copy} was not compared with {name}. {why}", _copy_stays(copy, region, settings)]


def _copy_stays(copy: str, region: str, settings: Settings) -> str:
    if settings.source == "demo":
        return "The copy is gone when the demo stops."
    endpoint = f"--endpoint-url {settings.endpoint} " if settings.endpoint else ""
    delete = f"aws dynamodb delete-table --region {region} {endpoint}--table-name {copy}"
    return f"The copy stays, and costs, until you delete it: {delete}"
