"""Who may look at whose work, and in which role; and where that is said."""
