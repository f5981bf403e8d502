"""The parts of the Setup page: proof, checklist, plan with its application, restore, and what to take away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st

from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.store import Store
from data.provisioning import policies, provision, templates
from data.provisioning.account import look_up
from data.provisioning.drift import Check, Level, Step, Target
from data.provisioning.lambdas import Clients, Proof, proofs, unreachable
from data.provisioning.provision import Look, Plan, State
from data.schema import TABLES
from queries import source
from ui.components import markup
from ui.components.markup import Html
from ui.shell import sign_in
from ui.shell.page import KEPT, Page, forget, recheck
from wording import formats

_GREEN, _AMBER, _RED, _GREY = "#2e8b57", "#b8860b", "#d1453b", "#7f8790"
_LEVELS: dict[Level, tuple[str, str]] = {
    "ok": (_GREEN, "ok"),
    "building": (_AMBER, "being built"),
    "recommended": (_AMBER, "recommended"),
    "unchecked": (_AMBER, "not checked"),
    "not_offered": (_GREY, "not offered here"),
    "missing": (_RED, "to do"),
    "blocked": (_RED, "blocked"),
}
_STATES: dict[State, str] = {
    "running": "working",
    "waiting": "waiting",
    "done": "✓ done",
    "already": "✓ was so already",
    "not_offered": "- not done",
    "failed": "✕ failed",
    "skipped": "✕ skipped",
}
_LINKS = ("Lambda", "Variable", "Table", "Keys", "Role")
_SEEN = f"{KEPT}setup"
_LOOKS = f"{KEPT}looks"
_APPLIED = "_applied"
_RESTORED = "_restored"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was compared, once: it stays on screen until it is asked for anew or something was applied."""

    plan: Plan
    proofs: tuple[Proof, ...]
    at: datetime

    @property
    def steps(self) -> tuple[Step, ...]:
        """The tables' steps, then the Lambdas'."""
        return (*self.plan.steps, *(step for proof in self.proofs for step in proof.steps))


def seen(store: Store) -> Seen:
    """The comparison, kept in the session; Failure when AWS does not answer."""
    if _SEEN not in st.session_state:
        with st.spinner("Comparing with the account…", show_time=True):
            plan = provision.plan(store)
            clients = _clients()
            chains = (
                unreachable(store, clients) if isinstance(clients, Failure) else proofs(store, clients, plan.checks)
            )
        st.session_state[_SEEN] = Seen(plan, chains, datetime.now(UTC))
    kept: Seen = st.session_state[_SEEN]
    return kept


def proof(chains: Sequence[Proof]) -> None:
    """Lambda -> variable -> table -> keys -> role, red at the link that is broken."""
    rows = []
    for chain in chains:
        links = {link.subject: link for link in chain.links}
        name = Html(f"<b>{markup.inline(chain.function.label)}</b>")
        rows.append([name, *(_link(links.get(subject)) for subject in _LINKS)])
    markup.show(markup.table(["", *_LINKS], rows, "From each Lambda to its table"))


def checklist(checks: Sequence[Check], page: Page) -> None:
    """Every declared property of both tables and how it stands."""
    for target in dict.fromkeys(check.target for check in checks):
        markup.show(markup.heading(target.name))
        rows = [
            [markup.inline(check.subject), _level(check.level), markup.inline(_fact(check, page))]
            for check in checks
            if check.target == target
        ]
        markup.show(markup.table(["What", "State", "Fact"], rows, f"Checklist of {target.name}"))


def plan(store: Store, steps: Sequence[Step], page: Page, *, key: str) -> None:
    """The steps, the look before an index, and Apply with its results as they happen."""
    _last_results(key)
    if not steps:
        st.text("No steps: the account is as declared.")
        return
    recommended = any(not step.required for step in steps)
    with_recommended = not recommended or st.toggle("Also what is only recommended", value=True, key=f"{key}_all")
    chosen = [step for step in steps if step.required or with_recommended]
    rows = [
        [
            Html(str(n)),
            markup.inline(step.what),
            markup.inline(step.why),
            markup.inline(step.cost),
            markup.inline(step.undo),
        ]
        for n, step in enumerate(chosen, 1)
    ]
    markup.show(markup.table(["", "Step", "Why", "Effect on cost", "Can it be undone?"], rows, "The plan"))
    if not chosen:
        return
    if not page.settings.allow_changes:
        st.info(
            "This dashboard only reads. To let it apply the plan, start it with BANDUP_ALLOW_CHANGES=1.",
            title="Read-only",
        )
        return
    accepted = _look_first(store, [step for step in chosen if step.action == "index"], key)
    account = _account_typed(page, key)
    if st.button(
        f"Apply {formats.count(len(chosen), 'step')}", key=f"{key}_apply", disabled=not (accepted and account)
    ):
        _apply(store, chosen, key)


