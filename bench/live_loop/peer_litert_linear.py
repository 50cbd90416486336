"""The same plain loop as it is mostly written: resized bilinearly, which skips most pixels."""

from __future__ import annotations

import cv2
from peer_litert import looping
from worker import serve

if __name__ == "__main__":
    serve(looping(cv2.INTER_LINEAR))
