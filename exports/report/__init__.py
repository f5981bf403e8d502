"""The report for a parent: its words, and the same as PDF and as a page to print."""
