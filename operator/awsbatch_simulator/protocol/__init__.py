"""AWS's wire protocols: from bytes to an operation with parameters, and from a result to bytes."""
