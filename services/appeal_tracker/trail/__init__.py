"""Who read what was said about hidden appeals, for those who audit."""
