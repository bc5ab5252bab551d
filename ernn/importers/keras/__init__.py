"""Keras 3 models and their files, read without running anything of them."""
