"""The parts of the Jobs page."""
