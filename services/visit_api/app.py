"""The HTTP side of the service."""

from fastapi import FastAPI

from chassis.runtime import Runtime
from chassis.web import app
from visit_api.analysis.endpoints import router as analysis
from visit_api.appeals.endpoints import router as appeals
from visit_api.appointments.endpoints import router as appointments
from visit_api.archive.endpoints import router as archive
from visit_api.attachments.endpoints import ends, parts
from visit_api.attachments.endpoints import router as attachments
from visit_api.checklists.endpoints import router as checklists
from visit_api.contacts.endpoints import customers as removing
from visit_api.contacts.endpoints import router as contacts
from visit_api.customers.endpoints import router as customers
from visit_api.days.endpoints import router as days
from visit_api.directory.endpoints import router as directory
from visit_api.directory.models import Unit
from visit_api.importance.endpoints import router as importance
from visit_api.imports.endpoints import about, files
from visit_api.imports.endpoints import router as imports
from visit_api.leaving.endpoints import router as leaving
from visit_api.materials.endpoints import router as materials
from visit_api.measures.endpoints import router as measures
from visit_api.mergers.endpoints import router as mergers
from visit_api.obligations.endpoints import router as obligations
from visit_api.online.endpoints import router as online
from visit_api.plans.endpoints import router as plans
from visit_api.posts.endpoints import publishing
from visit_api.posts.endpoints import router as posts
from visit_api.profiles.endpoints import router as profiles
from visit_api.progress.endpoints import router as progress
from visit_api.proposals.endpoints import router as proposals
from visit_api.risks.endpoints import router as risks
from visit_api.rulebooks.endpoints import router as rulebooks
from visit_api.standard.endpoints import router as standard
from visit_api.steps.endpoints import router as steps
from visit_api.sync.endpoints import copies
from visit_api.sync.endpoints import router as sync
from visit_api.trail.endpoints import router as trail
from visit_api.visits.endpoints import router as visits


def create_app(runtime: Runtime) -> FastAPI:
    """The app, a router for each slice."""
    return app.create_app(
        runtime,
        title="visit_api",
        version="1",
        units=Unit,
        routers=[
            standard,
            directory,
            rulebooks,
            customers,
            files,
            imports,
            about,
            plans,
            contacts,
            removing,
            importance,
            risks,
            trail,
            visits,
            days,
            progress,
            appointments,
            checklists,
            obligations,
            appeals,
            attachments,
            ends,
            parts,
            materials,
            profiles,
            steps,
            proposals,
            online,
            posts,
            publishing,
            archive,
            measures,
            leaving,
            mergers,
            analysis,
            sync,
            copies,
        ],
    )
