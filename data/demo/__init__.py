"""The embedded engine and its invented people; never imported where real tables are read."""
