"""Planning and running: names no operation, asks them all."""

from imageplane.pipeline.plan import Output, Plan, Step
from imageplane.pipeline.planner import plan
from imageplane.pipeline.runner import Execution, Options, Picture, execute, explain

__all__ = ["Execution", "Options", "Output", "Picture", "Plan", "Step", "execute", "explain", "plan"]
