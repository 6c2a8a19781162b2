"""What systems that send appeals mean by their codes, as data."""
