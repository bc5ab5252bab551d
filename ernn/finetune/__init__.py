"""Fine-tuning in the arithmetic of the integer model: what few bits lose is trained back."""
