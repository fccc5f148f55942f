"""A whole local installation: control plane, simulator and operator."""
