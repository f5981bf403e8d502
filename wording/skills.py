"""What each skill is called, and its colour; what each criterion is about."""

from data.schema import TYPES

SKILL_NAMES = {skill: skill.capitalize() for skill in TYPES}
# Okabe and Ito's colours for colour-blind readers, https://jfly.uni-koeln.de/color/
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SKILL_COLOURS = {skill: _COLOURS[n % len(_COLOURS)] for n, skill in enumerate(TYPES)}
*_FIRST, _LAST = SKILL_NAMES.values()
ALL_NAMES = f"{', '.join(_FIRST)} and {_LAST}"
"""The names of all skills in a sentence."""
ALL_SKILLS = "Both" if len(TYPES) == 2 else "All"
CRITERION_MEANINGS = {
    "task_achievement_band": "answering exactly what was asked",
    "coherence_band": "putting ideas in a clear order",
    "lexical_band": "a wide choice of fitting words",
    "grammar_band": "varied and correct sentences",
    "fluency_band": "speaking without long pauses",
    "pronunciation_band": "speaking so that everybody understands",
}
"""What each criterion is about, in plain words."""
