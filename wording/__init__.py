"""How numbers, times, failures and progress are put into words, on screen, on paper and in a terminal."""
