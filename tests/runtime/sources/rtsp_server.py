"""A real RTSP server (GStreamer's) on the loopback; run by the system's Python.

    python3 rtsp_server.py [PORT [COLOR [WIDTHxHEIGHT]]]

Prints its port, then serves /color: H.264 at 25 frames a second, all of one colour.
"""

from __future__ import annotations

import sys

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

words = [*sys.argv[1:], *("0", "red", "160x120")[len(sys.argv) - 1 :]]
port, color, size = words
width, height = size.split("x")
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    f"( videotestsrc is-live=true pattern={color} "
    f"! video/x-raw,format=I420,width={width},height={height},framerate=25/1 "
    "! x264enc tune=zerolatency key-int-max=10 ! rtph264pay config-interval=1 name=pay0 pt=96 )"
)
factory.set_shared(True)
server.get_mount_points().add_factory("/color", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
