"""Orchestration only; deterministic."""

from workflows.order import OrderWorkflow

WORKFLOWS = [OrderWorkflow]
