"""What is large in recorded bodies, kept once for each organisation outside the rows that name it."""
