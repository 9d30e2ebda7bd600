"""Foundations without TensorFlow: components, records, catalogues, exhibits, lazy imports."""
