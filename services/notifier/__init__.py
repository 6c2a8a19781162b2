"""notifier: tells the right people in time, each of them once, and never in quiet hours."""
