"""Why a model decided so: where in the frame, when in time, and whether that is true."""
