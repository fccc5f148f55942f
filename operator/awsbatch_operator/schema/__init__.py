"""AWS shapes from botocore's service model, and the CRDs that are made of them.

What a resource passes through to AWS is described by AWS's own model plus the small tables under
`tables/`; what is ours is described by pydantic models. Both become one structural schema.
Only `model.py` imports botocore.
"""
