"""Files to download: spreadsheets, Anki decks, the report for parents."""
