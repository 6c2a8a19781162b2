"""The ways out: one port, and an adapter for each provider."""
