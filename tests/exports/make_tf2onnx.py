"""Make the files beside this one: Keras models of random weights, exported by tf2onnx.

    pip install tensorflow-cpu==2.21.0 tf2onnx==1.17.0     # in an environment of their own
    python tests/exports/make_tf2onnx.py

Not run by tests, which read what it left: neither package is needed to work on ernn.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
import tf2onnx

HERE = Path(__file__).parent
STEPS, FEATURES, HIDDEN, SEED = 6, 5, 4, 7

MODELS = {
    "lstm": [keras.layers.LSTM(HIDDEN, return_sequences=True), keras.layers.Dense(3, "relu")],
    "gru": [keras.layers.GRU(HIDDEN, return_sequences=True), keras.layers.Dense(3)],
}


def main() -> None:
    """Write a file for each model, and what TensorFlow says of some frames."""
    told = {"tensorflow": tf.__version__, "tf2onnx": tf2onnx.__version__, "seed": SEED}
    frames = np.random.default_rng(SEED).standard_normal((STEPS, FEATURES)).astype(np.float32)
    for name, layers in MODELS.items():
        keras.utils.set_random_seed(SEED)
        model = keras.Sequential([keras.layers.Input((STEPS, FEATURES)), *layers])
        for layer in model.layers:  # biases of zeros would hide how they are read
            drawn = [
                np.random.default_rng(SEED).normal(0, 0.5, w.shape) for w in layer.get_weights()
            ]
            layer.set_weights(drawn)
        run = tf.function(lambda x, model=model: model(x))
        signature = [tf.TensorSpec((None, STEPS, FEATURES), tf.float32, name="x")]
        tf2onnx.convert.from_function(
            run, signature, opset=17, output_path=str(HERE / f"tf2onnx_{name}.onnx")
        )
        told[name] = np.asarray(run(frames[None]))[0].tolist()
    told["frames"] = frames.tolist()
    (HERE / "tf2onnx.json").write_text(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
