"""Deliveries: who is told of what by which channel; sends: what a provider is handed; and the loops that move them."""
