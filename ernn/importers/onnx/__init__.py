"""ONNX files: the largest chain of a graph that ernn can build, and what is around it."""
