"""Planning and running: names no operation, asks them all."""

from imageplane.pipeline.drawing import Drawing, NamedCrop, draw
from imageplane.pipeline.estimate import estimate
from imageplane.pipeline.plan import Output, Plan, Step
from imageplane.pipeline.planner import plan
from imageplane.pipeline.runner import Execution, Options, Picture, SmartCrop, execute, explain
from imageplane.pipeline.together import Wish, execute_together

__all__ = [
    "Drawing",
    "Execution",
    "NamedCrop",
    "Options",
    "Output",
    "Picture",
    "Plan",
    "SmartCrop",
    "Step",
    "Wish",
    "draw",
    "estimate",
    "execute",
    "execute_together",
    "explain",
    "plan",
]
