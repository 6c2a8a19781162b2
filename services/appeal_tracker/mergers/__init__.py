"""What a unit has open goes to the one that it merged into."""
