"""What somebody who left, or changed post, had open goes to whoever took over their work."""
