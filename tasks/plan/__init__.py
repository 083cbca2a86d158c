"""The plan: jobs → items → shards, frozen before any work is paid for."""

from tasks.plan.draft import Draft, draw_up
from tasks.plan.freeze import PlanConflict, freeze, load_plan
from tasks.plan.model import FitTask, Item, Plan, PlannedJob, Reuse, Shard

__all__ = [
    "Draft",
    "FitTask",
    "Item",
    "Plan",
    "PlanConflict",
    "PlannedJob",
    "Reuse",
    "Shard",
    "draw_up",
    "freeze",
    "load_plan",
]
