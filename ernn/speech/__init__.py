"""Speech: corpora, features, phone decoding and the phone error rate."""
