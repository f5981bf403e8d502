"""A table restored to a new one: from when, its progress, and the plan for what a restore does not bring along."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

import streamlit as st

from data.dynamodb import budget
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning import drill
from data.provisioning.account import look_up
from data.provisioning.drift import Check, Target
from data.provisioning.plan import plan
from data.provisioning.restore import restore, restored_from
from queries import source
from ui.components import markup
from ui.setup.comparison import checklist
from ui.setup.plan import confirm_account, show_plan, still_ops
from ui.shell.boundary import part
from ui.shell.clock import Clock
from ui.shell.sign_in import require_ops
from wording import account, failures, formats

_RESTORED, _DRILLS = "_restored", "_drills"
_SEEN = "_restored_seen"
"""Session key: the name of the restored table, once it has been there."""
_IN_DOUBT = "_restored_in_doubt"
"""Session key: the name of a table of which AWS did not say whether it is being restored."""


@dataclass(slots=True)
class _Drilling:
    """A drill under way; `lines` are what it came to.

    They are kept here, not in the session's state, which may not be written to any more once somebody has clicked.
    """

    target: Target
    copy: str
    lines: list[str] = field(default_factory=list)
    was_there: bool = False
    comparing: Lock = field(default_factory=Lock)
    """Held while it is compared: a click meanwhile runs the page again beside it."""

    def compare(self, store: Store, who: str) -> None:
        """Compare the copy, once: whatever comes of it, the tables have been read and the copy stays.

        With each page that is read it asks whether who looks is still ops.
        """
        region, settings, name = store.client.meta.region_name, store.settings, self.target.name
        why = "Comparing was stopped; the log has the reason."
        try:
            result = drill.compare(store, self.target, self.copy, who=who, ask=lambda: require_ops("compare tables"))
            self.lines = account.drill(result, region, settings)
        except Failure as failure:
            why = failures.sentences(failure)
            raise
        finally:
            self.lines = self.lines or account.drill_unfinished(name, self.copy, why, region, settings)


def show_restore(store: Store, checks: Sequence[Check], clock: Clock) -> None:
    """A table as it was at a time, to a new table; then what that did not bring along."""
    restorable = {
        check.target.name: check
        for check in checks
        if check.pitr and check.pitr.enabled and check.pitr.earliest and check.pitr.latest
    }
    others = [
        [check for check in checks if check.target == target]
        for target in dict.fromkeys(check.target for check in checks)
        if target.name not in restorable
    ]
    if not restorable and all(map(_is_off, others)):
        st.text("There is nothing to restore from: point-in-time recovery is on for no table here.")
    else:
        for of_table in others:
            st.text(account.not_restorable(of_table))
    if restorable:
        _form(store, restorable, clock)
        st.subheader("Restore drill", anchor=False)
        with part("The restore drill"):
            _drill(store, restorable, clock)
    if _RESTORED in st.session_state:
        _after(store, clock)


def _is_off(checks: Sequence[Check]) -> bool:
    """Whether there is no table, or one without point-in-time recovery: not where that is only not known."""
    return any(
        check.subject == "Point-in-time recovery" and check.level == "missing" and not check.pitr for check in checks
    )


def _form(store: Store, restorable: Mapping[str, Check], clock: Clock) -> None:
    name = st.selectbox("Table to restore", list(restorable), key="restore_table")
    window = restorable[name].pitr
    if window is None or window.earliest is None or window.latest is None:
        return
    first, last = (moment.astimezone(clock.zone).replace(tzinfo=None) for moment in (window.earliest, window.latest))
    latest = st.toggle("Latest restorable time", value=True, key="restore_latest")
    at = None
    if not latest:
        picked = st.datetime_input(
            f"Restore to point in time ({clock.zone.key})",
            value=last,
            min_value=first,
            max_value=last,
            key="restore_at",
        )
        at = picked.replace(tzinfo=clock.zone) if picked else None
        if at and (note := _clocks_change(at)):
            st.text(note)
    target = st.text_input("New table name", value=f"{name}-restored", key=f"restore_name_{name}", max_chars=255)
    if not source.settings().allow_changes:
        st.text("Read-only: start the dashboard with BANDUP_ALLOW_CHANGES=1 to restore.")
        return
    st.text(account.restore_cost(source.facts(restorable[name].target.table), store.settings))
    confirmed = confirm_account("restore")
    if st.button("Restore", key="restore_go", disabled=not confirmed or (not latest and at is None)):
        who, before = still_ops().name, st.session_state.get(_RESTORED)
        # Not after it: the second click of two ends this run, and is refused because of the first.
        st.session_state[_RESTORED] = new = Target(restorable[name].target.table, target.strip())
        try:
            restore(store, name, new.name, at, who=who)
        except Failure as failure:
            if failure.case == "restore_in_doubt":
                # If it has begun, its table shows: to ask for it again would be refused, and leave it without its plan.
                st.session_state[_IN_DOUBT] = new.name
            else:
                _follow_again(before)
                raise
        st.session_state.pop(_SEEN, None)
        st.rerun()


def _follow_again(before: Target | None) -> None:
    """Go back to the restore before one that was refused."""
    if before is None:
        del st.session_state[_RESTORED]
    else:
        st.session_state[_RESTORED] = before


def _clocks_change(at: datetime) -> str:
    """Which moment is meant by a time that comes twice, or not at all, as the clocks change; empty for any other."""
    if at.utcoffset() == at.replace(fold=1).utcoffset():
        return ""
    return f"The clocks change then: {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC is meant."


def _after(store: Store, clock: Clock) -> None:
    """The plan for what a restore has left out, once the new table is there."""
    target: Target = st.session_state[_RESTORED]
    markup.show(markup.heading(f"After the restore to {target.name}", 3))
    compared = plan(store, [target])
    table = next(check for check in compared.checks if check.subject == "Table")
    if table.level in ("building", "missing"):
        _follow(store, target.name)
        return
    st.session_state[_SEEN] = target.name
    with part("What was restored"):
        origin, at = restored_from(store, target.name)
        as_of = f"as of {formats.zoned(at, clock.zone)}" if at else "as of a time that AWS does not tell"
        st.text(f"{target.name} is {origin or 'another table'} {as_of}.")
    st.text(
        "A restore brings the records and the indexes. It does not bring tags, point-in-time recovery or deletion "
        "protection. The plan below does. Nothing uses the new table until you name it to the Lambdas and to the "
        f"dashboard in {target.table.variable}."
    )
    checklist(compared.checks, clock)
    show_plan(store, compared.steps, key="restored")


@st.fragment(run_every="3s")
def _follow(store: Store, name: str) -> None:
    """The progress of a restore, until the table is there."""
    still_ops()
    with part("The progress of the restore"):
        actual = look_up(store, name)
        if actual is not None:
            st.session_state[_SEEN] = name
        elif st.session_state.get(_SEEN) == name:
            st.text(f"There is no table {name} any more.")
            return
        if actual is not None and actual.status == "ACTIVE":
            st.rerun()
        if actual is None and st.session_state.get(_IN_DOUBT) == name:
            st.text("◔ AWS did not say whether the restore has begun. If this is here in some minutes, it has not.")
            return
        state = "not there yet" if actual is None else actual.status
        st.text(f"◔ {state}. Restores take minutes to hours; this page updates automatically.")


def _drill(store: Store, restorable: Mapping[str, Check], clock: Clock) -> None:
    """The newest state of a table restored to a copy and compared with it; the last result of each."""
    name = st.selectbox("Table to test", list(restorable), key="drill_table")
    target = restorable[name].target
    st.text(account.drill_cost(source.facts(target.table), store.settings))
    if not source.settings().allow_changes:
        st.text("Read-only: start the dashboard with BANDUP_ALLOW_CHANGES=1 to run a drill.")
        return
    confirmed = confirm_account("drill")
    if st.button("Run restore drill", key="drill_go", disabled=not confirmed):
        copy = drill.begin(store, target, who=still_ops().name, now=clock.now)
        # A drill of the other table goes on: its copy costs money, and its result is waited for.
        st.session_state[_DRILLS] = {**st.session_state.get(_DRILLS, {}), name: _Drilling(target, copy)}
    drills: Mapping[str, _Drilling] = st.session_state.get(_DRILLS, {})
    for drilling in drills.values():
        if not drilling.lines:
            _follow_drill(store, drilling)
        for line in drilling.lines:
            st.text(line)


@st.fragment(run_every="3s")
def _follow_drill(store: Store, drilling: _Drilling) -> None:
    """The progress of a drill, until its copy is there and compared."""
    who = still_ops().name
    with part("The restore drill"):
        if drilling.lines:
            st.rerun()
        try:
            restored = drill.is_restored(store, drilling.copy, was_there=drilling.was_there)
        except Failure as failure:
            if failure.case != "copy_gone":
                raise
            drilling.lines = [failures.sentences(failure)]
            st.rerun()
        drilling.was_there = drilling.was_there or restored is not None
        if not restored:
            st.text(
                f"◔ {drilling.copy} is being restored. Restores take minutes to hours; this page updates automatically."
            )
            return
        if not drilling.comparing.acquire(blocking=False):
            st.text(f"◔ {drilling.copy} is being compared.")
            return
        try:
            with budget.lifted(), st.spinner("Comparing…", show_time=True):
                drilling.compare(store, who)
        finally:
            drilling.comparing.release()
        st.rerun()
