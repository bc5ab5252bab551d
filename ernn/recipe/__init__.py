"""Recipes: everything a user can set, in one TOML file, validated once and all at once.

A module for each section: what depends on one section does not depend on the others.
"""

from ernn.recipe.hardware import MAX_STREAMS, HardwareRecipe, SimulationRecipe
from ernn.recipe.model import BLOCK_SIZES, MATRICES, BlockSize, LayerRecipe, ModelRecipe
from ernn.recipe.quantization import BITS, QuantizationRecipe
from ernn.recipe.recipe import NAME, Recipe
from ernn.recipe.section import Section
from ernn.recipe.source import SourceRecipe
from ernn.recipe.speech import CorpusRecipe, FeatureRecipe
from ernn.recipe.task import TaskRecipe
from ernn.recipe.training import CompressionRecipe, TrainingRecipe

__all__ = [
    "BITS",
    "BLOCK_SIZES",
    "MATRICES",
    "MAX_STREAMS",
    "NAME",
    "BlockSize",
    "CompressionRecipe",
    "CorpusRecipe",
    "FeatureRecipe",
    "HardwareRecipe",
    "LayerRecipe",
    "ModelRecipe",
    "QuantizationRecipe",
    "Recipe",
    "Section",
    "SimulationRecipe",
    "SourceRecipe",
    "TaskRecipe",
    "TrainingRecipe",
]
