"""The HTTP side of the service."""

from fastapi import FastAPI

from chassis.runtime import Runtime
from chassis.web import app
from chassis.web.route import Router
from notifier.channels.endpoints import router as channels
from notifier.deliveries.endpoints import router as deliveries
from notifier.deliveries.receiving import ROUTE
from notifier.directory.endpoints import router as people
from notifier.directory.models import Unit
from notifier.routes.endpoints import router as routes
from notifier.templates.endpoints import router as templates
from notifier.webhooks.endpoints import router as webhooks


def create_app(runtime: Runtime) -> FastAPI:
    """The app, a router for each slice."""
    receipts = Router()
    receipts.routes.append(ROUTE)
    # The preview of routes is asked of the deliveries, and comes before a route by its id.
    routers = [deliveries, routes, people, templates, channels, webhooks, receipts]
    return app.create_app(runtime, title="notifier", version="1", routers=routers, units=Unit)
