"""The plan on the Setup page: its steps, the look before an index, and Apply with its results as they happen."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import streamlit as st

from data.dynamodb import budget
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.apply import State, apply
from data.provisioning.clients import Clients
from data.provisioning.drift import Step
from data.provisioning.plan import Look, look
from queries import source
from queries.access.gate import Visitor
from ui.components import markup
from ui.shell.page import KEPT, forget, recheck
from wording import account, failures, formats

_STATES: dict[State, str] = {
    "running": "working",
    "waiting": "waiting",
    "unfinished": "not finished",
    "done": "✓ done",
    "already": "✓ already done",
    "not_offered": "- not done",
    "failed": "✕ failed",
    "skipped": "✕ skipped",
}
_LOOKS = f"{KEPT}looks"
_APPLIED = "_applied"


@dataclass(frozen=True, slots=True)
class _Offer:
    """Steps, and where they would be done."""

    region: str
    endpoint: str
    steps: Sequence[Step]


def clients() -> Clients | Failure:
    """Clients of Lambda and IAM, or why there are none."""
    try:
        return source.clients()
    except Failure as failure:
        return failure


def show_plan(store: Store, steps: Sequence[Step], *, key: str) -> None:
    """The steps, the look before an index, and Apply with its results as they happen."""
    _last_results(key)
    if not steps:
        st.text("No step is planned.")
        return
    if any(not step.required for step in steps) and not st.toggle(
        "Include recommended changes", value=True, key=f"{key}_all"
    ):
        steps = [step for step in steps if step.required]
    rows = [[str(n), _what(step), step.why, step.cost, step.undo] for n, step in enumerate(steps, 1)]
    markup.show(markup.table(["", "Step", "Why", "Cost impact", "Reversible"], rows, "The plan"))
    if not steps:
        return
    if not source.settings().allow_changes:
        st.info(
            "This dashboard only reads. To let it apply the plan, start it with BANDUP_ALLOW_CHANGES=1.",
            title="Read-only",
        )
        return
    accepted = _look_first(store, [step for step in steps if step.action == "index"], key)
    for stack in dict.fromkeys(step.stack for step in steps if step.stack):
        count = formats.count(sum(step.stack == stack for step in steps), "step")
        st.text(
            f"⚠ {count} would change what the CloudFormation stack {stack} owns. Change the stack instead: “Export” "
            "has the template of both tables."
        )
    confirmed = confirm_account(key)
    # A plan that is made anew at each run may be another one by the time of the click, or be for another place.
    offered = _Offer(store.client.meta.region_name, store.client.meta.endpoint_url, steps)
    seen = st.session_state.get(f"{key}_seen", offered)
    st.session_state[f"{key}_seen"] = offered
    if st.button(
        f"Apply {formats.count(len(steps), 'step')}", key=f"{key}_apply", disabled=not (accepted and confirmed)
    ):
        _apply(store, offered, seen, key)


def _what(step: Step) -> str:
    return markup.joined([step.what, markup.line(f"⚠ {step.warning}")]) if step.warning else step.what


def confirm_account(key: str) -> bool:
    """Whether a change may go ahead: on real AWS, the account id has to be typed before."""
    if not source.store().real_aws:
        return True
    account = source.account()
    typed = st.text_input(f"Type the account id ({account}) to allow the change", key=f"{key}_account", max_chars=12)
    return bool(account) and typed.strip() == account


def _look_first(store: Store, steps: Sequence[Step], key: str) -> bool:
    """For each index to be added: has somebody looked, and accepted what the sample warns of?"""
    if not steps:
        return True
    looks: dict[str, Look] = st.session_state.setdefault(_LOOKS, {})
    missing = [step for step in steps if step.what not in looks]
    if missing:
        st.text(
            "Before an index is added, look at a sample of the records: those without its key attributes would not be "
            "in it, and once it exists DynamoDB refuses writes in which they are of another type."
        )
        if st.button("Check a sample (1,000 records) of each table", key=f"{key}_look"):
            still_ops()
            with st.spinner("Reading a sample…", show_time=True):
                for step in missing:
                    looks[step.what] = look(store, step)
            st.rerun()
        return False
    # A list, so that every question is on the page even when the first one is not answered.
    return all([_accepted(step, looks[step.what], key) for step in steps])  # noqa: C419 - see above


def _accepted(step: Step, sample: Look, key: str) -> bool:
    whole = "all" if sample.whole else "a sample of"
    cost = formats.cost(sample.cost)
    st.text(f"{step.detail} on {step.target.name}: looked at {whole} {sample.sampled:,} records, {cost}.")
    if not sample.warns:
        return True
    for line in account.sample_warnings(sample):
        st.text(f"⚠ {line}")
    markup.show(markup.bullets(sample.examples))
    return st.checkbox(f"Add {step.detail} all the same", key=f"{key}_accept_{step.target.name}_{step.detail}")


def still_ops() -> Visitor:
    """Who is looking right now. Where they are not ops any more, the page runs again, which refuses."""
    visitor = recheck().visitor
    if not visitor.is_ops:
        st.rerun()
    return visitor


def _apply(store: Store, offered: _Offer, seen: _Offer, key: str) -> None:
    results: list[str] = []
    under_way = ""
    st.session_state[_APPLIED] = (key, results)
    with budget.lifted(), st.status("Applying the plan…", expanded=True):
        try:
            _require_seen(offered, seen)
            line = st.empty()
            with closing(apply(store, offered.steps, who=still_ops().name, clients=clients())) as events:
                for event in events:
                    # A step may take minutes, in which a role may be taken away.
                    still_ops()
                    text = f"{_STATES[event.state]} · {event.step.what}"
                    text += f" · {account.message(event)}" if event.state != "running" else ""
                    line.text(text)
                    under_way = text
                    if event.state not in ("running", "waiting"):
                        line, under_way = st.empty(), ""
                        results.append(text)
        except Failure as failure:
            under_way = ""
            results.append(f"✕ {failures.sentences(failure)}")
        finally:
            if under_way:  # somebody clicked elsewhere, or their role was taken away
                results.append(f"Stopped here. It may go on in AWS: {under_way}")
            forget()
    st.rerun()


def _require_seen(offered: _Offer, seen: _Offer) -> None:
    """Failure unless these are the steps that were on screen, and for the place that was."""
    here, there = (f"{offer.region} ({offer.endpoint})" for offer in (offered, seen))
    other = [f"it was made for {there}, and would be applied in {here}"] if here != there else []
    ours, theirs = offered.steps, seen.steps
    other += [step.what for step in (*ours, *theirs) if step not in theirs or step not in ours]
    if other:
        raise Failure("changed", case="plan_changed", detail="; ".join(other))


def _last_results(key: str) -> None:
    """What the last Apply did, until the next one."""
    owner, results = st.session_state.get(_APPLIED, ("", []))
    if owner != key or not results:
        return
    with st.container(border=True):
        st.text("Last run:")
        for line in results:
            st.text(line)
