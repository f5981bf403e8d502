"""Which students a list is of: a class and a skill, chosen on the page and kept in the address."""

from dataclasses import dataclass

from data.roster import Roster
from data.schema import TYPES
from queries.standings import NO_CLASS
from ui.components import filters
from ui.shell import address
from wording.skills import ALL_SKILLS, SKILL_NAMES

_WITHOUT = "No class"


@dataclass(frozen=True, slots=True)
class Choice:
    """Whom the reader wants to see. `class_name` and `skill` are None for all."""

    class_name: str | None
    skill: str | None

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills on screen."""
        return TYPES if self.skill is None else (self.skill,)

    @property
    def words(self) -> dict[str, str | None]:
        """Filters and what each is set to; None for all."""
        of_class = _WITHOUT if self.class_name == NO_CLASS else self.class_name
        return {"Class": of_class, "Skill": None if self.skill is None else SKILL_NAMES[self.skill]}


def choose(roster: Roster) -> Choice:
    """Which students to show: by class and skill, in the address."""
    classes = {"": "All", **{name: name for name in roster.classes}}
    if roster.classes and any(not student.class_name for student in roster.students.values()):
        classes[NO_CLASS] = _WITHOUT
    # Without classes there is nothing to choose, but a link that asks for one must not show all without a word.
    asks = bool(roster.classes or address.value("class"))
    class_name = filters.option("Class", classes, key="class", default="", width=180) if asks else ""
    skills = {filters.ALL: ALL_SKILLS, **SKILL_NAMES}
    skill = filters.choice("Skill", skills, key="of", default=filters.ALL)
    return Choice(class_name or None, None if skill == filters.ALL else skill)
