"""On the workstation: data, network, fitting, stream evaluation, reports."""
