"""What the parts of a feedback are called, in the one order in which they stand everywhere."""

from analysis.phrases import Kind

KINDS: dict[Kind, str] = {
    "weakness": "Weaknesses",
    "suggestion": "Suggestions",
    "strength": "Strengths",
    "remark": "By criterion",
}
"""What to improve first, then what is good, then what is said of each criterion."""
