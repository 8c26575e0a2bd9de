"""Formulas: one file a family of ATen operators.

A formula is a function of an `Op` under `@formula("aten.name")`. It may use what the operator's signature holds
(shapes, dtypes, roles, strides, schema-named arguments) and nothing else, since its answer is remembered by signature.

A composite operator that has a formula is counted whole; one without is followed into its parts. So a composite gets
one only where it is a single kernel in effect (`linear`, `batch_norm`, `scaled_dot_product_attention`, `lstm`...).
"""
