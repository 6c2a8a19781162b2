"""The HTTP side of the service."""

from fastapi import FastAPI

from appeal_tracker.absences.endpoints import router as absences
from appeal_tracker.appeals.endpoints import router as appeals
from appeal_tracker.appeals.verbs import router as verbs
from appeal_tracker.audit.endpoints import router as audit
from appeal_tracker.calendars.endpoints import router as calendars
from appeal_tracker.callbacks.endpoints import router as callbacks
from appeal_tracker.callbacks.link_endpoints import router as links
from appeal_tracker.callbacks.link_route import ROUTES
from appeal_tracker.callbacks.task_endpoints import router as tasks
from appeal_tracker.clocks.endpoints import router as clocks
from appeal_tracker.directory.models import Unit
from appeal_tracker.explanations.endpoints import router as explanations
from appeal_tracker.policies.endpoints import router as policies
from appeal_tracker.recalculations.endpoints import router as recalculations
from appeal_tracker.simulations.endpoints import router as simulations
from appeal_tracker.sources.endpoints import router as sources
from appeal_tracker.statistics.endpoints import router as statistics
from appeal_tracker.trail.endpoints import router as trail
from appeal_tracker.visits.endpoints import router as visits
from chassis.runtime import Runtime
from chassis.web import app
from chassis.web.route import Router


def create_app(runtime: Runtime) -> FastAPI:
    """The app, a router for each slice."""
    page = Router()
    page.routes.extend(ROUTES)
    return app.create_app(
        runtime,
        title="appeal_tracker",
        version="1",
        units=Unit,
        routers=[
            calendars,
            policies,
            clocks,
            visits,
            sources,
            absences,
            appeals,
            verbs,
            explanations,
            callbacks,
            tasks,
            links,
            page,
            recalculations,
            simulations,
            statistics,
            audit,
            trail,
        ],
    )
