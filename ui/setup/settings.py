"""Where each setting comes from: a variable, the .env file, secrets.toml, or the default. No secret's value."""

import os

from markupsafe import Markup

from data import environment
from data.environment import Setting
from queries.access.rules import AccessError
from ui.components import markup
from ui.shell import sign_in

_NOT_SHOWN = "not shown"


def show_settings() -> None:
    """All settings with their origins, then the sections of secrets.toml."""
    rows = [[setting.name, _value(setting), _origin(setting)] for setting in environment.origins(os.environ)]
    markup.show(markup.table(["Setting", "Value", "Set in"], rows, "Settings and where they are set"))
    try:
        sections = sign_in.sections()
    except AccessError as error:
        markup.show(markup.paragraph(str(error)))
        return
    if not sections:
        markup.show(markup.paragraph("There is no secrets.toml, so nobody signs in."))
        return
    secrets = [[f"[{name}]", _NOT_SHOWN, path] for name, path in sections.items()]
    markup.show(markup.table(["Section", "Value", "Set in"], secrets, "Sections of secrets.toml"))


def _value(setting: Setting) -> str:
    return _NOT_SHOWN if setting.value is None else setting.value or "–"


def _origin(setting: Setting) -> str | Markup:
    origin = {"": "default", "environment": "environment variable"}.get(setting.origin, setting.origin)
    remarks = []
    if setting.origin and not setting.is_read:
        remarks.append("not used: see BANDUP_SOURCE and AWS_REGION")
    if setting.overruled:
        remarks.append(f"comes before the one in {setting.overruled}")
    return markup.joined([origin, *map(markup.quiet, remarks)]) if remarks else origin
