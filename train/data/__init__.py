"""Pictures and clips from folders: layout, split, decoding, the frame store, batches.

NumPy and OpenCV only; nothing here imports TensorFlow.
"""
