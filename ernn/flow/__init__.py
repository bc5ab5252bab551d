"""The main job: the engine that runs steps, the steps, and what they hand to each other."""