def restore(store: Store, checks: Sequence[Check], page: Page) -> None:
    """A table as it was at a time, to a new table; then what that did not bring along."""
    windows = {
        check.target.name: check
        for check in checks
        if check.pitr and check.pitr.enabled and check.pitr.earliest and check.pitr.latest
    }
    if not windows:
        st.text("There is nothing to restore from: point-in-time recovery is on for no table here.")
    else:
        _restore_form(store, windows, page)
    if _RESTORED in st.session_state:
        _restored(store, page)


def take_away(store: Store) -> None:
    """Commands, template and policies as text."""
    settings = store.settings
    try:
        facts = store.facts(TABLES[0])
        region, account = facts.region, facts.account
    except Failure:
        region, account = "${AWS_REGION}", "${AWS_ACCOUNT_ID}"
    texts = {
        "AWS CLI commands for a new account": (templates.cli(settings), "bash"),
        "CloudFormation template": (templates.cloudformation(settings), "json"),
        "Policy for the Lambda functions": (policies.lambdas(settings, region, account), "json"),
        "Policy for this dashboard, read only": (policies.dashboard(settings, region, account), "json"),
        "Policy for marking jobs as failed": (policies.marking(settings, region, account), "json"),
        "Policy for this Setup page": (policies.setup(settings, region, account), "json"),
    }
    for name, (content, language) in texts.items():
        with st.expander(name):
            if "Lambda" in name:
                st.text(
                    "The specification's policy, plus the second statement: a Query on an index needs the index's ARN, "
                    "which the specification's policy lacks."
                )
            if "Setup" in name:
                st.text(
                    "A restore also asks for reading and writing on the new table: dynamodb:PutItem, UpdateItem, "
                    "DeleteItem, GetItem, Query, Scan and BatchWriteItem. Add these, and the new table's name to the "
                    "first statement, for as long as you restore."
                )
            if "read only" in name:
                st.text(
                    "Scan is used only after a click: where an index is missing, and to count what no list shows. "
                    "Leave it out to rule that out."
                )
            st.code(content, language=language, wrap_lines=True, height=400 if content.count("\n") > 25 else "content")


def _link(link: Check | None) -> Html:
    if link is None:
        return markup.inline("")
    return Html(f"{_level(link.level)}<div>{markup.inline(link.fact)}</div>")


def _level(level: Level) -> Html:
    colour, word = _LEVELS[level]
    return Html(f'<span style="white-space:nowrap">{markup.dot(colour)}{markup.inline(word)}</span>')


def _fact(check: Check, page: Page) -> str:
    if not check.pitr or not check.pitr.enabled:
        return check.fact
    first, last = (formats.exact(moment, page.zone) for moment in (check.pitr.earliest, check.pitr.latest))
    return f"{check.fact}; restorable from {first} to {last}"


def _clients() -> Clients | Failure:
    try:
        return source.clients()
    except Failure as failure:
        return failure


def _look_first(store: Store, steps: Sequence[Step], key: str) -> bool:
    """For each index to be added: has somebody looked, and accepted what was found?"""
    if not steps:
        return True
    looks: dict[str, Look] = st.session_state.setdefault(_LOOKS, {})
    missing = [step for step in steps if step.what not in looks]
    if missing:
        st.text(
            "Before an index is added, look at a sample of the records: those without its key attributes would not be "
            "in it, and once it exists DynamoDB refuses writes in which they are of another type."
        )
        if st.button("Look at up to 1,000 records of each table", key=f"{key}_look"):
            sign_in.require_ops("look at the records")
            with st.spinner("Reading a sample…", show_time=True):
                for step in missing:
                    looks[step.what] = provision.look(store, step)
            st.rerun()
        return False
    # A list, so that every question is on the page even when the first one is not answered.
    return all([_accepted(step, looks[step.what], key) for step in steps])  # noqa: C419


def _accepted(step: Step, look: Look, key: str) -> bool:
    whole = "all" if look.whole else "a sample of"
    st.text(
        f"{step.detail} on {step.target.name}: looked at {whole} {look.sampled:,} records, {formats.cost(look.cost)}."
    )
    if not look.warns:
        return True
    for attribute, count in look.missing.items():
        st.text(f"⚠ {count:,} of {look.sampled:,} have no {attribute}: they would not be in the index.")
    for attribute, count in look.wrong.items():
        st.text(
            f"⚠ {count:,} of {look.sampled:,} have a {attribute} of another type: once the index exists, DynamoDB "
            "refuses such writes of the Lambdas."
        )
    markup.show(markup.bullets(markup.inline(example) for example in look.examples))
    return st.checkbox(f"Add {step.detail} all the same", key=f"{key}_accept_{step.target.name}_{step.detail}")


