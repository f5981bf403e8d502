"""Items of both tables as typed records and frames, and what departs from the specification."""
