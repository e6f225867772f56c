"""Planning and running: names no operation, asks them all."""

from imageplane.pipeline.plan import Output, Plan, Step
from imageplane.pipeline.planner import plan
from imageplane.pipeline.runner import Execution, Options, Picture, SmartCrop, execute, explain

__all__ = ["Execution", "Options", "Output", "Picture", "Plan", "SmartCrop", "Step", "execute", "explain", "plan"]
