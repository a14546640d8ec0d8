"""The stages of a build, in their order."""

from connectome.pipeline.stages.assign import AssignStage
from connectome.pipeline.stages.label import LabelStage, RelabelStage
from connectome.pipeline.stages.predict import PredictStage
from connectome.pipeline.stages.stitch import StitchStage
from connectome.pipeline.stages.synapses import DeduplicateStage, EdgesStage

STAGES = (PredictStage, LabelStage, StitchStage, RelabelStage, AssignStage, DeduplicateStage, EdgesStage)
