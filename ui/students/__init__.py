"""The parts of the pages about students: class, profile, records, flashcards."""
