"""The local stack: one command starts PostgreSQL, the bus and the services on one machine, and stops them all."""
