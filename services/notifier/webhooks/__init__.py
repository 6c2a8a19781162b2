"""Webhooks for integrators, by Standard Webhooks: what is heard on the topics, told to whoever subscribed to it."""
