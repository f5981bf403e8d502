"""The way to a student's records: Students / class / name, above the heading of their pages."""

from markupsafe import Markup

from data.roster import Student
from ui.components import markup
from ui.shell.navigation import OVERVIEW, STUDENT, href


def of_student(student: Student, *, here: bool = False) -> Markup:
    """Links to the list, to the class and to the student; `here` is the student's own page."""
    name = student.label
    steps: list[str] = [markup.anchor(href(OVERVIEW), "Students")]
    if student.class_name:
        steps.append(markup.anchor(href(OVERVIEW, **{"class": student.class_name}), student.class_name))
    steps.append(name if here else markup.anchor(href(STUDENT, user_id=student.user_id), name))
    return markup.breadcrumb(steps)
