"""Callbacks: the customer is asked once the answer was given."""
