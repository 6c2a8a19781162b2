"""What the notifier has heard of the appeals and visits it writes about: enough to name them, and to know when a
message about them is no longer true."""