def _account_typed(page: Page, key: str) -> bool:
    """On real AWS, the account id has to be typed before anything is changed."""
    if not page.settings.real_aws:
        return True
    account = source.account()
    typed = st.text_input(f"Type the account id ({account}) to allow the change", key=f"{key}_account", max_chars=12)
    return typed.strip() == account


def _apply(store: Store, chosen: Sequence[Step], key: str) -> None:
    who = sign_in.require_ops("apply the plan").name
    clients = _clients()
    results: list[tuple[str, str]] = []
    with budget.lifted(), st.status("Applying the plan…", expanded=True) as box:
        try:
            line = st.empty()
            for event in provision.apply(
                store, chosen, who=who, clients=clients if isinstance(clients, Clients) else None
            ):
                shown = f"{_STATES[event.state]} · {event.step.what}"
                shown += f" · {event.message}" if event.state != "running" else ""
                line.text(shown)
                if event.state not in ("running", "waiting"):
                    results.append((event.state, shown))
                    line = st.empty()
                elif event.message.startswith("still"):
                    results.append((event.state, shown))
            failed = sum(state in ("failed", "skipped") for state, _ in results)
            box.update(label="Applied" if not failed else "Applied in part", state="error" if failed else "complete")
        except Failure as failure:
            results.append(("failed", f"✕ {failure}"))
            box.update(label="Nothing was changed", state="error")
    st.session_state[_APPLIED] = (key, results)
    forget()
    st.rerun()


def _last_results(key: str) -> None:
    """What the last Apply did, until the next one."""
    owner, results = st.session_state.get(_APPLIED, ("", []))
    if owner != key or not results:
        return
    with st.container(border=True):
        st.text("The last application:")
        for _, line in results:
            st.text(line)


def _restore_form(store: Store, windows: dict[str, Check], page: Page) -> None:
    name = st.selectbox("Table to restore", list(windows), key="restore_table")
    window = windows[name].pitr
    if window is None or window.earliest is None or window.latest is None:
        return
    first, last = (moment.astimezone(page.zone).replace(tzinfo=None) for moment in (window.earliest, window.latest))
    latest = st.toggle("As it is now, or nearly", value=True, key="restore_latest")
    at = None
    if not latest:
        picked = st.datetime_input(
            f"As it was at ({page.zone.key})", value=last, min_value=first, max_value=last, key="restore_at"
        )
        at = picked.replace(tzinfo=page.zone) if picked else None
    target = st.text_input("Name of the new table", value=f"{name}-restored", key="restore_name", max_chars=255)
    if not page.settings.allow_changes:
        st.text("Read-only: start the dashboard with BANDUP_ALLOW_CHANGES=1 to restore.")
        return
    typed = _account_typed(page, "restore")
    if st.button("Restore to the new table", key="restore_go", disabled=not typed or (not latest and at is None)):
        who = sign_in.require_ops("restore a table").name
        provision.restore(store, name, target.strip(), at, who=who)
        st.session_state[_RESTORED] = (windows[name].target.table, target.strip())
        st.rerun()


def _restored(store: Store, page: Page) -> None:
    table, name = st.session_state[_RESTORED]
    target = Target(table, name)
    markup.show(markup.heading(f"After the restore to {name}", 3))
    found = provision.plan(store, [target])
    first = next(check for check in found.checks if check.subject == "Table")
    if first.level in ("building", "missing"):
        _follow(store, name, page)
        return
    st.text(
        "A restore brings the records and the indexes. It does not bring tags, point-in-time recovery or deletion "
        "protection. The plan below does. Nothing uses the new table until you name it to the Lambdas and to the "
        f"dashboard in {table.variable}."
    )
    checklist(found.checks, page)
    plan(store, found.steps, page, key="restored")


@st.fragment(run_every="3s")
def _follow(store: Store, name: str, page: Page) -> None:
    """The progress of a restore, until the table is there."""
    if not recheck().visitor.is_ops:
        st.rerun()
    with page.part("The progress of the restore"):
        actual = look_up(store, name)
        if actual is not None and actual.status == "ACTIVE":
            st.rerun()
        state = "not there yet" if actual is None else actual.status
        st.text(f"◔ {state}. Restores take minutes to hours; this waits along.")
