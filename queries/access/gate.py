"""Who is looking, with which role, and whose work they may see: asked by pages, fragments, downloads and changes.

What cannot be decided is refused.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from analysis.phrases import RecurringFeedback
from data.roster import Roster
from queries.once import Once

Role = Literal["teacher", "ops"]
Way = Literal["sign in", "sign out"]

_LOCAL = "a user of the dashboard, not signed in"


class Refused(Exception):
    """The visitor may not see or do this; the message is a sentence, `way` what would help."""

    def __init__(self, message: str, way: Way | None = None) -> None:
        super().__init__(message)
        self.way = way


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may look. `email` is None without sign-in; `classes` is None for every student."""

    email: str | None
    role: Role
    classes: frozenset[str] | None = None

    @property
    def is_ops(self) -> bool:
        """Whether they may see Setup and change things."""
        return self.role == "ops"

    @property
    def name(self) -> str:
        """Who it is, for the log of changes."""
        return self.email or _LOCAL

    @property
    def teaches(self) -> str:
        """Who it is as a teacher, for paper; empty for ops and without sign-in."""
        return self.email or "" if not self.is_ops else ""

    @property
    def described(self) -> str:
        """Role and classes in words."""
        if self.classes is None:
            return self.role
        return f"{self.role} of {', '.join(sorted(self.classes, key=str.casefold)) or 'no class'}"

    def require_ops(self, what: str) -> None:
        """Refused unless they are ops; `what` is what only ops may do."""
        if not self.is_ops:
            raise Refused(f"Only ops may {what}. Your role is {self.described}.")

    def may_see(self, user_id: object, roster: Roster) -> bool:
        """Whether they may see this student's work. `roster` is the server's own, never an uploaded one."""
        if self.classes is None:
            return True
        student = roster.students.get(user_id) if isinstance(user_id, str) else None
        return student is not None and student.class_name in self.classes


@dataclass(frozen=True)
class Gate:
    """What a visitor may see of students' work. `roster` is the server's own, never an uploaded one."""

    visitor: Visitor
    roster: Roster

    def admits(self, user_id: object) -> bool:
        """Whether the visitor may see this student's work."""
        return self.visitor.may_see(user_id, self.roster)

    @cached_property
    def members(self) -> frozenset[str] | None:
        """The students whose work the visitor may see; None for all."""
        if self.visitor.classes is None:
            return None
        return frozenset(user_id for user_id in self.roster.students if self.admits(user_id))

    def filter(self, value: Any) -> Any:
        """What the visitor may see of rows with a user_id, of those yet to be made, of records, or of a dict by Key."""
        if self.members is None or value is None:
            return value
        if isinstance(value, Once):
            return Once(lambda: self.filter(value()), is_final=True)
        if isinstance(value, pd.DataFrame):
            return value[value["user_id"].isin(self.members)].reset_index(drop=True)
        if isinstance(value, dict):
            return {key: kept for key, kept in value.items() if self.admits(key.user_id)}
        if isinstance(value, list):
            return [record for record in value if self.admits(record.user_id)]
        # Phrases of records whose keys were of students that the visitor may see.
        if isinstance(value, RecurringFeedback):
            return value
        # Anything else must be one record: what says nothing of a student cannot be held against the classes.
        return value if self.admits(value.user_id) else None
