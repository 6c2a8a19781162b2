"""What customers said, sealed: fetched after the fact, searched, and read by whoever may."""
