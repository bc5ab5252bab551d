"""Acoustic models in torch: cells, training, compression by ADMM."""
