"""What Data quality says of a period: its issues, the records to look into, its models. Worked out once for each read.

A click works out nothing that was worked out before, and of a large school makes no frame of records.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import pandas as pd

from analysis import consistency, models
from analysis.models import Shift, Takeover
from data.dynamodb.reads import Read
from data.schema import EVALUATIONS, FLASHCARD_SETS, TYPES, Table
from queries.once import Once, Same
from queries.session import Session

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Issues:
    """Findings, newest first, among so many `evaluations` and `sets`: None where they could not be read."""

    rows: pd.DataFrame
    evaluations: int | None
    sets: int | None

    @cached_property
    def kinds(self) -> pd.DataFrame:
        """A row per kind, as consistency.by_kind has them."""
        return consistency.by_kind(self.rows)

    @cached_property
    def records(self) -> Counter[str]:
        """How many records have a finding of each group."""
        groups = {kind: consistency.describe(kind).group for kind in self.rows["kind"].unique()}
        of_group = self.rows.assign(group=self.rows["kind"].map(groups))
        return Counter(of_group.drop_duplicates(["group", "table", "id", "user_id"])["group"])

    @cached_property
    def students(self) -> frozenset[str]:
        """Whom they are about."""
        return frozenset(self.rows["user_id"].dropna())

    def of(self, kind: str) -> pd.DataFrame:
        """Those of one kind."""
        return self.rows[self.rows["kind"] == kind].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class Models:
    """Bands by model; of each skill the bands over time, and what each takeover did to them.

    `others` is how many models are not compared, as models.most_used has it.
    """

    table: pd.DataFrame
    over_time: dict[str, pd.DataFrame]
    shifts: dict[str, list[tuple[Takeover, Shift]]]
    others: int


@dataclass(frozen=True, slots=True)
class Records:
    """The records of the last `days` of both tables, as the visitor may see them; None of what could not be read."""

    session: Session
    days: int
    evaluations: Read[Once[pd.DataFrame]] | None
    sets: Read[Once[pd.DataFrame]] | None

    def issues(self, whole: pd.DataFrame | None = None) -> Issues:
        """What is wrong in the lists, and the findings in `whole` records where these were looked into."""

        def make() -> Issues:
            evaluations, sets = (None if read is None else read.value() for read in (self.evaluations, self.sets))
            findings = [] if whole is None else [whole]
            if evaluations is not None:
                findings.append(consistency.in_evaluations(evaluations))
            if sets is not None:
                findings.append(consistency.in_sets(sets))
            # What was read whole was read for the classes of that time.
            visible: pd.DataFrame = self.session.gate.filter(consistency.together(*findings))
            sizes = (None if rows is None else len(rows) for rows in (evaluations, sets))
            return Issues(visible, *sizes)

        return self._derive("issues", make, Same(whole))

    def keys(self, table: Table, most: int) -> tuple[list[tuple[str, str]], int]:
        """The keys of the newest `most` records of a table, and how many records have whole keys."""
        read = {EVALUATIONS: self.evaluations, FLASHCARD_SETS: self.sets}[table]
        if read is None:
            return [], 0

        def make() -> tuple[list[tuple[str, str]], int]:
            complete = read.value()[list(table.key_names)].dropna().drop_duplicates()
            return list(complete.head(most).itertuples(index=False, name=None)), len(complete)

        return self._derive("keys", make, table, most)

    def models(self, zone: str) -> Models | None:
        """The models compared, with days and weeks as they begin in `zone`; None where no evaluation could be read."""
        read = self.evaluations
        if read is None:
            return None

        def make() -> Models:
            rows, others = models.most_used(read.value())
            return Models(
                models.by_model(rows),
                {skill: models.over_time(rows, skill, zone) for skill in TYPES},
                {skill: models.shifts(rows, skill) for skill in TYPES},
                others,
            )

        return self._derive("models", make, zone)

    def _derive(self, name: str, make: Callable[[], T], *key: Hashable) -> T:
        read_at = (read and read.read_at for read in (self.evaluations, self.sets))
        return self.session.derive((name, self.days, *read_at, *key), make)
