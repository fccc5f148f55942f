"""Instances for UNMANAGED environments: what to launch, keep and end. Values in, values out."""
