"""What people say and write in the course of a visit, in their own words: sealed where it is kept."""
