"""What may be said of a student in a skill: attempts, growth through noise, weakest criterion, progress."""
