"""What each skill is called, and its colour."""

from data.schema import SPEAKING, WRITING

SKILL_NAMES = {WRITING: "Writing", SPEAKING: "Speaking"}
# Okabe and Ito's colours for colour-blind readers, https://jfly.uni-koeln.de/color/
SKILL_COLOURS = {WRITING: "#0072B2", SPEAKING: "#D55E00"}
